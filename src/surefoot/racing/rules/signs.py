"""Elimination by signs: who loses to the incumbent more often than not, at any look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.racing.criteria import Criterion
from surefoot.racing.parts import LEVEL, key
from surefoot.racing.rules.base import EliminationRule, Evidence, Verdict
from surefoot.racing.rules.test import not_typical
from surefoot.statistics import anytime, comparison


@dataclass(frozen=True)
class BySigns(EliminationRule):
    """Who loses to the best so far in more than half of the instances, by an e-value that holds at
    any time.

    The e-value of the paired comparisons (ties left out) against "it loses at most half of them"
    must reach ``(survivors - 1) / level``. Valid at every look without correction for their number
    (Ville's inequality), and without any assumption about the losses.
    """

    level: float = key(LEVEL, "Risk that the best candidate leaves.", 0.05)
    name = "signs"
    place = 3
    judges = "mean, median"

    def refusal(self, criterion: Criterion, candidates: int) -> str | None:
        """Refuse every criterion but mean and median."""
        return not_typical(self.name, criterion)

    def needs(self, criterion: Criterion, candidates: int) -> int:
        """As many as must be lost, every one, for enough evidence."""
        lost = np.arange(1.0, 1000.0)
        strength = anytime.log_evidence_of_losing(lost, lost)
        return int(lost[strength >= np.log(max(1, candidates - 1) / self.level)][0])

    def judge(self, evidence: Evidence) -> Verdict:
        """Remove whom the evidence is strong enough against."""
        losses = evidence.common()
        best = int(evidence.order[0])
        gaps = comparison.differences(losses, losses[best])
        lost = np.asarray((gaps > 0.0).sum(axis=1))
        compared = np.asarray((gaps != 0.0).sum(axis=1))
        strength = anytime.log_evidence_of_losing(lost, compared)
        entrants = len(evidence)
        needed = np.log(max(1, entrants - 1) / self.level)
        leave = (strength >= needed) & (evidence.values > evidence.values[best])
        leave[best] = False

        def reason(row: int) -> str:
            return (
                f"loses to the incumbent in {lost[row]} of {compared[row]} instances: e-value "
                f"{np.exp(strength[row]):.3g} >= {np.exp(needed):.3g} = {entrants - 1} candidates "
                f"/ level {self.level:g}"
            )

        return Verdict(leave, reason)
