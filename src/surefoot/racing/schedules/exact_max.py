"""The exact race for the maximum: out as soon as one instance exceeds the incumbent's maximum.

A maximum only grows. Once one candidate has all its ``complete`` instances, any other with a
single loss above that maximum cannot win any more, whatever its further instances are. The winner
is the same as if every candidate had trained ``complete`` instances, for a fraction of the price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.racing.parts import key, whole
from surefoot.racing.rules.max import ByMax
from surefoot.racing.schedules.base import Schedule, Standing, Step


@dataclass(frozen=True)
class ExactMax(Schedule):
    """Criterion ``max`` alone: the best so far gets all its ``complete`` instances, the others 1,
    2, 4, …

    In every round the best of those not yet complete is completed, which lowers the bar as fast as
    it goes; all others double their instances. Its rule is `ByMax` of the same ``complete``.
    """

    complete: int = key(whole(), "All instances of a candidate.", 32)
    name = "exact_max"
    place = 4
    own_rule = ByMax

    @property
    def usual_rule(self) -> ByMax:
        """The rule of the same ``complete``."""
        return ByMax(self.complete)

    @property
    def words(self) -> str:
        """Who is out when."""
        return f"out as soon as one loss exceeds the best maximum of {self.complete}"

    def step(self, standing: Standing) -> Step | None:
        """Return the next round; None once one candidate is left."""
        survivors, counts = standing.survivors, standing.counts
        if survivors == 1:
            return None
        full = counts >= self.complete
        if full.all():
            return Step(counts, 1)
        if standing.instances == 0:
            return Step(1, survivors)
        order = np.arange(survivors) if standing.order is None else standing.order
        upto = np.minimum(2 * counts, self.complete) if full.any() else counts.copy()
        upto[order[~full[order]][0]] = self.complete
        return Step(upto, survivors)
