"""Where the command line writes: paragraphs after a name, tables, and what it says meanwhile."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from surefoot.engines import compiling
from surefoot.escaping import visible
from surefoot.studies.duration import duration_words
from surefoot.studies.text import Line, titled, wrapped

FILE_WIDTH = 200
LOG_EVERY = 10.0
HEARTBEAT = 30.0
"""Seconds after which a file or a pipe is told how far something is, whatever happens."""
"""Seconds between two lines on something long, outside a terminal."""


class _Console(Console):
    """A console on which text drives nothing, whatever it holds."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield what is shown, every text `visible`."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


@dataclass(frozen=True)
class Manner:
    """How commands speak: ``quiet`` ones say nothing, with ``json`` nothing but the result."""

    quiet: bool = False
    json: bool = False


_USUAL = Manner()
_manner: ContextVar[Manner] = ContextVar("manner", default=_USUAL)


def manner() -> Manner:
    """Return how the command is to speak."""
    return _manner.get()


@contextmanager
def speaking(chosen: Manner) -> Iterator[None]:
    """Let consoles made meanwhile speak in a manner."""
    before = _manner.set(chosen)
    try:
        yield
    finally:
        _manner.reset(before)


def say_json(value: Any) -> None:
    """Print plain values as JSON, in which nothing unseen stands raw."""
    print(json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False))


def console() -> Console:
    """Return a console on stdout that prints text as it is; in a file, lines may be long."""
    silent = manner().quiet or manner().json
    made = _Console(highlight=False, markup=False, emoji=False, quiet=silent)
    if not made.is_terminal:
        made.width = FILE_WIDTH
    return made


@contextmanager
def every(seconds: float, tell: Callable[[], None]) -> Iterator[None]:
    """Call a function every so many seconds, from another thread, while something is done."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(seconds):
            tell()

    thread = threading.Thread(target=beat, name="surefoot progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


COMPILING = "compiling the engine, once on this machine: a few seconds on an idle core"


_told: set[float] = set()
"""When the compilations began that were told of."""


@contextmanager
def telling_of_compilation(out: Console, patience: float = 2.0) -> Iterator[None]:
    """Say in one line if an engine is compiled for longer than ``patience`` seconds meanwhile."""

    def tell() -> None:
        began = compiling.began()
        if began is None or began in _told or time.monotonic() - began < patience:
            return
        _told.add(began)
        out.print(f"  {COMPILING}", soft_wrap=True)

    with every(0.5, tell):
        yield


@contextmanager
def busy(out: Console, what: str) -> Iterator[None]:
    """Show a spinner in a terminal while something is done; elsewhere a line every half minute."""
    if not out.is_terminal:
        began = time.monotonic()

        def tell() -> None:
            took = duration_words(time.monotonic() - began)
            out.print(f"{what}: {took} so far", soft_wrap=True)

        with every(HEARTBEAT, tell), telling_of_compilation(out):
            yield
        return
    with out.status(Text(what)), telling_of_compilation(out):
        yield


class Speed(ProgressColumn):
    """How many of a unit are done in a second."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """Return the speed, nothing before it is known."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} {self._unit}/s")


def _columns(unit: str = "") -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        Speed(unit) if unit else TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )


@contextmanager
def bar(
    out: Console, what: str, total: int, done: int = 0, *, unit: str = ""
) -> Iterator[Callable[[int], None]]:
    """Show a bar in a terminal; yield a function that says how many more are done.

    With a ``unit`` the bar shows how many of it are done in a second, else the time that passed.
    """
    if not out.is_terminal:
        yield lambda number: None
        return
    with Progress(*_columns(unit), console=out, refresh_per_second=4) as progress:
        task = progress.add_task(what, total=total, completed=done)
        yield lambda number: progress.advance(task, number)


@contextmanager
def counter(out: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar in a terminal; yield a function that says how many of how many are done.

    Elsewhere a line says so every ten seconds.
    """
    said = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said >= LOG_EVERY and done < total:
            said = time.monotonic()
            out.print(f"{what}: {done:,} of {total:,}", soft_wrap=True)

    if not out.is_terminal:
        yield tell
        return
    with Progress(*_columns(), console=out, refresh_per_second=4) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def table(*columns: str, right: Iterable[str] = ()) -> Table:
    """Return an empty table without lines; the columns of numbers stand to the right."""
    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return made


def say_lines(out: Console, lines: Iterable[Line]) -> None:
    """Print lines, however long."""
    for line in lines:
        out.print(line.text, style="bold" if line.bold else "", soft_wrap=True)


def say_sentences(
    out: Console, title: str, sentences: Iterable[str], *, bold: bool = False
) -> None:
    """Print an empty line and sentences after a title, wrapped; the first of them may be bold."""
    out.print()
    say_lines(out, wrapped(title, sentences, bold=bold))


def say_paths(out: Console, paths: Mapping[str, str]) -> None:
    """Print names and paths, one a line."""
    out.print()
    say_lines(out, (titled(name, path) for name, path in paths.items()))
