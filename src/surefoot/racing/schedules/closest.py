"""Closest challengers: which of many candidates are worth another instance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.racing.parts import Domain, number, whole
from surefoot.racing.prediction.gaps import gaps_to_leader
from surefoot.racing.prediction.mixed_model import SIZE
from surefoot.racing.rules.prediction import ByPrediction
from surefoot.racing.schedules.base import FINALISTS, Schedule, Standing, Step

LEFT = Domain(float, "a share of the trainings left, in (0, 1]", "SHARE", lambda x: 0.0 < x <= 1.0)


@dataclass(frozen=True)
class Closest(Schedule):
    """Trains the leader and its closest challengers, many at a time, until the finalists are left.

    One instance each. Of the trainings then left up to the race's ``total`` it spends ``part``; as
    many candidates as that could train once more stay. Then every round trains those with the
    smallest gaps to the leader (`gaps`): the share ``share`` of what is left to
    spend, at least as many as ``finalists``, one instance each or more where fewer candidates are
    left than that. So a candidate that is clearly worse costs one instance, and one that remains
    in doubt gets more. With the last round all but the ``finalists`` leave. Nobody trains more
    than ``cap``.

    After a screen the first cut trains nothing.
    """

    total: int = number(whole())
    part: float = number(LEFT, 0.5)
    finalists: int = number(whole(), FINALISTS)
    share: float = number(LEFT, 0.2)
    cap: int = number(whole(), SIZE)
    name = "closest"
    usual_rule = ByPrediction()

    @property
    def words(self) -> str:
        """Who trains on."""
        return "those closest to the leader train on"

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
