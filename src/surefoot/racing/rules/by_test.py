"""Elimination by test: who is shown to be worse than the incumbent, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.errors import ConfigurationError, nearest
from surefoot.racing.criteria import Criterion, Mean, Quantile
from surefoot.racing.rules.base import Contest, EliminationRule, Verdict, instances
from surefoot.racing.rules.looks import look_at
from surefoot.racing.table import Floats
from surefoot.statistics import anytime, comparison

FEWEST = 5
"""The exact one-sided Wilcoxon test cannot go below 2 ** -n: 5 % needs five instances."""

TESTS = ("wilcoxon", "permutation")


@dataclass(frozen=True)
class ByTest(EliminationRule):
    """Removes candidates a paired test finds worse than the incumbent.

    The incumbent is the best by the criterion. With more than ``many`` survivors: Friedman's test
    and, when it rejects, Conover's post-hoc test; with fewer the exact Wilcoxon signed-rank or the
    paired permutation test (``few``). All see the instances everybody has. The level of one
    comparison is ``level / (survivors - 1) / (j (j + 1))`` at the j-th look: summed over candidates
    and looks it is at most ``level``, which bounds the probability that the best candidate ever
    leaves, whoever is the incumbent. It looks at five instances and whenever they have grown by
    half since. Nobody leaves before, nor anybody whose criterion is not worse.

    Rank tests judge which candidate loses typically more, instance by instance: only the criteria
    mean and median can be decided by them.
    """

    level: float = 0.05
    many: int = 8
    few: str = "wilcoxon"
    seed: int = 0
    name = "test"

    def __post_init__(self) -> None:
        check_level("by test", self.level)
        if self.few not in TESTS:
            raise ConfigurationError(f"by test: few = '{self.few}'; {nearest(self.few, TESTS)}")
        if self.many < 2:
            raise ConfigurationError(f"by test: many = {self.many} candidates; give 2 or more")

    def refusal(self, criterion: Criterion, candidates: int) -> str | None:
        """Refuse every criterion but mean and median."""
        return _not_typical(self.name, criterion)

    def needs(self, criterion: Criterion, candidates: int) -> int:
        """Five, and for few candidates as many as the first look's level takes."""
        if candidates > self.many:
            return FEWEST
        return max(FEWEST, int(np.ceil(np.log2(2.0 * max(1, candidates - 1) / self.level))))

    def judge(self, contest: Contest) -> Verdict:
        """Remove whom the test finds worse at the corrected level."""
        losses = contest.common()
        n, size = losses.shape[1], len(contest)
        best = int(contest.order[0])
        p = np.ones(size)
        look = look_at(n, contest.past, FEWEST)
        if look is None or size < 2:
            return Verdict(np.zeros(size, np.bool_), lambda row: "")
        spent = self.level / (look * (look + 1))
        if size > self.many:
            all_alike = comparison.friedman(losses)
            found = [f"Friedman T = {all_alike.statistic:.4g}, Conover"] * size
            if all_alike.pvalue <= spent:
                p = comparison.conover(losses, best)
        else:
            p, found = self._few(losses, best)
        bar = spent / (size - 1)
        leave = (p <= bar) & (contest.values > contest.values[best])

        def reason(row: int) -> str:
            return (
                f"worse than the incumbent over {instances(n)}: {contest.criterion.name} "
                f"{contest.values[row]:.4g} against {contest.values[best]:.4g}, {found[row]} "
                f"p = {p[row]:.2g} <= {bar:.2g} = {self.level:g} corrected for {size} candidates "
                f"and look {look}"
            )

        return Verdict(leave, reason)

    def _few(self, losses: Floats, best: int) -> tuple[Floats, list[str]]:
        """Return p-values against the incumbent, and tests with their statistics in words."""
        p, found = np.ones(len(losses)), [""] * len(losses)
        for row in range(len(losses)):
            if row == best:
                continue
            if self.few == "wilcoxon":
                one, letter = comparison.wilcoxon(losses[row], losses[best]), "W"
            else:
                rng = np.random.default_rng([self.seed, losses.shape[1]])
                one = comparison.permutation(losses[row], losses[best], rng=rng)
                letter = "mean gap"
            p[row] = one.pvalue
            found[row] = f"{one.name} {letter} = {one.statistic:.4g},"
        return p, found


@dataclass(frozen=True)
class BySigns(EliminationRule):
    """Removes candidates that lose to the incumbent more than half the time, valid at any look.

    The e-value of the paired comparisons (ties left out) against "it loses at most half of them"
    must reach ``(survivors - 1) / level``. Valid at every look without correction for their number
    (Ville's inequality), and without any assumption about the losses.
    """

    level: float = 0.05
    name = "signs"

    def __post_init__(self) -> None:
        check_level("by signs", self.level)

    def refusal(self, criterion: Criterion, candidates: int) -> str | None:
        """Refuse every criterion but mean and median."""
        return _not_typical(self.name, criterion)

    def needs(self, criterion: Criterion, candidates: int) -> int:
        """As many as must be lost, every one, for enough evidence."""
        lost = np.arange(1.0, 1000.0)
        evidence = anytime.log_evidence_of_losing(lost, lost)
        return int(lost[evidence >= np.log(max(1, candidates - 1) / self.level)][0])

    def judge(self, contest: Contest) -> Verdict:
        """Remove whom the evidence is strong enough against."""
        losses = contest.common()
        best = int(contest.order[0])
        gaps = comparison.differences(losses, losses[best])
        lost = np.asarray((gaps > 0.0).sum(axis=1))
        compared = np.asarray((gaps != 0.0).sum(axis=1))
        evidence = anytime.log_evidence_of_losing(lost, compared)
        entrants = len(contest)
        needed = np.log(max(1, entrants - 1) / self.level)
        leave = (evidence >= needed) & (contest.values > contest.values[best])
        leave[best] = False

        def reason(row: int) -> str:
            return (
                f"loses to the incumbent in {lost[row]} of {compared[row]} instances: e-value "
                f"{np.exp(evidence[row]):.3g} >= {np.exp(needed):.3g} = {entrants - 1} candidates "
                f"/ level {self.level:g}"
            )

        return Verdict(leave, reason)


def _not_typical(name: str, criterion: Criterion) -> str | None:
    """Refuse a criterion that says more than which losses are typical."""
    if criterion in (Mean(), Quantile(0.5)):
        return None
    return (
        f"rule '{name}' compares typical losses and cannot judge '{criterion.name}'; take "
        "criterion = 'mean' or 'median', or rule 'swaps', which judges any"
    )


def check_level(name: str, level: float) -> None:
    """Raise `ConfigurationError` unless the level is a small probability."""
    if not 0.0 < level < 0.5:
        raise ConfigurationError(
            f"{name}: level = {level:g}; give a small probability such as 0.05"
        )
