"""The schedule surefoot uses unless told otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from surefoot.errors import ConfigurationError
from surefoot.racing.prediction.mixed_model import SIZE
from surefoot.racing.rules.prediction import ByPrediction
from surefoot.racing.schedules.base import Schedule, Setup, Standing, Step
from surefoot.racing.schedules.chain import Chain
from surefoot.racing.schedules.closest import Closest
from surefoot.racing.schedules.top_two import Pairs

TIMES = (0.5, 1.0, 2.0, 4.0)
"""Budgets that a planner compares, as multiples of the limit or of the usual one."""


@dataclass(frozen=True)
class Default(Schedule):
    """After one instance each, those closest to the leader: half of the trainings left up to the
    ``limit`` (without one they are 1.2 per candidate and at least 192); then, for the other half,
    pairs of the last sixteen.

    A `Chain` of `Closest` and `Pairs`, as `default_schedule` makes it.
    """

    name = "default"
    place = 0
    stages = (Chain, Closest, Pairs)
    usual_rule = ByPrediction()

    def suited(self, setup: Setup) -> Chain:
        """Return its two stages for so many candidates; a limit of less than one each is none."""
        n, needs = setup.candidates, setup.criterion.needs
        return default_schedule(n, within(setup.limit, n), setup.max_instances, needs)

    def step(self, standing: Standing) -> Step | None:
        """Return the next round of the stages."""
        setup = Setup(standing.entrants, standing.criterion, None, standing.max_instances)
        return self.suited(setup).step(standing)

    @classmethod
    def variants(cls, setup: Setup) -> Iterator[tuple[str, Schedule, float | None]]:
        """Yield it with several budgets, up to the limit."""
        n, needs = setup.candidates, setup.criterion.needs
        limit = setup.limit
        usual = within(limit, n) or _usual(n, needs)
        for times in TIMES:
            budget = int(times * usual)
            if budget >= n and (limit is None or budget <= limit):
                name = "default" if times == 1.0 else f"default x {times:g}"
                yield name, cls(), limit if times == 1.0 else float(budget)


def default_schedule(
    candidates: int, budget: int | None = None, max_instances: int | None = None, needs: int = 1
) -> Chain:
    """Return the schedule for this many candidates: the closest challengers, then the top two.

    One instance each, or as many as the criterion ``needs``. Half of the trainings then left of the
    ``budget`` (all trainings of the race; 1.2 per candidate and at least 192 beyond those first
    ones unless given) goes to the leader and its closest challengers, so many at first as it could
    train once more; the other half to the last sixteen, two at a time. No candidate trains more
    than ``max_instances``: half of what the last sixteen get, from 64 to 512, unless given.

    Raises
    ------
    ConfigurationError
        If the budget is smaller than one instance each.
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
