"""Schedules in stages: of many those closest to the leader train on, of a few the top two.

How far a candidate is behind the leader is its gap, in units of what is not yet known of the two.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from surefoot.errors import ConfigurationError
from surefoot.racing.parts import POSITIVE, SHARE, Domain, key, number, trainings, whole
from surefoot.racing.prediction import SIZE, Prediction
from surefoot.racing.rules.base import EliminationRule
from surefoot.racing.rules.rank import ByPrediction
from surefoot.racing.schedules.base import Schedule, Setup, Standing, Step
from surefoot.racing.schedules.rounds import FlatBudget
from surefoot.racing.table import Floats, Integers

FINALISTS = 16
"""How many go on to the last stage, unless told otherwise."""

CLEAR_FROM = 10
"""Instances from which on a leader may be clear: few good values may be those of the noisiest."""

TIMES = (0.5, 1.0, 2.0, 4.0)
"""Budgets that a planner compares, as multiples of the limit or of the usual one."""

LEFT = Domain(float, "a share of the trainings left, in (0, 1]", "SHARE", lambda x: 0.0 < x <= 1.0)


def gaps_to_leader(standing: Standing) -> tuple[int, Floats, Integers]:
    """Return the leader, everybody's gap to it and all from the smallest gap to the largest.

    The leader has the smallest predicted criterion (`Prediction`). A gap ``[survivors]`` is the
    difference of two predictions (of their logarithms, where losses are positive) in units of the
    difference's standard error, the instances' common effect taken out: the transportation cost of
    best-arm identification (Jourdan et al. 2022), on paired losses. It is infinite where the
    prediction is, and for all while nobody has a second instance, which alone tells of noise; the
    leader's is 0. Ties go by the standing's order. While a race is only planned, all gaps are 0.
    """
    if standing.losses is None or standing.order is None:
        return 0, np.zeros(standing.survivors), np.arange(standing.survivors)
    rank = standing.order.argsort()
    model = Prediction(standing.losses, standing.counts)
    values = model.criterion(standing.criterion, SIZE)
    leader = int(np.lexsort((rank, values))[0])
    error = np.hypot(model.error, model.error[leader])
    with np.errstate(divide="ignore", invalid="ignore"):
        if model.logarithmic and values[leader] > 0.0:
            behind = np.log(values / values[leader])
        else:
            behind = values - values[leader]
        behind[np.isnan(behind) | np.isinf(values)] = np.inf
        gaps = np.where(error > 0.0, behind / error, np.where(behind > 0.0, np.inf, 0.0))
    gaps[leader] = 0.0
    return leader, gaps, np.lexsort((rank, gaps))


@dataclass(frozen=True)
class Chain(Schedule):
    """One schedule after the other: the next takes over when one has ended."""

    parts: tuple[Schedule, ...]
    name = "chain"

    @property
    def usual_rule(self) -> EliminationRule:
        """That of the last part."""
        return self.parts[-1].usual_rule

    @property
    def words(self) -> str:
        """The words of its parts, one after the other."""
        said = self.parts[0].words
        for before, part in pairwise(self.parts):
            said += f", then the last {getattr(before, 'finalists', 1)} {part.words}"
        return said

    def step(self, standing: Standing) -> Step | None:
        """Return the round of the first part that has one."""
        steps = (part.step(standing) for part in self.parts)
        return next((step for step in steps if step is not None), None)


@dataclass(frozen=True)
class Closest(Schedule):
    """Trains the leader and its closest challengers, many at a time, until the finalists are left.

    One instance each. Of the trainings then left up to the race's ``total`` it spends ``part``; as
    many candidates as that could train once more stay. Then every round trains those with the
    smallest gaps to the leader: the share ``share`` of what is left to spend, at least as many as
    ``finalists``, one instance each or more where fewer candidates are left than that. So a
    candidate that is clearly worse costs one instance, and one that remains in doubt gets more.
    With the last round all but the ``finalists`` leave. Nobody trains more than ``cap``.

    After a screen the first cut trains nothing.
    """

    total: int = number(whole())
    part: float = number(LEFT, 0.5)
    finalists: int = number(whole(), FINALISTS)
    share: float = number(LEFT, 0.2)
    cap: int = number(whole(), SIZE)
    name = "closest"
    usual_rule = ByPrediction()
    words = "those closest to the leader train on"

    def step(self, standing: Standing) -> Step | None:
        """Return the next round; None once the finalists are left or nothing is left to spend."""
        survivors, counts = standing.survivors, standing.counts
        if survivors <= self.finalists:
            return None
        left = self._left(standing)
        keep = min(survivors, max(self.finalists, left))
        if standing.instances == 0:
            return Step(1, keep)
        if standing.rounds == 0 and survivors > keep:
            return Step(counts, keep)
        cap = standing.at_most(self.cap)
        if left < 1 or bool((counts >= cap).all()):
            return None
        _, _, order = gaps_to_leader(standing)
        order = order[counts[order] < cap]
        batch = min(left, max(self.finalists, int(self.share * left)))
        chosen = order[:batch]
        upto = counts.copy()
        upto[chosen] = np.minimum(cap, counts[chosen] + batch // len(chosen))
        last = int((upto - counts).sum()) == left or bool((upto == cap).all())
        return Step(upto, self.finalists if last else survivors)

    def _left(self, standing: Standing) -> int:
        """Return the trainings it may still spend, from what the survivors had of it so far."""
        first = standing.criterion.needs
        beyond = int(np.maximum(standing.counts - first, 0).sum())
        spent = standing.spent if standing.instances else standing.survivors * first
        return int(self.part * (self.total - spent + beyond)) - beyond


@dataclass(frozen=True)
class Pairs(Schedule):
    """Trains the leader and its closest challenger, until the leader is clear or the budget spent.

    The challenger has the smallest gap to the leader: the empirical-best leader with the
    transportation-cost challenger (Russo 2016; Jourdan et al. 2022). Whichever of the two has fewer
    instances gets ``per_round`` more, both when they are equal; who has ``cap`` gets no more, and
    when both have, the next challenger is taken. Candidates that come in untrained get
    ``per_round`` each first. It ends, leaving one, when the smallest gap exceeds ``separation``
    standard errors (never before the leader has `CLEAR_FROM` instances), when all have ``cap``, or
    when the race has come to ``total`` trainings. A criterion that moves with n (maximum,
    quantiles) is never taken as separated: optimism about the less trained evens the numbers out.
    """

    cap: int = number(whole())
    per_round: int = number(trainings(), 8)
    separation: float = number(POSITIVE, 4.0)
    total: int | None = number(whole(), None)
    name = "pairs"
    usual_rule = ByPrediction()
    words = "in pairs"

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
class Staged(Schedule):
    """A schedule that is a `Chain` of stages, which it makes for the race at hand."""

    stages = (Chain, Closest, Pairs)
    usual_rule = ByPrediction()

    @abstractmethod
    def suited(self, setup: Setup) -> Chain:
        """Return its stages."""

    def step(self, standing: Standing) -> Step | None:
        """Return the next round of the stages."""
        setup = Setup(standing.entrants, standing.criterion, standing.limit, standing.max_instances)
        return self.suited(setup).step(standing)


@dataclass(frozen=True)
class TopTwo(Staged):
    """As ``flat_budget`` until ``finalists`` are left; then the leader and its closest challenger
    train on until they are clearly apart or all have ``complete`` instances.

    A `Chain` of `FlatBudget` and `Pairs`.
    """

    budget: float = key(POSITIVE, "Trainings of a flat round.")
    complete: int = key(trainings(), "All instances of a candidate.")
    finalists: int = key(whole(), "How many go on in pairs.", FINALISTS)
    keep: float = key(SHARE, "Share that stays.", 0.5)
    warmup: int = key(trainings(), "Instances before the first cut.", 1)
    cap: int = key(trainings(), "Most instances of a candidate in a flat round.", 64)
    name = "top_two"
    place = 3

    def suited(self, setup: Setup) -> Chain:
        """Return its two stages."""
        flat = FlatBudget(
            self.budget, self.cap, self.keep, warmup=self.warmup, finalists=self.finalists
        )
        return Chain((flat, Pairs(self.complete)))


@dataclass(frozen=True)
class Default(Staged):
    """After one instance each, those closest to the leader: half of the trainings left up to the
    ``limit`` (without one they are 1.2 per candidate and at least 192); then, for the other half,
    pairs of the last sixteen.

    A `Chain` of `Closest` and `Pairs`, as `default_schedule` makes it.
    """

    name = "default"
    place = 0

    def suited(self, setup: Setup) -> Chain:
        """Return its two stages for so many candidates; a limit of less than one each is none."""
        n, needs = setup.candidates, setup.criterion.needs
        return default_schedule(n, within(setup.limit, n), setup.max_instances, needs)

    @classmethod
    def variants(cls, setup: Setup) -> Iterator[tuple[str, Schedule, float | None]]:
        """Yield it with several budgets, up to the limit."""
        n, limit = setup.candidates, setup.limit
        usual = within(limit, n) or _usual(n, setup.criterion.needs)
        for times in TIMES:
            budget = int(times * usual)
            if budget >= n and (limit is None or budget <= limit):
                name = "default" if times == 1.0 else f"default x {times:g}"
                yield name, cls(), limit if times == 1.0 else float(budget)


def default_schedule(
    candidates: int, budget: int | None = None, max_instances: int | None = None, needs: int = 1
) -> Chain:
    """Return the stages of `Default` for this many candidates.

    ``budget`` is of all trainings of the race, ``needs`` of the criterion: so many instances each
    come first, and 1.2 per candidate and at least 192 beyond those unless it is given. No candidate
    trains more than ``max_instances``: half of what the last sixteen get, from 64 to 512, unless
    given. Raises `ConfigurationError` if the budget is smaller than one instance each.
    """
    if candidates < 1:
        raise ConfigurationError(f"a schedule for {candidates} candidates is none; give at least 1")
    if budget is None:
        budget = _usual(candidates, needs)
    if budget < candidates:
        raise ConfigurationError(
            f"a budget of {budget:,} trainings for {candidates:,} candidates; give at least "
            "one each"
        )
    rest = max(0, budget - needs * candidates) // 2
    cap = max_instances or int(np.clip(rest // 2, SIZE, 512))
    pairs = Pairs(cap, int(np.clip(rest // 40, 2, 32)), total=budget)
    return Chain((Closest(budget, cap=max_instances or SIZE), pairs))


def within(limit: float | None, candidates: int) -> int | None:
    """Return a limit of trainings as the budget of `default_schedule`, which needs one each."""
    return None if limit is None or limit < candidates else int(limit)


def _usual(candidates: int, needs: int) -> int:
    return needs * candidates + max(int(1.2 * candidates), 192)
