"""Elimination by rank: the best stay, by the criterion so far or as predicted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from surefoot.racing.parts import number, trainings
from surefoot.racing.prediction import SIZE, predict
from surefoot.racing.rules.base import EliminationRule, Evidence, Verdict, instances, nobody
from surefoot.racing.table import Integers


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
        predicted = " as predicted" if evidence.uneven else ""
        return _best(evidence, evidence.order, lambda row: _measured(evidence, row), predicted)


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

    size: int = number(trainings(2), SIZE)
    name = "prediction"
    place = 1
    fixed = True

    def judge(self, evidence: Evidence) -> Verdict:
        """Remove all ranked behind the schedule's number."""
        if evidence.keep >= len(evidence):
            return nobody(evidence)
        name = evidence.criterion.name
        values = predict(evidence.criterion, evidence.losses, evidence.counts, self.size)

        def words(row: int) -> str:
            measured = _measured(evidence, row)
            if np.isinf(values[row]) or values[row] == evidence.values[row]:
                return measured
            return f"predicted {name} {values[row]:.4g} over {self.size} ({measured})"

        return _best(evidence, np.lexsort((evidence.so_far.argsort(), values)), words)


def _best(
    evidence: Evidence, order: Integers, words: Callable[[int], str], how: str = ""
) -> Verdict:
    """Return the verdict that the first in an order stay, as many as the schedule wants."""
    rank, keep = order.argsort() + 1, evidence.keep

    def reason(row: int) -> str:
        infinite = np.isinf(evidence.values[row])
        broken = " (inf: an instance diverged or failed)" if infinite else ""
        ranks = f"ranks {rank[row]} of {len(evidence)}{how}"
        return f"{words(row)} {ranks}; the best {keep} stay{broken}"

    return Verdict(rank > keep, reason, order)


def _measured(evidence: Evidence, row: int) -> str:
    count = instances(int(evidence.counts[row]))
    return f"{evidence.criterion.name} {evidence.values[row]:.4g} over {count}"
