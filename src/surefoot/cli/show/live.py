"""The live table of a race in a terminal, and the plain log of it elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from surefoot.cli.show.progress import PATIENCE, WAITING, Progress, Row
from surefoot.journal import Journal, Role
from surefoot.studies.duration import TimeLeft
from surefoot.studies.select.cost import count_trainings

if TYPE_CHECKING:
    from rich.console import Console, Group

    from surefoot.candidates.base import Candidate
    from surefoot.instances import Outcome
    from surefoot.racing.state import PlannedRound, Round
    from surefoot.studies.select.selection import Selection
    from surefoot.studies.select.study import SelectStudy

SHOWN_ROWS = 14
LOG_EVERY = 10.0


class LiveTable(Progress):
    """Shows the race as a table that renews itself; a context manager around the race."""

    console: Console

    def on(self, console: Console) -> Self:
        """Show the table on a console."""
        from rich.live import Live

        self.console = console
        self._live = Live(
            console=console, get_renderable=self.render, refresh_per_second=2, transient=False
        )
        return self

    def __enter__(self) -> Self:
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
        *widths, _ = (max(map(len, column)) for column in zip(*lines, strict=True))
        head, *body = (_line(cells, widths) for cells in lines)
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


def _line(cells: list[str], widths: list[int]) -> str:
    """Return a line of the live table: names to the left, numbers to the right."""
    first, *numbers, last = cells
    words = [first.ljust(widths[0])]
    words += [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
    return "  ".join([*words, last])


class PlainLog(Progress):
    """Writes the race line by line, for files and pipes; a context manager like `LiveTable`."""

    write: Callable[[str], None] = print
    _unsaid = False

    def on(self, console: Console) -> Self:
        """Write to a console."""
        self.write = lambda line: console.print(line, soft_wrap=True)
        return self

    def __enter__(self) -> Self:
        self._said = self.clock()
        self._timer = threading.Timer(PATIENCE, self._excuse)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()

    def _excuse(self) -> None:
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


def bar(done: int, total: int, width: int = 12) -> str:
    """Return a bar of characters.

    >>> bar(1, 2, 8)
    '━━━━────'
    """
    filled = width * done // total if total else width
    return "━" * filled + "─" * (width - filled)


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
    )
    progress.remember((m.candidate, m.loss) for m in journal.measures(Role.RACE))
    with progress.on(out):
        yield progress
