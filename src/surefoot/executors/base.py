"""The seam of executors: instances in, outcomes out, in whatever order they finish."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar

from surefoot.candidates.base import Candidate
from surefoot.instances import Instance, Outcome, Setting

PACE = 0.25
"""Seconds from one batch to the next at least: what short trainings leave meanwhile is recorded
together, because a journal waits for the disk once per batch."""


class Executor(ABC):
    """Runs many instances at once; which one runs where never changes an outcome."""

    here: ClassVar[bool] = True
    """Whether instances run on this machine."""
    engine: str
    """The engine asked for, or ``auto``; see `Chooser`."""
    workers: int
    """Number of instances that run at once."""

    @abstractmethod
    def batches(
        self, instances: Iterable[Instance], setting: Setting
    ) -> Iterator[tuple[Outcome, ...]]:
        """Yield the outcomes that have come in since the last time, at least one.

        Instances are taken from the iterable only as they can start. On Ctrl-C, training stops
        within two seconds, everything finished is yielded and `KeyboardInterrupt` raised; closing
        the iterator stops training too. An engine's exception or a worker that crashes is the
        *failed* outcome of its instance; one whose worker is killed from outside is trained again
        (`surefoot.executors.lost`). A candidate that no engine takes raises `EngineError`.
        """

    def admit(self, candidate: Candidate) -> None:  # noqa: B027
        """Raise `EngineError` if a candidate cannot get to where instances run."""

    def run(self, instances: Iterable[Instance], setting: Setting) -> Iterator[Outcome]:
        """Yield the outcomes one by one as they finish."""
        for batch in self.batches(instances, setting):
            yield from batch
