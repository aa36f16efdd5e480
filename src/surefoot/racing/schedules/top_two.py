"""Top-two sampling: the leader and its closest challenger train on until they are apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.racing.parts import POSITIVE, SHARE, key, number, whole
from surefoot.racing.prediction.gaps import gaps_to_leader
from surefoot.racing.rules.prediction import ByPrediction
from surefoot.racing.schedules.base import FINALISTS, Schedule, Setup, Standing, Step
from surefoot.racing.schedules.chain import Chain
from surefoot.racing.schedules.flat_budget import FlatBudget
from surefoot.racing.table import Integers

CLEAR_FROM = 10


@dataclass(frozen=True)
class Pairs(Schedule):
    """Trains the leader and its closest challenger, until the leader is clear or the budget spent.

    The challenger has the smallest gap to the leader (`gaps`): the empirical-best
    leader with the transportation-cost challenger (Russo 2016; Jourdan et al. 2022). Whichever of
    the two has fewer instances gets ``per_round`` more, both when they are equal; who has ``cap``
    gets no more, and when both have, the next challenger is taken. Candidates that come in
    untrained get ``per_round`` each first. It ends, leaving one, when the smallest gap exceeds
    ``separation`` standard errors (never before the leader has `CLEAR_FROM` instances, since its
    good values may be those of the noisiest), when all have ``cap``, or when the race has come to
    ``total`` trainings. A criterion that moves with n (maximum, quantiles) is never taken as
    separated: optimism about the less trained evens the numbers out.
    """

    cap: int = number(whole())
    per_round: int = number(whole(), 8)
    separation: float = number(POSITIVE, 4.0)
    total: int | None = number(whole(), None)
    name = "pairs"
    usual_rule = ByPrediction()

    @property
    def words(self) -> str:
        """Who trains."""
        return "in pairs"

    def step(self, standing: Standing) -> Step | None:
        """Return the next round; None once one candidate is left."""
        survivors, counts = standing.survivors, standing.counts
        if survivors == 1:
            return None
        cap = standing.at_most(self.cap)
        left = np.inf if self.total is None else self.total - standing.spent
        if standing.instances == 0:
            each = max(1, int(min(self.per_round, cap, left // survivors)))
            return Step(each, survivors)
        pair = self._pair(standing, cap)
        if len(pair) == 0 or left < 1:
            return Step(counts, 1)
        upto = counts.copy()
        for row in pair[counts[pair] == counts[pair].min()]:
            more = int(min(self.per_round, cap - counts[row], left))
            upto[row] += more
            left -= more
        return Step(upto, survivors)

    def _pair(self, standing: Standing, cap: int) -> Integers:
        """Return the leader and its challenger as far as they may train; none at the end."""
        open_ = standing.counts < cap
        leader, gaps, order = gaps_to_leader(standing)
        clear = min(CLEAR_FROM, cap)
        for challenger in order[order != leader]:
            if gaps[challenger] > self.separation and not standing.criterion.depends_on_n:
                return np.array([leader] if standing.counts[leader] < clear else [], np.int64)
            pair = np.array([leader, challenger])
            if open_[pair].any():
                return np.asarray(pair[open_[pair]])
        return np.empty(0, np.int64)


@dataclass(frozen=True)
class TopTwo(Schedule):
    """As ``flat_budget`` until ``finalists`` are left; then the leader and its closest challenger
    train on until they are clearly apart or all have ``complete`` instances.

    A `Chain` of `FlatBudget` and `Pairs`.
    """

    budget: float = key(POSITIVE, "Trainings of a flat round.")
    complete: int = key(whole(), "All instances of a candidate.")
    finalists: int = key(whole(), "How many go on in pairs.", FINALISTS)
    keep: float = key(SHARE, "Share that stays.", 0.5)
    warmup: int = key(whole(), "Instances before the first cut.", 1)
    cap: int = key(whole(), "Most instances of a candidate in a flat round.", 64)
    name = "top_two"
    place = 3
    stages = (Chain, Pairs)
    usual_rule = ByPrediction()

    def suited(self, setup: Setup) -> Chain:
        """Return its two stages."""
        flat = FlatBudget(
            self.budget, self.cap, self.keep, warmup=self.warmup, finalists=self.finalists
        )
        return Chain((flat, Pairs(self.complete)))

    def step(self, standing: Standing) -> Step | None:
        """Return the next round of the stages."""
        return self.suited(Setup(standing.entrants, standing.criterion)).step(standing)
