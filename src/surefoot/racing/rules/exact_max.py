"""The exact race for the maximum: out as soon as one instance exceeds the incumbent's maximum.

A maximum only grows. Once one candidate has all its ``complete`` instances, any other with a
single loss above that maximum cannot win any more, whatever its further instances are. The winner
is the same as if every candidate had trained ``complete`` instances, for a fraction of the price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.errors import ConfigurationError
from surefoot.racing.criteria import Criterion, Max, Quantile
from surefoot.racing.rules.base import Contest, EliminationRule, Verdict, instances
from surefoot.racing.schedules.base import Schedule, Standing, Step


@dataclass(frozen=True)
class ExactMax(Schedule):
    """One instance each, then ``complete`` of the best so far, then the others a few at a time.

    To be used with `ByMax` of the same ``complete``: in every round the best of those not yet
    complete is completed, which lowers the bar as fast as it goes; all others double their
    instances (1, 2, 4, ...).
    """

    complete: int = 32

    def __post_init__(self) -> None:
        _check_complete(self.complete)

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


@dataclass(frozen=True)
class ByMax(EliminationRule):
    """Removes whoever has a loss above the smallest maximum over ``complete`` instances."""

    complete: int = 32
    name = "exact_max"

    def __post_init__(self) -> None:
        _check_complete(self.complete)

    @property
    def most(self) -> int:
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

    def judge(self, contest: Contest) -> Verdict:
        """Remove all above the incumbent's completed maximum, and the other complete ones."""
        full = contest.counts >= self.complete
        leave = np.zeros(len(contest), np.bool_)
        if not full.any():
            return Verdict(leave, lambda row: "")
        incumbent = int(contest.so_far[full[contest.so_far]][0])
        bar = contest.values[incumbent]
        leave = contest.values > bar
        leave[full] = True
        leave[incumbent] = False

        def reason(row: int) -> str:
            count = instances(int(contest.counts[row]))
            return (
                f"largest loss {contest.values[row]:.4g} over {count}; the incumbent's over all "
                f"{self.complete} is {bar:.4g}, which no further instance can undercut"
            )

        return Verdict(leave, reason)


def _check_complete(complete: int) -> None:
    if complete < 1:
        raise ConfigurationError(f"exact maximum: complete = {complete} instances; give 1 or more")
