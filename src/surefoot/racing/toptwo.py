"""Top-two sampling for the last handful, and the schedule surefoot uses unless told otherwise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.errors import RaceError
from surefoot.racing.criteria import Mean
from surefoot.racing.elimination import Integers
from surefoot.racing.prediction import SIZE, Prediction
from surefoot.racing.schedule import Chain, FlatBudget, Schedule, Standing, Step
from surefoot.racing.table import Floats

FINALISTS = 16
CLEAR_FROM = 10
SHARES = ((0.35, 0.2), (0.25, 0.12), (0.15, 0.1), (0.1, 0.1), (0.05, 0.1), (0.02, 0.1))
"""Share that stays after a round and share of the spare budget a round costs, tried in turn."""


@dataclass(frozen=True)
class TopTwo(Schedule):
    """Trains the leader and its closest challenger, until the leader is clear or the budget spent.

    The leader has the smallest predicted criterion (`surefoot.racing.prediction`); the challenger
    the smallest gap to it in units of the gap's standard error, the instances' common effect taken
    out: the empirical-best leader with the transportation-cost challenger (Russo 2016; Jourdan et
    al. 2022), on paired losses. Whichever of the two has fewer instances gets ``per_round`` more,
    both when they are equal; who has ``cap`` gets no more, and when both have, the next challenger
    is taken. Candidates that come in untrained get ``per_round`` each first. It ends, leaving one,
    when the smallest gap exceeds ``separation`` standard errors (never before the leader has
    `CLEAR_FROM` instances, since its luck may be that of the noisiest), when all have ``cap``, or
    when those still in the race have ``total`` together. A criterion that moves with n (maximum,
    quantiles) is never taken as separated: optimism about the less trained evens the numbers out.
    """

    cap: int
    per_round: int = 8
    separation: float = 4.0
    total: int | None = None

    def __post_init__(self) -> None:
        if self.cap < 1 or self.per_round < 1 or not self.separation > 0.0:
            raise RaceError(
                f"top two: cap = {self.cap}, per_round = {self.per_round} and separation = "
                f"{self.separation:g} must be positive"
            )
        if self.total is not None and self.total < 1:
            raise RaceError(f"top two: total = {self.total} instances; give 1 or more")

    def step(self, standing: Standing) -> Step | None:
        """Return the next round; None once one candidate is left."""
        survivors, counts = standing.survivors, standing.counts
        if survivors == 1:
            return None
        cap = self._cap(standing)
        left = np.inf if self.total is None else self.total - int(counts.sum())
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

    def _cap(self, standing: Standing) -> int:
        return self.cap if standing.most is None else min(self.cap, standing.most)

    def _pair(self, standing: Standing) -> Integers:
        """Return the leader and its challenger as far as they may train; none at the end."""
        cap = self._cap(standing)
        open_ = standing.counts < cap
        leader, gaps, order = 0, np.zeros(standing.survivors), np.arange(standing.survivors)
        if standing.losses is not None and standing.order is not None:
            leader, gaps = _gaps(standing.losses, standing)
            order = np.lexsort((standing.order.argsort(), gaps))
        clear = min(CLEAR_FROM, cap)
        for challenger in order[order != leader]:
            if gaps[challenger] > self.separation and not standing.criterion.sized:
                return np.array([leader] if standing.counts[leader] < clear else [], np.int64)
            pair = np.array([leader, challenger])
            if open_[pair].any():
                return np.asarray(pair[open_[pair]])
        return np.empty(0, np.int64)


def _gaps(losses: Floats, standing: Standing) -> tuple[int, Floats]:
    """Return the leader and every candidate's gap to it in standard errors."""
    counts, rank = standing.counts, np.asarray(standing.order).argsort()
    model = Prediction(losses, counts)
    values = model.criterion(standing.criterion, SIZE)
    leader = int(np.lexsort((rank, values))[0])
    error = np.hypot(model.error, model.error[leader])
    if model.logarithmic and values[leader] > 0.0:
        with np.errstate(invalid="ignore"):
            gap = np.log(values / values[leader])
    else:
        gap = values - values[leader]
    gap[np.isnan(gap) | np.isinf(values)] = np.inf
    with np.errstate(divide="ignore", invalid="ignore"):
        gaps = np.where(error > 0.0, gap / error, np.where(gap > 0.0, np.inf, 0.0))
    gaps[leader] = np.inf
    return leader, gaps


def default_schedule(
    candidates: int, budget: int | None = None, most: int | None = None
) -> Schedule:
    """Return the schedule for this many candidates: a flat budget, then top two for the last 16.

    One instance each; what is then left of the ``budget`` (all trainings of the race; 2.2 per
    candidate and at least 192 more than candidates unless given) is spent in rounds of equal cost,
    after which a third or less stays, so that at least 30 % of it is there for the last sixteen,
    two at a time. No candidate trains more than ``most`` instances: a quarter of what the last
    sixteen get, from 64 to 512, unless given. It belongs together with
    `surefoot.racing.prediction.ByPrediction`.

    Raises
    ------
    RaceError
        If the budget is smaller than one instance each.
    """
    if candidates < 1:
        raise RaceError(f"a schedule for {candidates} candidates is none; give at least 1")
    if budget is None:
        budget = max(int(2.2 * candidates), candidates + 192)
    if budget < candidates:
        raise RaceError(
            f"a budget of {budget:,} trainings for {candidates:,} candidates; give at least "
            "one each"
        )
    spare = budget - candidates
    for keep, share in SHARES:
        flat = FlatBudget(max(1.0, share * spare), most or SIZE, keep, finalists=FINALISTS)
        spent, finalists, count = _outlay(flat, candidates, most)
        if spent <= candidates + 0.7 * spare:
            break
    else:
        return Chain((FlatBudget(1.0, 1, keep=0.5 / candidates),))
    rest = budget - spent
    cap = most or int(np.clip(rest // 4, SIZE, 512))
    return Chain(
        (flat, TopTwo(cap, int(np.clip(rest // 40, 2, 32)), total=rest + finalists * count))
    )


def within(limit: float | None, candidates: int) -> int | None:
    """Return a limit of trainings as the budget of `default_schedule`, which needs one each."""
    return None if limit is None or limit < candidates else int(limit)


def _outlay(schedule: Schedule, candidates: int, most: int | None) -> tuple[int, int, int]:
    """Return the trainings of a schedule, how many candidates it leaves and their instances.

    No candidate trains more than ``most``.
    """
    alive, count, spent, rounds = candidates, 0, 0, 0
    while True:
        counts, cost = np.full(alive, count), np.ones(alive)
        step = schedule.step(Standing(counts, candidates, cost, Mean(), rounds=rounds))
        if step is None:
            return spent, alive, count
        upto = min(int(np.max(step.upto)), most or np.iinfo(np.int64).max)
        spent += alive * (upto - count)
        alive, count, rounds = step.keep, upto, rounds + 1
