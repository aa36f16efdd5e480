"""Top-two sampling for the last handful."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.errors import ConfigurationError
from surefoot.racing.prediction.gaps import gaps_to_leader
from surefoot.racing.rules.base import Integers
from surefoot.racing.schedules.base import Schedule, Standing, Step

CLEAR_FROM = 10


@dataclass(frozen=True)
class TopTwo(Schedule):
    """Trains the leader and its closest challenger, until the leader is clear or the budget spent.

    The challenger has the smallest gap to the leader (`gaps`): the empirical-best
    leader with the transportation-cost challenger (Russo 2016; Jourdan et al. 2022). Whichever of
    the two has fewer instances gets ``per_round`` more, both when they are equal; who has ``cap``
    gets no more, and when both have, the next challenger is taken. Candidates that come in
    untrained get ``per_round`` each first. It ends, leaving one, when the smallest gap exceeds
    ``separation`` standard errors (never before the leader has `CLEAR_FROM` instances, since its
    luck may be that of the noisiest), when all have ``cap``, or when the race has come to ``total``
    trainings. A criterion that moves with n (maximum, quantiles) is never taken as separated:
    optimism about the less trained evens the numbers out.
    """

    cap: int
    per_round: int = 8
    separation: float = 4.0
    total: int | None = None

    def __post_init__(self) -> None:
        if self.cap < 1 or self.per_round < 1 or not self.separation > 0.0:
            raise ConfigurationError(
                f"top two: cap = {self.cap}, per_round = {self.per_round} and separation = "
                f"{self.separation:g} must be positive"
            )
        if self.total is not None and self.total < 1:
            raise ConfigurationError(f"top two: total = {self.total} instances; give 1 or more")

    def step(self, standing: Standing) -> Step | None:
        """Return the next round; None once one candidate is left."""
        survivors, counts = standing.survivors, standing.counts
        if survivors == 1:
            return None
        cap = standing.allowed(self.cap)
        left = np.inf if self.total is None else self.total - standing.spent
        if standing.instances == 0:
            each = max(1, int(min(self.per_round, cap, left // survivors)))
            return Step(each, survivors)
        pair = self._pair(standing)
        if len(pair) == 0 or left < 1:
            return Step(counts, 1)
        upto = counts.copy()
        for row in pair[counts[pair] == counts[pair].min()]:
            more = int(min(self.per_round, cap - counts[row], left))
            upto[row] += more
            left -= more
        return Step(upto, survivors)

    def _pair(self, standing: Standing) -> Integers:
        """Return the leader and its challenger as far as they may train; none at the end."""
        cap = standing.allowed(self.cap)
        open_ = standing.counts < cap
        leader, gaps, order = gaps_to_leader(standing)
        clear = min(CLEAR_FROM, cap)
        for challenger in order[order != leader]:
            if gaps[challenger] > self.separation and not standing.criterion.sized:
                return np.array([leader] if standing.counts[leader] < clear else [], np.int64)
            pair = np.array([leader, challenger])
            if open_[pair].any():
                return np.asarray(pair[open_[pair]])
        return np.empty(0, np.int64)
