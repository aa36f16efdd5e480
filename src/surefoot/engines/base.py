"""The seam of engines: an instance and its setting in, an outcome out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.instances import Instance, Outcome, Setting, Status, Training


class Engine(ABC):
    """Trains one instance at a time; an executor runs many at once."""

    name: ClassVar[str]
    workers: ClassVar[Literal["threads", "processes"]]
    """What runs several instances at once: threads, if ``train`` releases the GIL."""

    @abstractmethod
    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        """Return None if it can train the candidate, else one sentence that says why not."""

    @abstractmethod
    def train(self, instance: Instance, setting: Setting, stop: NDArray[np.uint8]) -> Training:
        """Train one instance; deterministic given the instance and the setting.

        A loss that is NaN or infinite gives a *diverged* outcome and an exception a *failed* one;
        neither raises. The curve of either ends with the last finite test loss before. When
        ``stop[0]`` becomes non-zero, raises `Stopped` within two seconds.
        """


class Stopped(Exception):
    """Raised by `Engine.train` when the caller asked it to stop; nothing is recorded."""


def outcome_of(
    instance: Instance,
    setting: Setting,
    engine: str,
    status: Status,
    curve: NDArray[np.float32],
    seconds: float,
    message: str = "",
) -> Outcome:
    """Return the outcome of an instance; its loss is the curve's last value if it finished."""
    return Outcome(
        candidate=instance.candidate.key,
        role=instance.seed.role,
        instance=instance.seed.instance,
        sample=instance.train_size(setting),
        status=status,
        loss=float(curve[-1]) if status is Status.FINISHED else float("inf"),
        curve=curve,
        seconds=seconds,
        engine=engine,
        message=message,
    )
