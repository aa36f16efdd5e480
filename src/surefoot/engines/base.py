"""The seam of engines: an instance and its setting in, an outcome out; one by one or in stacks."""

from __future__ import annotations

import copy
import math
import platform
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.checkpoints import Arrays, Checkpoint, CheckpointStore
from surefoot.engines.devices import AUTO, on_device
from surefoot.errors import DataError, EngineError, MissingExtraError
from surefoot.instances import Instance, Outcome, Predictor, Setting, Status, Training
from surefoot.learning.losses import Loss

Flag = NDArray[np.uint8]
"""[1], 0 until somebody asks to stop."""


class Engine(ABC):
    """Trains one instance at a time; an executor runs many at once."""

    name: ClassVar[str]
    workers: ClassVar[Literal["threads", "processes"]]
    """What runs several instances at once: threads, if ``fit`` releases the GIL."""
    same_everywhere: ClassVar[bool] = False
    """Whether a training gives the same bits on every kind of processor."""

    @property
    def asked(self) -> str:
        """How it is asked for: its name and, if it was given one, its device."""
        return self.name

    @abstractmethod
    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        """Return None if it can train the candidate, else one sentence that says why not."""

    @abstractmethod
    def fit(self, instance: Instance, setting: Setting, monitor: Monitor) -> Predictor | None:
        """Train one instance, deterministic given it and the setting; return what can predict.

        The monitor is told the test loss of every epoch. A NaN or infinite loss, of training or
        test, is told too and ends it (*diverged*); so does an exception (*failed*).
        """

    def pausing(self, candidate: Candidate, setting: Setting) -> str | None:
        """Return in what form `fit` puts a training aside and goes on with it, bit for bit.

        None for a candidate that is trained in one go. The text names everything on which that form
        and the bits depend, such as a library's version: under another, training begins anew.
        """
        return None

    def train(self, instance: Instance, setting: Setting, stop: Flag | None = None) -> Training:
        """Return what `fit` left; raise `Stopped` within two seconds of ``stop[0]`` being set.

        The curve of a diverged or failed outcome ends with the last finite test loss. A training
        that was put aside goes on from its checkpoint, if the setting has one.
        """
        left = Trained(instance, Monitor(np.zeros(1, dtype=np.uint8) if stop is None else stop))
        shelf = self._shelf(instance, setting, left.monitor)
        if left.monitor.is_due:
            return Training(_put_aside(instance, setting, self.name, left.monitor), None)
        left.fit_by(self.fit, setting)
        training = self.training(left, setting)
        if shelf is not None:
            shelf.put(training.outcome, left.monitor.left)
        return training

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
            paused=monitor.left is not None,
            plain=monitor.plain,
            processor="" if self.same_everywhere else self.processor(),
        )
        return Training(outcome, left.predictor)

    def processor(self) -> str:
        """Return what kind of processor it trains on, as the system calls it."""
        return processor()

    def _shelf(self, instance: Instance, setting: Setting, monitor: Monitor) -> _Shelf | None:
        """Tell the monitor when to pause and what is kept; return where that is, if anywhere."""
        store = setting.checkpoints
        if store is None and instance.until is None:
            return None
        form = self.pausing(instance.candidate, setting)
        if form is None:
            return None
        monitor.until = instance.until
        if store is None:
            return None
        sampling = instance.sampling or setting.sampling
        what = instance.candidate.key, instance.seed, sampling, setting.plain_curves
        where = "" if self.same_everywhere else self.processor()
        shelf = _Shelf(store, store.name(_release(), self.name, form, where, *what))
        kept = store.load(shelf.name)
        if kept is not None:
            monitor.resume(kept)
        return shelf


class Stopped(Exception):
    """Raised when the caller of `Engine.train` asked it to stop; nothing is recorded."""


@dataclass(slots=True)
class Monitor:
    """What an engine tells while it trains one instance, and whether it should go on.

    Compiled code reads the flag ``stop`` itself; ``losses`` are those told so far; ``message`` goes
    into the outcome. ``plain`` are the test losses of the weights before averaging, for a candidate
    that averages them: the last epoch's, or all epochs' if the setting asks for ``plain_curves``.

    An engine that can put trainings aside (`Engine.pausing`) asks first for what was `kept`, and
    after each epoch that does not end the training whether it `is_due`: then it tells what it needs
    to go on (`pause`) and returns.
    """

    stop: Flag
    losses: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    message: str = ""
    until: int | None = None
    left: Arrays | None = None
    checkpoint: Checkpoint | None = None

    @property
    def is_due(self) -> bool:
        """Whether the training is to be put aside now."""
        return self.until is not None and len(self.losses) >= self.until

    @property
    def seconds_before(self) -> float:
        """What the epochs before the checkpoint took."""
        return 0.0 if self.checkpoint is None else self.checkpoint.seconds

    def resume(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint, whose losses are those told so far."""
        self.checkpoint = checkpoint
        self.losses, self.plain = checkpoint.curve.tolist(), checkpoint.plain.tolist()

    def kept(self, shapes: Mapping[str, tuple[int, ...]]) -> Arrays | None:
        """Return the arrays of the epochs before, which must have these names and shapes.

        None if there are none, or they do not fit: then the training begins anew.
        """
        if self.checkpoint is not None:
            arrays = self.checkpoint.arrays
            if {name: array.shape for name, array in arrays.items()} == dict(shapes):
                return arrays
            self.checkpoint, self.losses, self.plain = None, [], []
        return None

    def pause(self, arrays: Arrays) -> None:
        """Put the training aside with copies of what it needs to go on."""
        self.left = {name: array.copy() for name, array in arrays.items()}

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

    def fit_by(
        self, fit: Callable[[Instance, Setting, Monitor], Predictor | None], setting: Setting
    ) -> None:
        """Have an engine's `Engine.fit` train it: an exception there is its failure.

        Raises `Stopped` and `MissingExtraError`, which are nobody's failure.
        """
        began = time.perf_counter()
        try:
            self.monitor.check()
            self.predictor = fit(self.instance, setting, self.monitor)
        except (Stopped, MissingExtraError):
            raise
        except Exception as error:
            self.failure = failure_of(error)
        self.seconds = time.perf_counter() - began + self.monitor.seconds_before


def failure_of(error: Exception) -> str:
    """Return what an outcome says of an exception."""
    return f"{type(error).__name__}: {error}"


class StackEngine(Engine):
    """Trains a stack of instances at once; those of equal `shape` may share one."""

    workers: ClassVar[Literal["threads", "processes"]] = "threads"
    device: str = AUTO
    """Where it trains: ``auto``, ``cpu``, ``cuda`` or one GPU, ``cuda:1``."""
    size: int | None = None
    """Instances in a stack, None if the device decides."""

    def on(self, device: str) -> Self:
        """Return this engine on a device."""
        made = copy.copy(self)
        made.device = device
        return made

    def places(self) -> list[Self]:
        """Return this engine on each of the devices that it may use at once."""
        return [self]

    @property
    def asked(self) -> str:
        """How it is asked for: its name and, if it was given one, its device."""
        return on_device(self.name, self.device)

    def alone(self, candidate: Candidate, setting: Setting) -> str | None:
        """Return why a candidate's instances are trained one by one, None if in stacks."""
        return None

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


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Where the checkpoint of a training is kept, and its name there."""

    store: CheckpointStore
    name: str

    def put(self, outcome: Outcome, arrays: Arrays | None) -> None:
        """Keep what a training that was put aside left; discard what one has left that ended."""
        if outcome.status is Status.PAUSED and arrays is not None:
            kept = Checkpoint(outcome.curve, outcome.plain, outcome.seconds, arrays)
            self.store.save(self.name, kept)
        else:
            self.store.discard(self.name)


def _put_aside(instance: Instance, setting: Setting, engine: str, monitor: Monitor) -> Outcome:
    """Return the outcome of a training that was put aside at its epoch before, or later."""
    epochs = instance.until or 0
    seconds = monitor.seconds_before * epochs / len(monitor.losses)
    losses, plain = monitor.losses[:epochs], monitor.plain[:epochs]
    return Outcome.of(instance, setting, engine, losses, seconds, paused=True, plain=plain)


@cache
def _release() -> str:
    return version("surefoot")


@cache
def processor() -> str:
    """Return what kind of processor this process runs on, as the system calls it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def table_refusal(candidate: Candidate, setting: Setting) -> str | None:
    """Return one sentence that says what of a table only estimators take, None if there is none."""
    population = setting.halves.population
    for there, what, instead in (
        (population.missing, "features that are missing", "fill them in"),
        (population.categories, "categories", "encode them as numbers"),
        (population.weights is not None, "weights of examples", "leave them out"),
    ):
        if there:
            return (
                f"{candidate.label} takes no {what}, which {population.name} has: {instead}, or "
                "use estimators that take them"
            )
    return None


def data_refusal(
    candidate: Candidate, setting: Setting, loss: Loss | None, *, tables: bool = False
) -> str | None:
    """Return one sentence that says why a candidate does not fit the setting's data, else None.

    That is missing values, categories and weights too unless the engine hands on ``tables``.

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
    return None if tables else table_refusal(candidate, setting)
