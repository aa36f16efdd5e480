"""Elimination by rank: the best so far stay."""

from __future__ import annotations

from dataclasses import dataclass

from surefoot.racing.rules.base import (
    EliminationRule,
    Evidence,
    Verdict,
    ends_with_infinity,
    instances,
)


@dataclass(frozen=True)
class ByRank(EliminationRule):
    """All but the best ``keep`` by the criterion so far (predicted, where some have more instances
    than others).

    The paper's rule; ties break by key. The paper has no candidates with different numbers of
    instances: those are compared by the predicted criterion (see `Evidence`).
    """

    name = "rank"
    place = 0
    fixed = True

    def judge(self, evidence: Evidence) -> Verdict:
        """Remove all ranked behind the schedule's number."""
        rank = evidence.order.argsort() + 1

        def reason(row: int) -> str:
            return (
                f"{evidence.criterion.name} {evidence.values[row]:.4g} over "
                f"{instances(int(evidence.counts[row]))} ranks {rank[row]} of {len(evidence)}"
                f"{' as predicted' if evidence.uneven else ''}; the best {evidence.keep} stay"
                f"{ends_with_infinity(evidence.values[row])}"
            )

        return Verdict(rank > evidence.keep, reason)
