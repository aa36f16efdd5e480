"""Elimination by the maximum: who has one loss above the incumbent's completed maximum is out."""

from __future__ import annotations

from dataclasses import dataclass

from surefoot.racing.criteria import Criterion, Max, Quantile
from surefoot.racing.parts import number, whole
from surefoot.racing.rules.base import EliminationRule, Evidence, Verdict, instances, nobody


@dataclass(frozen=True)
class ByMax(EliminationRule):
    """Removes whoever has a loss above the smallest maximum over ``complete`` instances."""

    complete: int = number(whole(), 32)
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
