"""The seam of engines: an instance and its setting in, an outcome out."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.losses import Loss
from surefoot.population import Draw, Halves, Sampling
from surefoot.seeds import InstanceSeed, Role
from surefoot.stopping import Stopping


class Status(enum.StrEnum):
    """How an instance ended."""

    FINISHED = "finished"
    DIVERGED = "diverged"
    """A loss became NaN or infinite."""
    FAILED = "failed"
    """An exception, a crash or a limit ended it; the outcome's message says which."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all instances of a study share: data, sampling, test loss and stopping rule."""

    halves: Halves
    sampling: Sampling
    loss: Loss
    stopping: Stopping = field(default_factory=Stopping)


@dataclass(frozen=True, slots=True)
class Instance:
    """One training to be done: a candidate, its luck and, if not the setting's, its sampling."""

    candidate: Candidate
    seed: InstanceSeed
    sampling: Sampling | None = None

    def draw(self, setting: Setting) -> Draw:
        """Return its training and test rows."""
        return setting.halves.draw(self.sampling or setting.sampling, self.seed)

    def train_size(self, setting: Setting) -> int:
        """Return the number of training examples."""
        return setting.halves.train_size(self.sampling or setting.sampling)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What an instance left.

    ``loss`` is the test loss of the last epoch, +inf unless finished; ``curve`` [epochs] the test
    loss after each epoch, float32; ``sample`` the number of training examples.
    """

    candidate: str
    role: Role
    instance: int
    sample: int
    status: Status
    loss: float
    curve: NDArray[np.float32]
    seconds: float
    engine: str
    message: str = ""

    @property
    def epochs(self) -> int:
        """Number of epochs trained."""
        return int(self.curve.size)


class Predictor(Protocol):
    """A trained instance."""

    @property
    def weights(self) -> Mapping[str, NDArray[np.float32]]:
        """Return its trained arrays by name, in the names and shapes of torch; may be empty."""

    def predict(
        self, features: NDArray[np.float32], side: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """Return predictions [n, outputs] for features [n, F] and side features [n, S]."""


@dataclass(frozen=True, slots=True)
class Training:
    """An outcome and, unless the instance failed, what was trained."""

    outcome: Outcome
    predictor: Predictor | None


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
