"""Everything one running instance owns, and the calls into the compiled kernels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.convnet.initialization import initial_weights, named_weights
from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.recipe import trained_loss
from surefoot.data.population import Draw
from surefoot.engines.base import Monitor, Stopped
from surefoot.engines.compiling import follow_compiler
from surefoot.engines.fused_cpu import training
from surefoot.engines.fused_cpu.exported import provide
from surefoot.engines.fused_cpu.program import Program, compile_program
from surefoot.engines.fused_cpu.target import LANES
from surefoot.engines.scaling import Scaling, loss_share, scaling_of
from surefoot.instances import Instance, Setting
from surefoot.learning.averaging import parse_average, statistics_rows
from surefoot.learning.optimizers import OPTIMIZERS, state_vectors
from surefoot.learning.schedules import parse_schedule
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import Stream

Matrix = NDArray[np.float32]


def aligned(size: int, dtype: Any = np.float32) -> NDArray[Any]:
    """Return zeros [size] that begin at a cache line."""
    itemsize = np.dtype(dtype).itemsize
    raw = np.zeros(size + 64 // itemsize, dtype=dtype)
    start = (-raw.ctypes.data % 64) // itemsize
    return raw[start : start + size]


def _no_side(dtype: Any = np.float32) -> NDArray[Any]:
    return np.zeros((1, 0), dtype=dtype)


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view: writable and memory-mapped data are one type to the compiler."""
    view = array.view()
    view.flags.writeable = False
    return view


def scale_of(net: ConvNet, scaling: Scaling, share: float, dtype: Any) -> training.Scale:
    """Return a network's scaling as the kernels read it; ``share`` is `loss_share`."""
    if not scaling:
        ones = np.ones(net.outputs)
        none: NDArray[Any] = np.zeros(0, dtype)
        return training.Scale(none, none, np.zeros(net.outputs), ones, ones)
    kinds = ("", "side_") if net.side else ("",)
    centre, deviation = (
        np.concatenate([scaling[f"scale.{kind}{name}"] for kind in kinds]).astype(dtype)
        for name in ("mean", "deviation")
    )
    shift = scaling["scale.target_mean"].astype(np.float64)
    spread = scaling["scale.target_deviation"].astype(np.float64)
    return training.Scale(centre, 1 / deviation, shift, spread, share * spread)


def writable(rows: NDArray[Any]) -> NDArray[np.int32]:
    """Return rows of one type to the compiler, which compiles what reads them once, not twice."""
    return np.require(rows, np.int32, ["C_CONTIGUOUS", "WRITEABLE"])


class Network:
    """The vectors of one network: parameters, running averages and workspace.

    ``dtype`` is float32; float64 serves gradient checks.
    """

    def __init__(
        self, net: ConvNet, flat: NDArray[Any], scaling: Scaling, *, dtype: Any = np.float32
    ) -> None:
        self.net, self.scaling = net, scaling
        self.program: Program = compile_program(net)
        provide(self.program.stages, self.program.table, nb.from_dtype(np.dtype(dtype)))
        self.params = aligned(self.program.parameters, dtype)
        self.params[self.program.place] = flat
        self.statistics = aligned(self.program.statistics, dtype)
        at = 0
        for layer in net.layers:
            if layer.kind == "batch_norm":
                channels = layer.output[0]
                self.statistics[at + channels : at + 2 * channels] = 1
                at += 2 * channels
        self.work = aligned(self.program.workspace, dtype)

    @property
    def flat(self) -> NDArray[Any]:
        """The parameters in torch's order."""
        result: NDArray[Any] = self.params[self.program.place]
        return result

    def predict(self, features: NDArray[Any], side: NDArray[Any] | None) -> NDArray[Any]:
        """Return predictions [n, outputs] in evaluation mode."""
        rows = np.arange(len(features), dtype=np.int32)
        predictions = np.empty((len(features), self.net.outputs), dtype=self.params.dtype)
        chosen = _no_side(self.params.dtype) if side is None or not self.net.side else side
        scale = scale_of(self.net, self.scaling, 1.0, self.params.dtype)
        data = training.Data(frozen(features), frozen(predictions[:0]), frozen(chosen), scale)
        training.predict_rows(
            self.program, self.params, self.statistics, self.work, data, rows, predictions
        )
        return predictions


@dataclass(frozen=True, slots=True, eq=False)
class FusedPredictor:
    """A trained network; keeps its weights and makes a workspace for every call."""

    net: ConvNet
    flat: Matrix
    statistics: Matrix
    scaling: Scaling

    @property
    def weights(self) -> Mapping[str, Matrix]:
        """Return copies of its parameters, running averages and scaling by torch's names."""
        result = {
            name: values.copy() for name, values in named_weights(self.net, self.flat).items()
        }
        at = 0
        for layer in self.net.layers:
            if layer.kind == "batch_norm":
                for name in ("running_mean", "running_var"):
                    values = self.statistics[at : at + layer.output[0]]
                    result[f"{layer.name}.{name}"] = values.copy()
                    at += layer.output[0]
        return result | {name: values.copy() for name, values in self.scaling.items()}

    def predict(self, features: Matrix, side: Matrix | None) -> Matrix:
        """Return predictions [n, outputs] for features [n, F] and side features [n, S]."""
        network = Network(self.net, self.flat, self.scaling)
        network.statistics[:] = self.statistics
        x = np.ascontiguousarray(features, dtype=np.float32).reshape(len(features), -1)
        s = None if side is None else np.ascontiguousarray(side, dtype=np.float32)
        return network.predict(x, s)


def keys_of(instance: Instance) -> NDArray[np.uint64]:
    """Return the keys of the ORDER and the NOISE stream, [4]."""
    seed = instance.seed
    return np.array([*seed.key(Stream.ORDER), *seed.key(Stream.NOISE)], dtype=np.uint64)


def recipe_of(net: ConvNet, setting: Setting, n: int) -> training.Recipe:
    """Return how `training.train` trains a network on ``n`` examples."""
    loss, average = trained_loss(net, setting.loss), parse_average(net.average)
    epoch_steps, epochs = -(-n // net.batch_size), setting.stopping.max_epochs
    schedule = parse_schedule(net.schedule)
    return training.Recipe(
        batch=net.batch_size,
        optimizer=OPTIMIZERS.index(net.optimizer),
        rate=net.learning_rate,
        decay=net.decay,
        kept=1.0 / (1.0 - net.dropout),
        loss=training.Measure(loss.code, float(loss.parameter), loss.objective == "root"),
        pace=training.Pace(
            schedule.code,
            *schedule.pair,
            epochs * epoch_steps,
            epoch_steps,
            net.warmup * epoch_steps,
        ),
        clip=net.clip or 0.0,
        average=average.code,
        time_constant=average.time_constant(epoch_steps),
        first_epoch=average.first_epoch(epochs),
    )


def ending_of(stopping: Stopping) -> training.Ending:
    """Return a stopping rule as `training.train` reads it."""
    return training.Ending(
        stopping.max_epochs, stopping.min_epochs, stopping.window, float(stopping.tolerance),
        stopping.code,
    )  # fmt: skip


def buffers_of(net: ConvNet, n: int, statistics: int) -> training.Buffers:
    """Return the buffers of a training of ``n`` examples; ``statistics`` is the `Program`'s."""
    widest = max(layer.output[0] for layer in net.layers if len(layer.output) == 1)
    return training.Buffers(
        order=np.empty(n, dtype=np.int32),
        chosen=np.empty(net.batch_size, dtype=np.int32),
        keep=np.empty(widest, dtype=np.bool_),
        prediction=np.zeros(net.outputs),
        slope=np.zeros(net.outputs),
        sums=np.zeros(statistics),
    )


def train_instance(
    instance: Instance, setting: Setting, draw: Draw, monitor: Monitor
) -> FusedPredictor:
    """Train, tell the monitor and return what was trained.

    Put aside, a training is its numbers in torch's order (the optimiser's and the average's too)
    and the statistics of batch normalisation: all else follows from epoch and seed.

    Raises
    ------
    Stopped
        When the stop flag is set.
    """
    net = instance.candidate
    assert isinstance(net, ConvNet)
    follow_compiler(__package__)
    population = setting.halves.population
    scaling = scaling_of(net, population, draw.train)
    network = Network(net, initial_weights(net, instance.seed), scaling)
    size, states = network.program.parameters, state_vectors(net.optimizer)
    recipe = recipe_of(net, setting, draw.train.size)
    shipped = network if recipe.average == training.NONE else Network(net, network.flat, scaling)
    state = training.State(
        network.params, aligned(size), aligned(size if states > 0 else LANES),
        aligned(size if states > 1 else LANES), network.statistics, network.work,
        shipped.params, shipped.statistics,
    )  # fmt: skip
    vectors = {"params": state.params}
    if states > 0:
        vectors["first"] = state.first
    if states > 1:
        vectors["second"] = state.second
    running = {"statistics": state.statistics}
    if shipped is not network:
        vectors["averaged"] = state.averaged
        running["averaged_statistics"] = state.averaged_statistics
    place = network.program.place
    kept = monitor.kept(
        dict.fromkeys(vectors, place.shape) | {n: one.shape for n, one in running.items()}
    )
    if kept is not None:
        for name, vector in vectors.items():
            vector[place] = kept[name]
        for name, statistics in running.items():
            statistics[:] = kept[name]
    side = population.side if net.side and population.side is not None else _no_side()
    share = loss_share(trained_loss(net, setting.loss), scaling)
    scale = scale_of(net, scaling, share, np.float32)
    data = training.Data(
        frozen(population.features), frozen(population.target), frozen(side), scale
    )
    loss = setting.loss
    curve, plain = np.zeros((2, setting.stopping.max_epochs), dtype=np.float32)
    if not setting.plain_curves or shipped is network:
        plain = plain[: int(shipped is not network)]
    begun, until = len(monitor.losses), monitor.until or setting.stopping.max_epochs
    curve[:begun] = monitor.losses
    if plain.size > 1:
        plain[:begun] = monitor.plain
    ending, epochs = training.train(
        network.program, state, data, writable(draw.train), writable(draw.test), recipe,
        training.Measure(loss.code, float(loss.parameter), loss.rooted),
        ending_of(setting.stopping), keys_of(instance),
        buffers_of(net, draw.train.size, network.statistics.size), curve, plain,
        writable(statistics_rows(draw.train)), monitor.stop, begun, until,
    )  # fmt: skip
    if ending == training.STOPPED:
        raise Stopped
    monitor.losses, monitor.plain = curve[:epochs].tolist(), plain[:epochs].tolist()
    if ending == training.DIVERGED:
        monitor.tell(math.nan)
    elif ending == training.PAUSED:
        if plain.size == 1:
            monitor.plain.clear()
        monitor.pause({name: vector[place] for name, vector in vectors.items()} | running)
    return FusedPredictor(net, shipped.flat, shipped.statistics.copy(), scaling)
