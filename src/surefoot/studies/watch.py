"""What a study tells whoever watches it, such as a live table. All of it is recorded already."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from surefoot.candidates.base import Candidate
from surefoot.escaping import one_line
from surefoot.instances import Outcome, Status
from surefoot.racing.state import PlannedRound, Round

_TOLD = 3
_logger = logging.getLogger("surefoot")


class Watcher:
    """Called from the thread that runs the study; ignores everything: subclass it to watch some."""

    def started(self, candidates: int, recorded: int) -> None:
        """Take note that a race begins, or goes on with ``recorded`` outcomes of the journal."""

    def round_started(self, planned: PlannedRound, left: int) -> None:
        """Take note of a round that has ``left`` instances to train, the baseline's included."""

    def training(self, left: int) -> None:
        """Take note that ``left`` instances are to be trained now: of a round, or of all."""

    def outcome(self, outcome: Outcome) -> None:
        """Take note of an outcome; it is on the disk."""

    def round_finished(self, finished: Round) -> None:
        """Take note of a completed round: its survivors and eliminations."""

    def certifying(self, candidate: Candidate, left: int) -> None:
        """Take note that a candidate trains ``left`` fresh instances for its certificate."""

    def finished(self, selection: Any) -> None:
        """Take note of a race's result, its `Selection`."""


Watch = Watcher | Callable[[Outcome], object] | None
"""Who is told of a study as it runs."""


class OutcomeCallback(Watcher):
    """Calls a function with every outcome."""

    def __init__(self, function: Callable[[Outcome], object]) -> None:
        self._function = function

    def outcome(self, outcome: Outcome) -> None:
        """Call the function."""
        self._function(outcome)


class Failures(Watcher):
    """Says at once why instances fail: every message once, the first three.

    Parameters
    ----------
    candidates
        Those whose labels are said.
    say
        What is called with a line; a warning of the logger ``surefoot`` unless given.
    """

    def __init__(
        self, candidates: Iterable[Candidate], say: Callable[[str], None] = _logger.warning
    ) -> None:
        self._labels: Mapping[str, str] = {one.key: one.label for one in candidates}
        self._say, self._said = say, set[str]()

    def outcome(self, outcome: Outcome) -> None:
        """Say the message of a failed instance if it is a new one."""
        message = outcome.message
        if outcome.status is not Status.FAILED or message in self._said or len(self._said) >= _TOLD:
            return
        self._said.add(message)
        self._say(failure_words(self._labels.get(outcome.candidate, outcome.candidate), outcome))


def failure_words(label: str, outcome: Outcome) -> str:
    """Return which instance of a candidate failed, and why."""
    which = f"{outcome.role.name.lower()} instance {outcome.instance}"
    return one_line(f"{label}, {which}, failed: {outcome.message}")
