"""What a selection leaves: the winner, its certificate and the way there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.instances import Training
from surefoot.racing.state import RaceState
from surefoot.racing.table import LossTable
from surefoot.seeds.ledger import Role
from surefoot.statistics.certificate import Certificate
from surefoot.studies.base import SelectStudy
from surefoot.studies.replay import train_again
from surefoot.studies.select.rivals import Honesty, honesty


@dataclass(frozen=True, eq=False)
class Selection:
    """The result of `select`.

    ``table`` holds the racing losses, ``certificates`` those of the winner first, then of the best
    of other groups; ``journal`` is the path of the record, None when it was in memory only.
    """

    study: SelectStudy
    state: RaceState
    table: LossTable
    certificates: Mapping[str, Certificate]
    journal: Path | None

    @cached_property
    def winner(self) -> Candidate:
        """The candidate that won."""
        return self.candidate(self.state.ranking[0])

    @property
    def certificate(self) -> Certificate | None:
        """The winner's certificate; None if none was asked for."""
        return self.certificates.get(self.winner.key)

    @property
    def value(self) -> float:
        """The winner's criterion over its racing losses, which flatter it (winner's curse)."""
        return self.state.values[self.winner.key]

    def candidate(self, key: str) -> Candidate:
        """Return a candidate by its key."""
        return self.study.known[key]

    def losses(self, key: str) -> NDArray[np.float64]:
        """Return the racing losses of a candidate, in the order of its instances."""
        row = self.table.row(key)
        known: NDArray[np.float64] = row[~np.isnan(row)]
        return known

    def ranking(self) -> list[dict[str, Any]]:
        """Return one row per candidate, best first, as plain values for a table or data frame."""
        values, instances = self.state.values, self.state.instances()
        out = {e.key: e for e in self.state.eliminations}
        return [
            {
                "rank": rank,
                "key": key,
                "label": self.candidate(key).label,
                "instances": instances.get(key, 0),
                "value": values.get(key, float("nan")),
                "round": out[key].round if key in out else None,
                "reason": (
                    out[key].reason if key in out else self.state.stopped if rank > 1 else "winner"
                ),
            }
            for rank, key in enumerate(self.state.ranking, start=1)
        ]

    @cached_property
    def rivals(self) -> Honesty:
        """Who is as good as the winner, who may win next, who is steadier."""
        return honesty(self.table, self.state, self.study.statistic)

    def train(self, instance: int = 0) -> Training:
        """Train an instance of the winner again: its outcome and a predictor with its weights.

        It is the certifying instance of that number, or the racing one if none was certified.
        """
        role = Role.CERTIFY if self.certificates else Role.RACE
        return train_again(self.study, self.winner.key, role, instance)

    def __str__(self) -> str:
        lines = [
            f"winner: {self.winner.label} ({self.winner.key})",
            f"{self.study.statistic.name} {self.value:.4g} over "
            f"{self.state.instances()[self.winner.key]} racing instances; "
            f"{len(self.state.keys)} candidates, {self.table.count} instances trained",
        ]
        if self.certificate is not None:
            lines.append(str(self.certificate))
        if len(self.state.ranking) > 1:
            labels = {one.key: one.label for one in self.study.candidates}
            lines += self.rivals.lines(labels)
        return "\n".join(lines)
