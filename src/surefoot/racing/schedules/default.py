"""The schedule surefoot uses unless told otherwise."""

from __future__ import annotations

import numpy as np

from surefoot.errors import ConfigurationError
from surefoot.racing.prediction.mixed_model import SIZE
from surefoot.racing.schedules.base import Chain, Schedule
from surefoot.racing.schedules.closest import Closest
from surefoot.racing.schedules.top_two import TopTwo


def default_schedule(
    candidates: int, budget: int | None = None, most: int | None = None, needs: int = 1
) -> Schedule:
    """Return the schedule for this many candidates: the closest challengers, then the top two.

    One instance each, or as many as the criterion ``needs``. Half of the trainings then left of the
    ``budget`` (all trainings of the race; 1.2 per candidate and at least 192 beyond those first
    ones unless given) goes to the leader and its closest challengers, so many at first as it could
    train once more; the other half to the last sixteen, two at a time. No candidate trains more
    than ``most`` instances: half of what the last sixteen get, from 64 to 512, unless given. It
    belongs together with `surefoot.racing.prediction.mixed_model.ByPrediction`.

    Raises
    ------
    ConfigurationError
        If the budget is smaller than one instance each.
    """
    if candidates < 1:
        raise ConfigurationError(f"a schedule for {candidates} candidates is none; give at least 1")
    if budget is None:
        budget = needs * candidates + max(int(1.2 * candidates), 192)
    if budget < candidates:
        raise ConfigurationError(
            f"a budget of {budget:,} trainings for {candidates:,} candidates; give at least "
            "one each"
        )
    rest = max(0, budget - needs * candidates) // 2
    cap = most or int(np.clip(rest // 2, SIZE, 512))
    pairs = TopTwo(cap, int(np.clip(rest // 40, 2, 32)), total=budget)
    return Chain((Closest(budget, cap=most or SIZE), pairs))


def within(limit: float | None, candidates: int) -> int | None:
    """Return a limit of trainings as the budget of `default_schedule`, which needs one each."""
    return None if limit is None or limit < candidates else int(limit)
