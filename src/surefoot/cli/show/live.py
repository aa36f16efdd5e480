"""A running race: what is known of it, its live table in a terminal and its plain log elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from surefoot.cli.show.console import COMPILING, HEARTBEAT, LOG_EVERY, every
from surefoot.engines import compiling
from surefoot.instances import Outcome, Status
from surefoot.journal import Journal, Role
from surefoot.racing.criteria import Criterion
from surefoot.racing.state import PlannedRound, Round, ends_early, stretch_name, trainings_after
from surefoot.statistics.troubles import in_words
from surefoot.studies.duration import TimeLeft, duration_words
from surefoot.studies.printing import bar
from surefoot.studies.select.cost import count_trainings
from surefoot.studies.watch import Failures, Watcher

if TYPE_CHECKING:
    from rich.console import Console, Group

    from surefoot.candidates.base import Candidate
    from surefoot.studies.select.selection import Selection
    from surefoot.studies.select.study import SelectStudy

PATIENCE = 3.0
SHOWN_ROWS = 14
WAITING = "waiting for the first instance; where an engine was never used it is compiled first"


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

    ``plan`` holds the rounds as far as they are known before training; ``certifying_instances``
    are those of all certificates; ``time_left`` learns from the outcomes; ``clock`` is monotonic,
    in seconds; ``losses`` are the racing losses by candidate.
    """

    candidates: Sequence[Candidate]
    criterion: Criterion
    plan: Sequence[PlannedRound]
    certifying_instances: int
    time_left: TimeLeft
    console: Console | None = None
    clock: Callable[[], float] = time.monotonic
    rows: list[Row] = field(default_factory=list)
    trained: int = 0
    recorded: int = 0
    diverged: int = 0
    failed: int = 0
    losses: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._labels = {one.key: one.label for one in self.candidates}
        self._alive: Sequence[str] = [*self._labels]
        self._current: PlannedRound | None = None
        self._certifying = 0
        self._failures = Failures(self.candidates, self.write)

    def write(self, line: str) -> None:
        """Write a line, however long."""
        if self.console is not None:
            self.console.print(line, soft_wrap=True)

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
        self.diverged += outcome.status is Status.DIVERGED
        self.failed += outcome.status is Status.FAILED
        self._failures.outcome(outcome)
        self.time_left.record(outcome)
        if not self.rows:
            return
        row = self.rows[-1]
        row.done += 1
        if row.earlier or outcome.role is not Role.RACE or outcome.candidate not in self._labels:
            return
        if outcome.status is Status.PAUSED:
            return
        losses = self.losses.setdefault(outcome.candidate, [])
        losses.append(outcome.loss)
        if len(losses) >= self.criterion.needs:
            value = float(self.criterion.values(np.array([losses]))[0])
            if row.best is None or value < row.best:
                row.best, row.label = value, self._labels[outcome.candidate]

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
        number = f" {self._certifying}" if self._certifying > 1 else ""
        row = self._row(f"certificate{number}", 1)
        row.total, row.label = left, candidate.label
        self._alive = [candidate.key]

    def finished(self, selection: Selection) -> None:
        """Close the last row."""
        for row in self.rows[-1:]:
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
        return now + trainings_after(self.plan, self._current) + self.certifying_instances

    def status(self) -> str:
        """Return how much is trained and how long the rest takes, in one line."""
        if not self.trained and self.rows and self.clock() - self.rows[0].began > PATIENCE:
            return WAITING if compiling.began() is None else COMPILING
        parts = [f"{self.trained + self.recorded:,} instances trained"]
        if self.recorded:
            parts[0] += f" ({self.recorded:,} before)"
        if self.diverged + self.failed:
            parts.append(in_words(self.diverged, self.failed))
        left = self.left
        if left:
            seconds = self.time_left.seconds(left, self._alive)
            rest = "" if seconds is None else f", {duration_words(seconds)}"
            bound = "at most" if ends_early(self.plan) else "about"
            parts.append(f"{bound} {left:,} left{rest}")
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


class LiveTable(Progress):
    """Shows the race as a table that renews itself; a context manager around the race."""

    def __enter__(self) -> Self:
        from rich.live import Live

        self._live = Live(console=self.console, get_renderable=self.render, refresh_per_second=2)
        self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def render(self) -> Group:
        """Return the table and the line below it.

        It is laid out here: a `rich.table.Table` of a long race takes ten times as long, twice a
        second, from the cores that train.
        """
        from rich.console import Group
        from rich.text import Text

        hidden = max(0, len(self.rows) - SHOWN_ROWS)
        heads = ["round", "candidates", "trained", "", f"best {self.criterion.name}", "stay"]
        lines = [[*heads, "time", "best candidate"]]
        lines += [self._cells(row) for row in list(self.rows)[hidden:]]
        first, *widths, _ = (max(map(len, column)) for column in zip(*lines, strict=True))
        layout = "  ".join([f"{{:<{first}}}", *(f"{{:>{width}}}" for width in widths), "{}"])
        head, *body = (layout.format(*cells) for cells in lines)
        table = Text(no_wrap=True, overflow="ellipsis")
        table.append(head, style="dim")
        if hidden:
            table.append(f"\n… {hidden} earlier", style="dim")
        table.append("".join(f"\n{line}" for line in body))
        return Group(table, Text(self.status(), style="bold"))

    def _cells(self, row: Row) -> list[str]:
        over = row.done >= row.total
        return [
            row.name,
            f"{row.candidates:,}",
            f"{row.done:,}/{row.total:,}",
            "" if over else bar(row.done, row.total),
            "" if row.best is None else f"{row.best:.4g}",
            "" if row.stay is None else f"{row.stay:,}",
            clock_words(row.seconds or self.clock() - row.began),
            row.label,
        ]


class PlainLog(Progress):
    """Writes the race line by line, for files and pipes; a context manager like `LiveTable`."""

    _unsaid = False

    def __enter__(self) -> Self:
        self._said = self.clock()
        self._timer = threading.Timer(PATIENCE, self._excuse)
        self._timer.daemon = True
        self._timer.start()
        self._beating = every(HEARTBEAT, self._beat)
        self._beating.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._beating.__exit__(None, None, None)
        self._timer.cancel()

    def _beat(self) -> None:
        if self.clock() - self._said >= HEARTBEAT:
            self._said = self.clock()
            self.write(f"  {self.status()}")

    def _excuse(self) -> None:
        if compiling.began() is not None:
            return  # the command says so
        if self.rows and not self.trained and self.rows[-1].done < self.rows[-1].total:
            self.write(f"  {WAITING}")

    def started(self, candidates: int, recorded: int) -> None:
        """Say what the journal holds already."""
        super().started(candidates, recorded)
        if recorded:
            self.write(f"resumed: {recorded:,} outcomes are in the journal already")

    def round_started(self, planned: PlannedRound, left: int) -> None:
        """Say what a round trains, the first of a stretch alone."""
        before = len(self.rows)
        super().round_started(planned, left)
        row = self.rows[-1]
        if len(self.rows) > before:
            self.write(f"{row.name}: {row.candidates:,} candidates, {left:,} instances to train")

    def outcome(self, outcome: Outcome) -> None:
        """Say how far the race is, every ten seconds."""
        super().outcome(outcome)
        if self.clock() - self._said >= LOG_EVERY:
            self._said = self.clock()
            self.write(f"  {self.status()}")

    def round_finished(self, finished: Round) -> None:
        """Say who is best and how many stay, once somebody leaves."""
        super().round_finished(finished)
        self._unsaid = True
        if not finished.all_stay:
            self._say_rounds()

    def _say_rounds(self) -> None:
        if not self._unsaid:
            return
        self._unsaid = False
        row = self.rows[-1]
        self.write(
            f"{row.name}: best {self.criterion.name} {row.best:.4g} ({row.label}); "
            f"{row.stay:,} of {row.candidates:,} stay"
        )

    def certifying(self, candidate: Candidate, left: int) -> None:
        """Say who is certified."""
        self._say_rounds()
        super().certifying(candidate, left)
        self.write(f"certificate: {left:,} fresh instances of {candidate.label}")

    def finished(self, selection: Selection) -> None:
        """Say how a race ended that nobody left."""
        self._say_rounds()
        super().finished(selection)


def clock_words(seconds: float) -> str:
    """Return a duration as minutes and seconds, with hours when there are any.

    >>> clock_words(75), clock_words(7322)
    ('1:15', '2:02:02')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def live(
    out: Console, study: SelectStudy, journal: Journal, workers: int
) -> Iterator[LiveTable | PlainLog]:
    """Show a race as it goes on, as a table in a terminal and as a log elsewhere."""
    planned = count_trainings(study, 1.0)
    progress = (LiveTable if out.is_terminal else PlainLog)(
        candidates=study.candidates,
        criterion=study.race.criterion,
        plan=planned.rounds,
        certifying_instances=planned.certifying,
        time_left=TimeLeft(study.candidates, study.setting, workers),
        console=out,
    )
    for measure in journal.measures(Role.RACE):
        progress.losses.setdefault(measure.candidate, []).append(measure.loss)
    with progress:
        yield progress
