"""Elimination by test: who is shown to be worse than the incumbent, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.racing.criteria import Criterion, Mean, Quantile
from surefoot.racing.parts import LEVEL, key, one_of, whole
from surefoot.racing.rules.base import EliminationRule, Evidence, Verdict, instances, nobody
from surefoot.racing.rules.looks import look_at
from surefoot.racing.table import Floats
from surefoot.statistics import comparison

FEWEST = 5
"""The exact one-sided Wilcoxon test cannot go below 2 ** -n: 5 % needs five instances."""

TESTS = ("wilcoxon", "permutation")


@dataclass(frozen=True)
class ByTest(EliminationRule):
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

    level: float = key(LEVEL, "Risk that the best candidate leaves.", 0.05)
    friedman_above: int = key(whole(2), "Above so many, Friedman and Conover test.", 8)
    pairwise_test: str = key(one_of(*TESTS), "Test of the last few, in pairs.", TESTS[0])
    seed: int = 0
    name = "test"
    place = 2
    judges = "mean, median"

    def refusal(self, criterion: Criterion, candidates: int) -> str | None:
        """Refuse every criterion but mean and median."""
        return not_typical(self.name, criterion)

    def needs(self, criterion: Criterion, candidates: int) -> int:
        """Five, and for few candidates as many as the first look's level takes."""
        if candidates > self.friedman_above:
            return FEWEST
        return max(FEWEST, int(np.ceil(np.log2(2.0 * max(1, candidates - 1) / self.level))))

    def judge(self, evidence: Evidence) -> Verdict:
        """Remove whom the test finds worse at the corrected level."""
        losses = evidence.common()
        n, size = losses.shape[1], len(evidence)
        best = int(evidence.order[0])
        p = np.ones(size)
        look = look_at(n, evidence.past, FEWEST)
        if look is None or size < 2:
            return nobody(evidence)
        spent = self.level / (look * (look + 1))
        if size > self.friedman_above:
            all_alike = comparison.friedman(losses)
            found = [f"Friedman T = {all_alike.statistic:.4g}, Conover"] * size
            if all_alike.pvalue <= spent:
                p = comparison.conover(losses, best)
        else:
            p, found = self._pairwise(losses, best)
        bar = spent / (size - 1)
        leave = (p <= bar) & (evidence.values > evidence.values[best])

        def reason(row: int) -> str:
            return (
                f"worse than the incumbent over {instances(n)}: {evidence.criterion.name} "
                f"{evidence.values[row]:.4g} against {evidence.values[best]:.4g}, {found[row]} "
                f"p = {p[row]:.2g} <= {bar:.2g} = {self.level:g} corrected for {size} candidates "
                f"and look {look}"
            )

        return Verdict(leave, reason)

    def _pairwise(self, losses: Floats, best: int) -> tuple[Floats, list[str]]:
        """Return p-values against the incumbent, and tests with their statistics in words."""
        p, found = np.ones(len(losses)), [""] * len(losses)
        for row in range(len(losses)):
            if row == best:
                continue
            if self.pairwise_test == "wilcoxon":
                one, letter = comparison.wilcoxon(losses[row], losses[best]), "W"
            else:
                rng = np.random.default_rng([self.seed, losses.shape[1]])
                one = comparison.permutation(losses[row], losses[best], rng=rng)
                letter = "mean gap"
            p[row] = one.pvalue
            found[row] = f"{one.name} {letter} = {one.statistic:.4g},"
        return p, found


def not_typical(name: str, criterion: Criterion) -> str | None:
    """Refuse a criterion that says more than which losses are typical."""
    if criterion in (Mean(), Quantile(0.5)):
        return None
    return (
        f"rule '{name}' compares typical losses and cannot judge '{criterion.name}'; take "
        "criterion = 'mean' or 'median', or rule 'swaps', which judges any"
    )
