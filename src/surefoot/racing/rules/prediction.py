"""Elimination by prediction: the best by what their criterion will be stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.racing.parts import number, whole
from surefoot.racing.prediction.mixed_model import SIZE, predict
from surefoot.racing.rules.base import (
    EliminationRule,
    Evidence,
    Verdict,
    ends_with_infinity,
    instances,
    nobody,
)


@dataclass(frozen=True)
class ByPrediction(EliminationRule):
    """All but the best ``keep`` by the criterion as it will be after 64 instances: those trained,
    and the rest predicted from the losses of all candidates. The rule of ``default`` and
    ``top_two``.

    The paper's rule with a steadier estimate of the same quantity: the criterion after ``size``
    instances; ties break by the criterion so far. Candidates with that many are compared by what
    was measured. After one instance each, and for candidates of which an instance diverged under a
    criterion that this makes infinite, it is the rank by criterion.
    """

    size: int = number(whole(2), SIZE)
    name = "prediction"
    place = 1
    fixed = True

    def judge(self, evidence: Evidence) -> Verdict:
        """Remove all ranked behind the schedule's number."""
        size, keep, criterion = len(evidence), evidence.keep, evidence.criterion
        if keep >= size:
            return nobody(evidence)
        values = predict(criterion, evidence.losses, evidence.counts, self.size)
        order = np.lexsort((evidence.so_far.argsort(), values))
        rank = order.argsort() + 1

        def reason(row: int) -> str:
            count, name = instances(int(evidence.counts[row])), criterion.name
            words = f"{name} {evidence.values[row]:.4g} over {count}"
            if np.isfinite(values[row]) and values[row] != evidence.values[row]:
                words = f"predicted {name} {values[row]:.4g} over {self.size} ({words})"
            return (
                f"{words} ranks {rank[row]} of {size}; the best {keep} stay"
                f"{ends_with_infinity(evidence.values[row])}"
            )

        return Verdict(rank > keep, reason, order)
