"""The exact race for the maximum: out as soon as one instance exceeds the incumbent's maximum.

A maximum only grows. Once one candidate has all its ``complete`` instances, any other with a
single loss above that maximum cannot win any more, whatever its further instances are. The winner
is the same as if every candidate had trained ``complete`` instances, for a fraction of the price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.racing.criteria import Criterion, Max, Quantile
from surefoot.racing.parts import key, number, trainings
from surefoot.racing.rules.base import EliminationRule, Evidence, Verdict, instances, nobody
from surefoot.racing.schedules.base import Schedule, Standing, Step


@dataclass(frozen=True)
class ByMax(EliminationRule):
    """Removes whoever has a loss above the smallest maximum over ``complete`` instances."""

    complete: int = number(trainings(), 32)
    name = "exact_max"
    judges = "max"

    @property
    def max_instances(self) -> int:
        """``complete``: of those who have as many, one stays."""
        return self.complete

    def refusal(self, criterion: Criterion, candidates: int) -> str | None:
        """Refuse every criterion but the maximum."""
        if criterion in (Max(), Quantile(1.0)):
            return None
        return (
            f"schedule '{self.name}' is of the criterion 'max' alone, not of '{criterion.name}'; "
            "take criterion = 'max', or another schedule and rule"
        )

    def needs(self, criterion: Criterion, candidates: int) -> int:
        """``complete``."""
        return self.complete

    def judge(self, evidence: Evidence) -> Verdict:
        """Remove all above the incumbent's completed maximum, and the other complete ones."""
        full = evidence.counts >= self.complete
        if not full.any():
            return nobody(evidence)
        incumbent = int(evidence.so_far[full[evidence.so_far]][0])
        bar = evidence.values[incumbent]
        leave = full | (evidence.values > bar)
        leave[incumbent] = False

        def reason(row: int) -> str:
            count = instances(int(evidence.counts[row]))
            return (
                f"largest loss {evidence.values[row]:.4g} over {count}; the incumbent's over all "
                f"{self.complete} is {bar:.4g}, which no further instance can undercut"
            )

        return Verdict(leave, reason)


@dataclass(frozen=True)
class ExactMax(Schedule):
    """Criterion ``max`` alone: the best so far gets all its ``complete`` instances, the others 1,
    2, 4, …

    In every round the best of those not yet complete is completed, which lowers the bar as fast as
    it goes; all others double their instances. Its rule is `ByMax` of the same ``complete``.
    """

    complete: int = key(trainings(), "All instances of a candidate.", 32)
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
