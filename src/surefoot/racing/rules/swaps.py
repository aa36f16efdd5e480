"""Elimination by swaps: a paired permutation test of any criterion, also of the tail."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from surefoot.racing.criteria import Criterion
from surefoot.racing.parts import LEVEL, key, number, whole
from surefoot.racing.rules.base import EliminationRule, Evidence, Verdict, instances, nobody
from surefoot.racing.rules.looks import look_at
from surefoot.statistics.subset import swap_test

FIRST_LOOK = 10


@dataclass(frozen=True)
class BySwaps(EliminationRule):
    """Whose criterion exceeds the best one's by more than swapping their losses explains.

    A paired permutation test of any criterion: were candidate and incumbent alike, their two losses
    of an instance could be swapped. The gap of the criterion is compared with its distribution
    under swaps (`surefoot.statistics.subset.swap_test`), at ``level / (survivors - 1) /
    (j (j + 1))`` at the j-th look. It looks at ten instances and whenever they have grown by half
    since: looking more often would ask for p-values that the swaps of so few instances cannot have.
    Exact for like distributions at any n and for any criterion, which a bootstrap of the tail is
    not. Up to ``n_resamples`` swaps are drawn; a level they cannot reach removes nobody, so this
    rule is for up to about a hundred candidates.
    """

    level: float = key(LEVEL, "Risk that the best candidate leaves.", 0.05)
    n_resamples: int = number(whole(100), 40_000)
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
        return FIRST_LOOK

    def judge(self, evidence: Evidence) -> Verdict:
        """Remove whose gap is too large for chance."""
        losses, size = evidence.common(), len(evidence)
        n = losses.shape[1]
        best = int(evidence.order[0])
        look = look_at(n, evidence.past, FIRST_LOOK)
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
                f"{self.level:g} corrected for {size} candidates and look {look}"
            )

        return Verdict(p <= bar, reason)
