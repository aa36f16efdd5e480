"""Elimination by test: who is shown to be worse than another at a level, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from surefoot.errors import RaceError
from surefoot.racing.criteria import Criterion, Mean, Quantile
from surefoot.racing.parts import LEVEL, YES, key, number, one_of, trainings, whole
from surefoot.racing.rules.base import EliminationRule, Evidence, Verdict, instances, nobody
from surefoot.racing.table import Floats
from surefoot.statistics import comparison, intervals
from surefoot.statistics.comparison import swap_test

FEWEST = 5
"""The exact one-sided Wilcoxon test cannot go below 2 ** -n: 5 % needs five instances."""

FIRST_SWAPS = 10
"""Instances at which swaps are first looked at."""

GROWTH = 1.5
"""A look is due when the instances have grown by half since the last one."""

TESTS = ("wilcoxon", "permutation")


def look_at(n: int, past: tuple[int, ...], first: int) -> int | None:
    """Return which look of a test this is, from 1; None at an n that is not looked at.

    ``past`` holds the instances of the rounds before. The first look is at ``first`` instances or
    more, any other when they have grown by half: 64 instances take seven looks at most, so the
    last one has 1/56 of the level when ``1 / (j (j + 1))`` of it is spent at the j-th; after every
    instance it would have 1/3,660. Should ``first`` shrink with the survivors, looks are counted
    too many, never too few, so that the shares sum to one at most.

    >>> [look_at(n, tuple(range(1, n)), 10) for n in (9, 10, 14, 15, 23)]
    [None, 1, None, 2, 3]
    """
    number, due, looked = 0, float(first), False
    for count in (*past, n):
        looked = count >= due
        if looked:
            number, due = number + 1, GROWTH * count
    return number if looked else None


@dataclass(frozen=True)
class AtLevel(EliminationRule):
    """A rule by which the best candidate leaves with a probability of at most ``level``."""

    level: float = key(LEVEL, "Risk that the best candidate leaves.", 0.05)

    def corrected(self, size: int, look: int) -> str:
        """Return the words on what its level was corrected for."""
        return f"{self.level:g} corrected for {size} candidates and look {look}"


@dataclass(frozen=True)
class OfTypical(AtLevel):
    """One that judges whose losses are typically worse: criteria mean and median alone."""

    judges = "mean, median"

    def refusal(self, criterion: Criterion, candidates: int) -> str | None:
        """Refuse a criterion that says more than which losses are typical."""
        if criterion in (Mean(), Quantile(0.5)):
            return None
        return (
            f"rule '{self.name}' compares typical losses and cannot judge '{criterion.name}'; take "
            "criterion = 'mean' or 'median', or rule 'swaps', which judges any"
        )


@dataclass(frozen=True)
class ByTest(OfTypical):
    """Whom a paired test finds worse than the best so far: Friedman and Conover above
    ``friedman_above`` candidates, else Wilcoxon's signed ranks or, with ``pairwise_test =
    "permutation"``, the permutation test.

    The incumbent is the best by the criterion. With more than ``friedman_above`` survivors:
    Friedman's test and, when it rejects, Conover's post-hoc test; with fewer the exact Wilcoxon
    signed-rank or the paired permutation test. All see the instances everybody has. The level of
    one comparison is ``level / (survivors - 1) / (j (j + 1))`` at the j-th look: summed over
    candidates and looks it is at most ``level``, which bounds the probability that the best
    candidate ever leaves, whoever is the incumbent. It looks at five instances and whenever they
    have grown by half since. Nobody leaves before, nor anybody whose criterion is not worse.

    Rank tests judge which candidate loses typically more, instance by instance: only the criteria
    mean and median can be decided by them.
    """

    friedman_above: int = key(whole(2), "Above so many, Friedman and Conover test.", 8)
    pairwise_test: str = key(one_of(*TESTS), "Test of the last few, in pairs.", TESTS[0])
    seed: int = 0
    name = "test"
    place = 2

    def needs(self, criterion: Criterion, candidates: int) -> int:
        """Five, and for few candidates as many as the first look's level takes."""
        if candidates > self.friedman_above:
            return FEWEST
        return max(FEWEST, int(np.ceil(np.log2(2.0 * max(1, candidates - 1) / self.level))))

    def judge(self, evidence: Evidence) -> Verdict:
        """Remove whom the test finds worse at the corrected level."""
        losses = evidence.common()
        n, size, values = losses.shape[1], len(evidence), evidence.values
        best = int(evidence.order[0])
        look = look_at(n, evidence.past, FEWEST)
        if look is None or size < 2:
            return nobody(evidence)
        spent = self.level / (look * (look + 1))
        p, found = np.ones(size), [""] * size
        if size > self.friedman_above:
            all_alike = comparison.friedman(losses)
            found = [f"Friedman T = {all_alike.statistic:.4g}, Conover"] * size
            if all_alike.pvalue <= spent:
                p = comparison.conover(losses, best)
        else:
            for row in np.flatnonzero(np.arange(size) != best):
                p[row], found[row] = self._pair(losses[row], losses[best])
        bar = spent / (size - 1)

        def reason(row: int) -> str:
            return (
                f"worse than the incumbent over {instances(n)}: {evidence.criterion.name} "
                f"{values[row]:.4g} against {values[best]:.4g}, {found[row]} p = {p[row]:.2g} <= "
                f"{bar:.2g} = {self.corrected(size, look)}"
            )

        return Verdict((p <= bar) & (values > values[best]), reason)

    def _pair(self, losses: Floats, best: Floats) -> tuple[float, str]:
        """Return the p-value against the incumbent, and the test with its statistic in words."""
        if self.pairwise_test == "wilcoxon":
            found, letter = comparison.wilcoxon(losses, best), "W"
        else:
            rng = np.random.default_rng([self.seed, len(losses)])
            found, letter = comparison.permutation(losses, best, rng=rng), "mean gap"
        return found.pvalue, f"{found.name} {letter} = {found.statistic:.4g},"


@dataclass(frozen=True)
class BySigns(OfTypical):
    """Who loses to the best so far in more than half of the instances, by an e-value that holds at
    any time.

    The e-value of the paired comparisons (ties left out) against "it loses at most half of them"
    must reach ``(survivors - 1) / level``. Valid at every look without correction for their number
    (Ville's inequality), and without any assumption about the losses.
    """

    name = "signs"
    place = 3

    def needs(self, criterion: Criterion, candidates: int) -> int:
        """As many as must be lost, every one, for enough evidence."""
        lost = np.arange(1.0, 1000.0)
        return int(lost[comparison.log_evidence_of_losing(lost, lost) >= self._bar(candidates)][0])

    def judge(self, evidence: Evidence) -> Verdict:
        """Remove whom the evidence is strong enough against."""
        losses, values = evidence.common(), evidence.values
        best, others = int(evidence.order[0]), len(evidence) - 1
        gaps = comparison.differences(losses, losses[best])
        lost = np.asarray((gaps > 0.0).sum(axis=1))
        compared = np.asarray((gaps != 0.0).sum(axis=1))
        strength, needed = comparison.log_evidence_of_losing(lost, compared), self._bar(others + 1)

        def reason(row: int) -> str:
            return (
                f"loses to the incumbent in {lost[row]} of {compared[row]} instances: e-value "
                f"{np.exp(strength[row]):.3g} >= {np.exp(needed):.3g} = {others} candidates / "
                f"level {self.level:g}"
            )

        return Verdict((strength >= needed) & (values > values[best]), reason)

    def _bar(self, candidates: int) -> float:
        """Return the logarithm of the e-value that removes one of so many."""
        return float(np.log(max(1, candidates - 1) / self.level))


@dataclass(frozen=True)
class BySwaps(AtLevel):
    """Whose criterion exceeds the best one's by more than swapping their losses explains.

    A paired permutation test of any criterion: were candidate and incumbent alike, their two losses
    of an instance could be swapped. The gap of the criterion is compared with its distribution
    under swaps (`surefoot.statistics.comparison.swap_test`), at ``level / (survivors - 1) /
    (j (j + 1))`` at the j-th look. It looks at ten instances and whenever they have grown by half
    since: looking more often would ask for p-values that the swaps of so few instances cannot have.
    Exact for like distributions at any n and for any criterion, which a bootstrap of the tail is
    not. Up to ``n_resamples`` swaps are drawn; a level they cannot reach removes nobody, so this
    rule is for up to about a hundred candidates.
    """

    n_resamples: int = number(trainings(100), 40_000)
    seed: int = 0
    name = "swaps"
    place = 4
    slowness = 10

    def refusal(self, criterion: Criterion, candidates: int) -> str | None:
        """Refuse more candidates than the swaps could ever tell apart."""
        if self.n_resamples * self.level / max(1, candidates - 1) / 2.0 >= 1.0:
            return None
        return (
            f"rule '{self.name}' with {self.n_resamples:,} resamples can show nothing of "
            f"{candidates:,} candidates at level {self.level:g}; screen them, or take another rule"
        )

    def needs(self, criterion: Criterion, candidates: int) -> int:
        """Ten: before, not even the last two candidates can be told apart."""
        return FIRST_SWAPS

    def judge(self, evidence: Evidence) -> Verdict:
        """Remove whose gap is too large for chance."""
        losses, size = evidence.common(), len(evidence)
        n, best = losses.shape[1], int(evidence.order[0])
        look = look_at(n, evidence.past, FIRST_SWAPS)
        if look is None or size < 2:
            return nobody(evidence)
        bar = self.level / (size - 1) / (look * (look + 1))
        p, values = np.ones(size), evidence.criterion.values(losses)
        if self.n_resamples * bar >= 1.0:
            draws = min(self.n_resamples, int(np.ceil(4.0 / bar)))
            swapped = partial(swap_test, evidence.criterion.of, n_resamples=draws, seed=self.seed)
            for row in np.flatnonzero(values > values[best]):
                p[row] = swapped(losses[row], losses[best], bar).pvalue

        def reason(row: int) -> str:
            return (
                f"{evidence.criterion.name} {values[row]:.4g} over {instances(n)} against the "
                f"incumbent's {values[best]:.4g}: paired swaps p = {p[row]:.2g} <= {bar:.2g} = "
                f"{self.corrected(size, look)}"
            )

        return Verdict(p <= bar, reason)


@dataclass(frozen=True)
class ByQuantileInterval(AtLevel):
    """Whose quantile lies above another's by intervals of order statistics.

    Distribution-free: each quantile has an interval by order statistics, at the confidence
    ``1 - level / survivors / (j (j + 1))`` at the j-th look, or, with ``anytime``, a confidence
    sequence at ``1 - level / survivors`` that needs no correction for looks. Out is who lies
    wholly above the lowest upper end. So all intervals hold at all looks with probability
    ``1 - level``, and then the best candidate stays.

    It looks when the order statistics first bound the quantile on both sides (`needs`: 13
    instances for the median of 64 candidates, 82 for their 90 % quantile) and, without
    ``anytime``, whenever the instances have grown by half since.
    """

    anytime: bool = key(YES, "Intervals that hold at any time, in place of looks.", False)
    name = "quantile"
    place = 5
    judges = "median, quantile(p)"

    def refusal(self, criterion: Criterion, candidates: int) -> str | None:
        """Refuse every criterion but an inner quantile."""
        if isinstance(criterion, Quantile) and 0.0 < criterion.level < 1.0:
            return None
        return (
            f"rule '{self.name}' cannot judge '{criterion.name}'; take a criterion such as "
            "'median' or 'quantile(0.9)', or another rule"
        )

    def needs(self, criterion: Criterion, candidates: int) -> int:
        """As many as bound the quantile on both sides, at the first look's level."""
        assert isinstance(criterion, Quantile)
        share = self.level / candidates / (1.0 if self.anytime else 2.0)
        outer = max(criterion.level, 1.0 - criterion.level)
        n = max(1, int(np.ceil(np.log(share / 2.0) / np.log(outer) - 1e-9)))
        while self.anytime and not _bounded(self._ranks(n, criterion.level, share), n):
            n += 1
        return n

    def judge(self, evidence: Evidence) -> Verdict:
        """Remove whose interval lies above another's."""
        criterion, size = evidence.criterion, len(evidence)
        if not isinstance(criterion, Quantile):
            raise RaceError(str(self.refusal(criterion, size)))
        losses, share = evidence.common(), self.level / size
        n = losses.shape[1]
        if not self.anytime:
            look = look_at(n, evidence.past, self.needs(criterion, size))
            share = 0.0 if look is None else share / (look * (look + 1))
        ranks = self._ranks(n, criterion.level, share) if share else (0, 0)
        if not _bounded(ranks, n):
            return nobody(evidence)
        ordered = np.sort(losses, axis=1)
        low, high = ordered[:, ranks[0] - 1], ordered[:, ranks[1] - 1]
        rival = int(np.argmin(high))

        def reason(row: int) -> str:
            return (
                f"{criterion.name} is at least {low[row]:.4g} over {instances(n)}, "
                f"the incumbent's at most {high[rival]:.4g} (order statistics {ranks[0]} and "
                f"{ranks[1]}, each at confidence 1 - {share:.2g})"
            )

        return Verdict(low > high[rival], reason)

    def _ranks(self, n: int, level: float, share: float) -> tuple[int, int]:
        """Ranks, from 1, of the order statistics of n that bound a quantile; 0 or n + 1: none."""
        bound = intervals.quantile_sequence if self.anytime else intervals.quantile_interval
        ranks = bound(np.arange(float(n)), level, 1.0 - share).ranks
        assert ranks is not None
        return ranks


def _bounded(ranks: tuple[int, int], n: int) -> bool:
    """Whether both order statistics exist."""
    return ranks[0] >= 1 and ranks[1] <= n
