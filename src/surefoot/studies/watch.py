"""What a study tells whoever watches it, such as a live table. All of it is recorded already."""

from __future__ import annotations

from typing import Any

from surefoot.candidates.base import Candidate
from surefoot.instances import Outcome
from surefoot.racing.state import PlannedRound, Round


class Watcher:
    """Called from the thread that runs the study; ignores everything: subclass it to watch some."""

    def started(self, candidates: int, recorded: int) -> None:
        """Take note that a race begins, or goes on with ``recorded`` outcomes of the journal."""

    def round_started(self, planned: PlannedRound, left: int) -> None:
        """Take note of a round that has ``left`` instances to train, the baseline's included."""

    def outcome(self, outcome: Outcome) -> None:
        """Take note of an outcome; it is on the disk."""

    def round_finished(self, finished: Round) -> None:
        """Take note of a completed round: its survivors and eliminations."""

    def certifying(self, candidate: Candidate, left: int) -> None:
        """Take note that a candidate trains ``left`` fresh instances for its certificate."""

    def finished(self, selection: Any) -> None:
        """Take note of a race's result, its `Selection`."""
