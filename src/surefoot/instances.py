"""What everybody speaks of: a setting, an instance of a candidate, and the outcome it leaves."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.checkpoints import CheckpointStore
from surefoot.data.population import Draw, Halves, Matrix, Rows, Sampling
from surefoot.learning.losses import Loss
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import InstanceSeed, Role


class Status(enum.StrEnum):
    """How an instance ended."""

    FINISHED = "finished"
    DIVERGED = "diverged"
    """A loss became NaN or infinite."""
    FAILED = "failed"
    """An exception, a crash or a limit ended it; the outcome's message says which."""
    PAUSED = "paused"
    """It was put aside after some epochs, as asked, and may go on later."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all instances of a study share: data, sampling, test loss and stopping rule.

    ``plain_curves`` asks candidates that average their weights for the whole curve of the weights
    before averaging, not only its last loss; no other number changes. ``checkpoints`` keep what
    trainings that are put aside need to go on; without any they begin anew, to the same bits.
    """

    halves: Halves
    sampling: Sampling
    loss: Loss
    stopping: Stopping = field(default_factory=Stopping)
    plain_curves: bool = False
    checkpoints: CheckpointStore | None = None

    def test_loss(self, predictor: Predictor, rows: Rows) -> float:
        """Return the test loss of a predictor on rows of the population, rounded to float32."""
        population = self.halves.population
        features, side, target = population.at(rows)
        weights = None if population.weights is None else population.weights[rows]
        with np.errstate(over="ignore"):
            predicted = predictor.predict(features, side)
            return float(np.float32(self.loss.value(predicted, target, weights)))


@dataclass(frozen=True, slots=True)
class Instance:
    """One training to be done: a candidate, its luck and, if not the setting's, its sampling.

    After ``until`` epochs, if that is given, it is put aside where its engine can go on with it.
    """

    candidate: Candidate
    seed: InstanceSeed
    sampling: Sampling | None = None
    until: int | None = None

    def draw(self, setting: Setting) -> Draw:
        """Return its training and test rows."""
        return setting.halves.draw(self.sampling or setting.sampling, self.seed)

    def train_size(self, setting: Setting) -> int:
        """Return the number of training examples."""
        return setting.halves.train_size(self.sampling or setting.sampling)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What an instance left.

    ``loss`` is the test loss of the last epoch, +inf if it diverged or failed; ``curve`` [epochs]
    the test loss after each epoch, float32; ``sample`` the number of training examples. ``plain``
    are the test losses of the weights before averaging, where a candidate averages them: that of
    the last epoch, or [epochs] if the setting asked for ``plain_curves``; else it is empty.
    ``processor`` is the kind it was trained on, where that may decide the last digits.
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
    plain: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    processor: str = ""

    @classmethod
    def of(
        cls,
        instance: Instance,
        setting: Setting,
        engine: str,
        losses: Sequence[float],
        seconds: float,
        message: str = "",
        *,
        failed: bool = False,
        paused: bool = False,
        plain: Sequence[float] = (),
        processor: str = "",
    ) -> Self:
        """Return what an instance left: its losses up to the last finite one are the curve.

        It failed if that is said or there is no loss at all, diverged if one is not finite, and
        paused if that is said and neither holds.
        """
        with np.errstate(over="ignore"):
            curve = np.array(losses, dtype=np.float32)
        finite = np.isfinite(curve)
        status = Status.FINISHED if finite.all() else Status.DIVERGED
        if status is Status.DIVERGED:
            curve = curve[: int(finite.argmin())]
        if failed or not finite.size:
            status, message = Status.FAILED, message or "the engine gave no test loss"
        if paused and status is Status.FINISHED:
            status = Status.PAUSED
        whole = status in (Status.FINISHED, Status.PAUSED)
        return cls(
            candidate=instance.candidate.key,
            role=instance.seed.role,
            instance=instance.seed.instance,
            sample=instance.train_size(setting),
            status=status,
            loss=float(curve[-1]) if whole else float("inf"),
            curve=curve,
            seconds=seconds,
            engine=engine,
            message=message,
            plain=np.array(plain if whole else (), dtype=np.float32),
            processor=processor,
        )

    @property
    def plain_loss(self) -> float | None:
        """Test loss of the last weights before averaging; None without averaging."""
        return float(self.plain[-1]) if self.plain.size else None

    @property
    def epochs(self) -> int:
        """Number of epochs trained."""
        return int(self.curve.size)


class Predictor(Protocol):
    """A trained instance."""

    @property
    def weights(self) -> Mapping[str, NDArray[np.float32]]:
        """Return its trained arrays by name, in the names and shapes of torch; none unless said."""
        return {}

    def predict(self, features: Matrix, side: Matrix | None) -> Matrix:
        """Return predictions [n, outputs] for features [n, F] and side features [n, S]."""


@dataclass(frozen=True, slots=True)
class Training:
    """An outcome and, unless the instance failed, what was trained."""

    outcome: Outcome
    predictor: Predictor | None
