"""A ready printer of progress: a line that renews itself, or one every half minute in a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import TextIO

from surefoot.candidates.base import Candidate
from surefoot.escaping import visible
from surefoot.instances import Outcome, Status
from surefoot.racing.state import PlannedRound
from surefoot.studies.duration import duration_words
from surefoot.studies.watch import Failures, Watcher

WIDTH = 20
"""Characters of a bar."""
RENEWED = 0.25
"""Seconds between two states of a line that renews itself."""


class ProgressPrinter(Watcher):
    """Prints how far a study is; give it as ``watch=``.

    In a terminal and in a notebook it is one line with a bar that renews itself, elsewhere one line
    ``every`` so many seconds.

    Parameters
    ----------
    every
        Seconds between two lines in a file or a pipe.
    stream
        Where to write; None for stdout.

    Examples
    --------
    >>> import io, surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> photons, log = surefoot.load_population("photons:A", target="energy"), io.StringIO()
    >>> printer = surefoot.ProgressPrinter(every=0, stream=log)
    >>> found = surefoot.assess(ScaledSum(), photons, sample_size=500, n=3, watch=printer)
    >>> print(log.getvalue().splitlines()[-1])
    certificate of scaled sum: 3 of 3 instances
    """

    def __init__(
        self,
        every: float = 30.0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream, self._every, self._clock = stream, every, clock
        self._what, self._width = "", 0
        self._done = self._total = self._lost = 0
        self._began = self._said = clock()

    def round_started(self, planned: PlannedRound, left: int) -> None:
        """Take note of the round."""
        name = planned.name if planned.name == "screen" else f"round {planned.number}"
        self._what = f"{name}, {planned.survivors:,} candidates: "

    def certifying(self, candidate: Candidate, left: int) -> None:
        """Take note of the certificate."""
        self._what = f"certificate of {candidate.label}: "

    def training(self, left: int) -> None:
        """Begin to count."""
        self._done, self._total, self._began = 0, left, self._clock()
        self._say(over=False)

    def outcome(self, outcome: Outcome) -> None:
        """Count an outcome, and say so if it is time."""
        self._done += 1
        self._lost += outcome.status is not Status.FINISHED
        over = self._done == self._total
        if over or self._clock() - self._said >= (RENEWED if self._renews() else self._every):
            self._say(over)

    def line(self) -> str:
        """Return how far it is."""
        parts = [f"{self._what}{self._done:,} of {self._total:,} instances"]
        if self._lost:
            parts.append(f"{self._lost:,} diverged or failed")
        left = self._total - self._done
        if self._done and left:
            seconds = left * (self._clock() - self._began) / self._done
            parts.append(f"about {duration_words(seconds)} left")
        return visible(", ".join(parts))

    def _renews(self) -> bool:
        return in_notebook() or (self._stream or sys.stdout).isatty()

    def _say(self, over: bool) -> None:
        stream, self._said = self._stream or sys.stdout, self._clock()
        line = self.line()
        if self._renews():
            line = f"{bar(self._done, self._total, WIDTH)} {line}"
            padded, self._width = line.ljust(self._width), len(line)
            stream.write(f"\r{padded}" + "\n" * over)
            self._width *= not over
        else:
            stream.write(f"{line}\n")
        stream.flush()


class NotebookProgress(ProgressPrinter):
    """What a notebook shows of a study unless told otherwise: its progress, and first failures."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        super().__init__()
        self._failures = Failures(candidates)

    def outcome(self, outcome: Outcome) -> None:
        """Count an outcome, and log why it failed if it did."""
        self._failures.outcome(outcome)
        super().outcome(outcome)


def in_notebook() -> bool:
    """Say whether this runs in a notebook's kernel; a terminal's IPython is none."""
    if "ipykernel" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return hasattr(shell, "kernel")


def bar(done: int, total: int, width: int = 12) -> str:
    """Return a bar of characters.

    >>> bar(1, 2, 8)
    '━━━━────'
    """
    filled = width * done // total if total else width
    return "━" * filled + "─" * (width - filled)
