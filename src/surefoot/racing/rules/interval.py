"""Elimination by intervals: whose quantile lies above another's for certain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.errors import RaceError
from surefoot.racing.criteria import Criterion, Quantile
from surefoot.racing.parts import LEVEL, YES, key
from surefoot.racing.rules.base import EliminationRule, Evidence, Verdict, instances, nobody
from surefoot.racing.rules.looks import look_at
from surefoot.statistics import anytime, intervals


@dataclass(frozen=True)
class ByQuantileInterval(EliminationRule):
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

    level: float = key(LEVEL, "Risk that the best candidate leaves.", 0.05)
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
        leave = low > high[rival]

        def reason(row: int) -> str:
            return (
                f"{criterion.name} is at least {low[row]:.4g} over {instances(n)}, "
                f"the incumbent's at most {high[rival]:.4g} (order statistics {ranks[0]} and "
                f"{ranks[1]}, each at confidence 1 - {share:.2g})"
            )

        return Verdict(leave, reason)

    def _ranks(self, n: int, level: float, share: float) -> tuple[int, int]:
        """Ranks, from 1, of the order statistics of n that bound a quantile; 0 or n + 1: none."""
        bound = anytime.quantile_sequence if self.anytime else intervals.quantile_interval
        ranks = bound(np.arange(float(n)), level, 1.0 - share).ranks
        assert ranks is not None
        return ranks


def _bounded(ranks: tuple[int, int], n: int) -> bool:
    """Whether both order statistics exist."""
    return ranks[0] >= 1 and ranks[1] <= n
