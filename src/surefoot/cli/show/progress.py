"""What a running race looks like: rounds, survivors, instances trained, best value, time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from surefoot.instances import Outcome, Status
from surefoot.racing.criteria import Criterion
from surefoot.racing.state import PlannedRound, Round, stretch_name
from surefoot.seeds.ledger import Role
from surefoot.studies.duration import TimeLeft, duration_words
from surefoot.studies.watch import Watcher

if TYPE_CHECKING:
    from surefoot.candidates.base import Candidate
    from surefoot.studies.select.selection import Selection

Clock = Callable[[], float]
PATIENCE = 3.0
WAITING = "waiting for the first instance; used for the first time, an engine compiles for a minute"


@dataclass
class Row:
    """A stretch of rounds as shown: ``done`` of ``total`` instances, the best value, who stays.

    They are the rounds from ``first`` (0 unless rounds of the race) to ``number``; ``earlier``
    instances are of those before the last.
    """

    name: str
    candidates: int
    total: int
    first: int = 0
    number: int = 0
    earlier: int = 0
    done: int = 0
    best: float | None = None
    label: str = ""
    stay: int | None = None
    began: float = 0.0
    seconds: float = 0.0


@dataclass
class Progress(Watcher):
    """Follows a race; `LiveTable` and `PlainLog` show it.

    Parameters
    ----------
    candidates
        Those of the race.
    criterion
        What they are compared by.
    plan
        The rounds as far as they are known before training.
    certifying_instances
        Fresh instances the certificates will take, of all candidates certified.
    time_left
        Estimates seconds; it learns from the outcomes.
    clock
        Seconds, monotonic.
    """

    candidates: Sequence[Candidate]
    criterion: Criterion
    plan: Sequence[PlannedRound]
    certifying_instances: int
    time_left: TimeLeft
    clock: Clock = time.monotonic
    rows: list[Row] = field(default_factory=list)
    trained: int = 0
    recorded: int = 0
    troubles: int = 0

    def __post_init__(self) -> None:
        self._labels = {c.key: c.label for c in self.candidates}
        self._losses: dict[str, list[float]] = {}
        self._alive: Sequence[str] = [c.key for c in self.candidates]
        self._current: PlannedRound | None = None
        self._certifying = 0

    def remember(self, outcomes: Iterable[tuple[str, float]]) -> None:
        """Take note of racing losses of the journal, as (candidate key, loss)."""
        for key, loss in outcomes:
            self._losses.setdefault(key, []).append(loss)

    def started(self, candidates: int, recorded: int) -> None:
        """Take note of the outcomes that the journal holds already."""
        self.recorded = recorded

    def round_started(self, planned: PlannedRound, left: int) -> None:
        """Open a round's row, or go on with that of the rounds before in which all stayed."""
        row = self._round(planned, planned.survivors)
        row.total = max(row.done + left, row.earlier + planned.trainings)
        row.done = row.total - left
        self._current = planned

    def outcome(self, outcome: Outcome) -> None:
        """Count an outcome and update the best value of the round."""
        self.trained += 1
        self.troubles += outcome.status is not Status.FINISHED
        self.time_left.record(outcome)
        if not self.rows:
            return
        row = self.rows[-1]
        row.done += 1
        if row.earlier or outcome.role is not Role.RACE or outcome.candidate not in self._labels:
            return
        losses = self._losses.setdefault(outcome.candidate, [])
        losses.append(outcome.loss)
        if len(losses) >= self.criterion.needs:
            self._improve(row, outcome.candidate, self._value(losses))

    def round_finished(self, finished: Round) -> None:
        """Close a round's row with its best value and survivors."""
        row = self._round(finished, len(finished.keys))
        row.total = row.done = max(row.total, row.earlier + finished.trainings)
        row.best, row.label = float(finished.values[0]), self._labels.get(finished.keys[0], "")
        row.stay = len(finished.survivors)
        row.seconds = self.clock() - row.began
        self._alive = finished.survivors

    def certifying(self, candidate: Candidate, left: int) -> None:
        """Open the certificate's row."""
        self._certifying += 1
        row = self._row(
            "certificate" if self._certifying == 1 else f"certificate {self._certifying}", 1
        )
        row.total, row.label = left, candidate.label
        self._alive = [candidate.key]

    def finished(self, selection: Selection) -> None:
        """Close the last row."""
        if self.rows:
            row = self.rows[-1]
            row.done = row.total
            row.seconds = row.seconds or self.clock() - row.began

    @property
    def left(self) -> int:
        """Instances still to be trained, as far as can be foreseen."""
        if not self.rows:
            return sum(one.trainings for one in self.plan) + self.certifying_instances
        row = self.rows[-1]
        now = row.total - row.done
        if self._certifying:
            begun = [one for one in self.rows if one.name.startswith("certificate")]
            return max(now, self.certifying_instances - sum(one.done for one in begun))
        if self._current is None:
            return now
        later = [one for one in self.plan if one.number > self._current.number]
        alike = [one for one in self.plan if one.number == self._current.number]
        share = row.candidates / alike[0].survivors if alike else 1.0
        return now + round(share * sum(one.trainings for one in later)) + self.certifying_instances

    @property
    def open_ended(self) -> bool:
        """Whether a rule ends the race when it will, so that `left` is the most it can take."""
        return any(one.name == "race" and one.keep is None for one in self.plan)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the end, None before anything was measured."""
        return self.time_left.seconds(self.left, self._alive)

    def status(self) -> str:
        """Return how much is trained and how long the rest takes, in one line."""
        if not self.trained and self.rows and self.clock() - self.rows[0].began > PATIENCE:
            return WAITING
        parts = [f"{self.trained + self.recorded:,} instances trained"]
        if self.recorded:
            parts[0] += f" ({self.recorded:,} before)"
        if self.troubles:
            parts.append(f"{self.troubles:,} diverged or failed")
        left = self.left
        if left:
            seconds = self.seconds_left
            rest = "" if seconds is None else f", {duration_words(seconds)}"
            parts.append(f"{'at most' if self.open_ended else 'about'} {left:,} left{rest}")
        return " · ".join(parts)

    def _round(self, one: PlannedRound | Round, candidates: int) -> Row:
        """Return the row of a round."""
        row = self.rows[-1] if self.rows else None
        goes_on = row is not None and row.first > 0 and row.stay == row.candidates
        if row is None or (row.number != one.number and not goes_on):
            row = self._row(stretch_name(one.name, one.number, one.number), candidates)
            row.first = one.number if one.name == "race" else 0
        elif row.number != one.number:
            row.name = stretch_name(one.name, row.first, one.number)
            row.earlier, row.stay, row.seconds = row.done, None, 0.0
        row.number = one.number
        return row

    def _row(self, name: str, candidates: int) -> Row:
        self.rows.append(Row(name, candidates, 0, began=self.clock()))
        return self.rows[-1]

    def _value(self, losses: list[float]) -> float:
        return float(self.criterion.values(np.array([losses]))[0])

    def _improve(self, row: Row, key: str, value: float) -> None:
        if row.best is None or value < row.best:
            row.best, row.label = value, self._labels[key]
