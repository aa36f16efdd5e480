"""Closest challengers: which of many candidates are worth another instance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.errors import RaceError
from surefoot.racing.gaps import gaps_to_leader
from surefoot.racing.prediction import SIZE
from surefoot.racing.schedule import Schedule, Standing, Step


@dataclass(frozen=True)
class Closest(Schedule):
    """Trains the leader and its closest challengers, many at a time, until the finalists are left.

    One instance each; the best ``keep`` stay. Then every round trains those with the smallest gaps
    to the leader (`surefoot.racing.gaps`): the share ``share`` of the trainings left, at least as
    many as ``finalists``, one instance each or more where fewer candidates are left than that. So
    a candidate that is clearly worse costs one instance, and one that remains in doubt gets more.
    With the round that brings the race to ``total`` trainings all but the ``finalists`` leave.
    Nobody trains more than ``cap``.

    After a screen the first cut trains nothing.
    """

    total: int
    keep: int
    finalists: int = 16
    share: float = 0.2
    cap: int = SIZE

    def __post_init__(self) -> None:
        if self.total < 1 or self.finalists < 1 or self.keep < self.finalists or self.cap < 1:
            raise RaceError(
                f"closest: total = {self.total}, finalists = {self.finalists} and cap = "
                f"{self.cap} must be positive, and keep = {self.keep} at least the finalists"
            )
        if not 0.0 < self.share < 1.0:
            raise RaceError(
                f"closest: share = {self.share:g} of the trainings left is what a round trains; "
                "give one in (0, 1)"
            )

    def step(self, standing: Standing) -> Step | None:
        """Return the next round; None once the finalists are left or the total is reached."""
        survivors, counts = standing.survivors, standing.counts
        if survivors <= self.finalists:
            return None
        if standing.instances == 0:
            return Step(1, min(self.keep, survivors))
        if standing.rounds == 0 and survivors > self.keep:
            return Step(counts, self.keep)
        cap = self.cap if standing.most is None else min(self.cap, standing.most)
        left = self.total - standing.spent
        _, _, order = gaps_to_leader(standing)
        order = order[counts[order] < cap]
        if left < 1 or len(order) == 0:
            return None
        batch = min(left, max(self.finalists, int(self.share * left)))
        chosen = order[:batch]
        upto = counts.copy()
        upto[chosen] = np.minimum(cap, counts[chosen] + batch // len(chosen))
        last = int((upto - counts).sum()) == left or bool((upto == cap).all())
        return Step(upto, self.finalists if last else survivors)
