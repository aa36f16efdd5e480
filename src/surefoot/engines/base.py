"""The seam of engines: an instance and its setting in, an outcome out; one by one or in stacks."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.errors import DataError, EngineError, MissingExtraError
from surefoot.instances import Instance, Outcome, Predictor, Setting, Training
from surefoot.learning.losses import Loss

Flag = NDArray[np.uint8]
"""[1], 0 until somebody asks to stop."""


class Engine(ABC):
    """Trains one instance at a time; an executor runs many at once."""

    name: ClassVar[str]
    workers: ClassVar[Literal["threads", "processes"]]
    """What runs several instances at once: threads, if ``fit`` releases the GIL."""

    @abstractmethod
    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        """Return None if it can train the candidate, else one sentence that says why not."""

    @abstractmethod
    def fit(self, instance: Instance, setting: Setting, monitor: Monitor) -> Predictor | None:
        """Train one instance, deterministic given it and the setting; return what can predict.

        The monitor is told the test loss of every epoch. A NaN or infinite loss, of training or
        test, is told too and ends it (*diverged*); so does an exception (*failed*).
        """

    def train(self, instance: Instance, setting: Setting, stop: Flag | None = None) -> Training:
        """Return what `fit` left; raise `Stopped` within two seconds of ``stop[0]`` being set.

        The curve of a diverged or failed outcome ends with the last finite test loss.
        """
        left = Trained(instance, Monitor(np.zeros(1, dtype=np.uint8) if stop is None else stop))
        began = time.perf_counter()
        try:
            left.monitor.check()
            left.predictor = self.fit(instance, setting, left.monitor)
        except (Stopped, MissingExtraError):
            raise
        except Exception as error:
            left.failure = f"{type(error).__name__}: {error}"
        left.seconds = time.perf_counter() - began
        return self.training(left, setting)

    def training(self, left: Trained, setting: Setting) -> Training:
        """Return what an instance left as an outcome of this engine, and its predictor."""
        monitor = left.monitor
        outcome = Outcome.of(
            left.instance,
            setting,
            self.name,
            monitor.losses,
            left.seconds,
            left.failure or monitor.message,
            failed=bool(left.failure),
            plain=monitor.plain,
        )
        return Training(outcome, left.predictor)


class Stopped(Exception):
    """Raised when the caller of `Engine.train` asked it to stop; nothing is recorded."""


@dataclass(slots=True)
class Monitor:
    """What an engine tells while it trains one instance, and whether it should go on.

    Compiled code reads the flag ``stop`` itself; ``losses`` are those told so far; ``message`` goes
    into the outcome. ``plain`` are the test losses of the weights before averaging, for a candidate
    that averages them: the last epoch's, or all epochs' if the setting asks for ``plain_curves``.
    """

    stop: Flag
    losses: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    message: str = ""

    def tell(self, *losses: float) -> None:
        """Add the test loss of an epoch; or NaN, when training exploded."""
        self.losses.extend(losses)

    def check(self) -> None:
        """Raise `Stopped` when training should not go on."""
        if self.stop[0]:
            raise Stopped


@dataclass(slots=True)
class Trained:
    """What one instance left; ``seconds`` is its share of the time of a stack."""

    instance: Instance
    monitor: Monitor
    seconds: float = 0.0
    predictor: Predictor | None = None
    failure: str = ""


class StackEngine(Engine):
    """Trains a stack of instances at once; those of equal `shape` may share one."""

    workers: ClassVar[Literal["threads", "processes"]] = "threads"

    @abstractmethod
    def shape(self, instance: Instance, setting: Setting) -> Hashable:
        """Return what instances must have in common to share a stack."""

    @abstractmethod
    def fit_stack(
        self, instances: Iterator[Instance], setting: Setting, stop: Flag
    ) -> Iterator[Trained]:
        """Train instances of one shape, taking the next when one ends; yield each as it ends.

        An instance leaves the same whatever shares its stack. Raises `Stopped` within two seconds
        of ``stop[0]`` being set.
        """

    def fit(self, instance: Instance, setting: Setting, monitor: Monitor) -> Predictor | None:
        """Train one instance in a stack of its own."""
        (trained,) = self.fit_stack(iter([instance]), setting, monitor.stop)
        if trained.failure:
            raise EngineError(trained.failure)
        monitor.losses, monitor.plain = trained.monitor.losses, trained.monitor.plain
        return trained.predictor

    def train_stack(
        self, instances: Iterator[Instance], setting: Setting, stop: Flag
    ) -> Iterator[Training]:
        """Yield what `fit_stack` leaves as outcomes."""
        for left in self.fit_stack(instances, setting, stop):
            yield self.training(left, setting)


def data_refusal(candidate: Candidate, setting: Setting, loss: Loss | None) -> str | None:
    """Return one sentence that says why a candidate does not fit the setting's data, else None.

    Of its fields ``input_shape``, ``outputs`` and ``side`` (a number, or True for all there are)
    those it has are checked; ``loss`` is one that is computed on the targets.
    """
    population, label = setting.halves.population, candidate.label
    shape, columns = getattr(candidate, "input_shape", None), population.features.shape[1]
    outputs = getattr(candidate, "outputs", population.outputs)
    side = getattr(candidate, "side", 0)
    sides = 0 if population.side is None else population.side.shape[1]
    if shape is not None and math.prod(shape) != columns:
        return (
            f"{label} takes {math.prod(shape)} features ({'×'.join(map(str, shape))}) but "
            f"{population.name} has {columns}: set input_shape"
        )
    if outputs != population.outputs:
        return (
            f"{label} has {outputs} outputs but {population.name} has {population.outputs} "
            "targets: they must agree"
        )
    if side is True and not sides:
        return f"{label} takes side features but {population.name} has none"
    if side is not True and side not in (0, sides):
        has = f"{population.name} has {sides}: use side = {sides}"
        return f"{label} takes {side} side features but {has}"
    try:
        if loss is not None:
            population.check_loss(loss)
    except DataError as error:
        return f"{label} cannot be trained: {error}"
    return None
