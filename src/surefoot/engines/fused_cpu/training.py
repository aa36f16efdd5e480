"""One instance, from its first batch to its last epoch, in one call that holds no GIL.

Numba keeps the compiled code in ``__pycache__`` beside the sources (or under ``NUMBA_CACHE_DIR``),
as long as no source of any kernel changes (`kept_code`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from surefoot.engines.fused_cpu.backward import backward
from surefoot.engines.fused_cpu.dense import turn_features
from surefoot.engines.fused_cpu.emit import smaller
from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.forward import draw_masks, forward
from surefoot.engines.fused_cpu.inner import inner, outer
from surefoot.engines.fused_cpu.kept_code import forget_stale
from surefoot.engines.fused_cpu.loss_kernels import CROSS_ENTROPY, class_loss, output_loss
from surefoot.engines.fused_cpu.normalisation import MOMENTUM
from surefoot.engines.fused_cpu.optimizer_kernels import (
    gradient_scale,
    momentum_product,
    move,
    update,
)
from surefoot.engines.fused_cpu.target import LANES
from surefoot.learning.averaging import ema_gain
from surefoot.learning.schedules import factor
from surefoot.seeds.philox import fill_epoch_order

IN_TILE = int(Field.IN_TILE)
Z = int(Field.Z)
Z_CHANNEL = int(Field.Z_CHANNEL)
Z_TILE = int(Field.Z_TILE)

FINISHED, DIVERGED, STOPPED, PAUSED = 0, 1, 2, 3
NONE, PLATEAU = 0, 1
EMA, LAST = 1, 2

rate_factor = inner(factor)
average_gain = inner(ema_gain)


class Scale(NamedTuple):
    """How inputs and outputs are scaled: ``(x − centre) · gain`` and ``shift + spread · z``.

    Inputs are features, then side features, [0] if they stay as they are; ``push`` [outputs] is
    that by which a loss's gradient is multiplied to be that with respect to z.
    """

    centre: NDArray[Any]
    gain: NDArray[Any]
    shift: NDArray[np.float64]
    spread: NDArray[np.float64]
    push: NDArray[np.float64]


class Data(NamedTuple):
    """A population, read-only: features [n, F], targets [n, outputs], side features [n, S or 0],
    and how one network scales them."""

    features: NDArray[Any]
    target: NDArray[Any]
    side: NDArray[Any]
    scale: Scale


class State(NamedTuple):
    """What training changes, each beginning at a cache line.

    The padded vector of parameters, its gradient and the optimiser's two vectors (of any length
    where it keeps none), the running statistics of batch normalisation, the feature maps, and the
    average of the parameters with its statistics: without averaging the parameters themselves.
    """

    params: NDArray[Any]
    grads: NDArray[Any]
    first: NDArray[Any]
    second: NDArray[Any]
    statistics: NDArray[Any]
    work: NDArray[Any]
    averaged: NDArray[Any]
    averaged_statistics: NDArray[Any]


class Buffers(NamedTuple):
    """An epoch's order [n], a batch's rows [batch], one mask [units], one example [outputs], sums
    of the statistics of batch normalisation [statistics]."""

    order: NDArray[np.int32]
    chosen: NDArray[np.int32]
    keep: NDArray[np.bool_]
    prediction: NDArray[np.float64]
    slope: NDArray[np.float64]
    sums: NDArray[np.float64]


class Measure(NamedTuple):
    """A loss: `Loss.code`, its parameter, and whether the root of the mean is meant."""

    code: int
    parameter: float
    rooted: bool


class Pace(NamedTuple):
    """A schedule of the learning rate: `Schedule.code` and ``pair``, and lengths in steps."""

    code: int
    first: float
    second: float
    steps: int
    epoch_steps: int
    warmup: float


class Recipe(NamedTuple):
    """How one network is trained.

    ``kept`` is dropout's 1/(1 − p), 1 without dropout; ``clip`` 0 for none; ``average`` a code of
    `Average`, with its time constant in steps or the first epoch that it holds.
    """

    batch: int
    optimizer: int
    rate: float
    decay: float
    kept: float
    loss: Measure
    pace: Pace
    clip: float
    average: int
    time_constant: float
    first_epoch: int


class Ending(NamedTuple):
    """The stopping rule, as the fields of `Stopping`; ``reading`` is its code."""

    max_epochs: int
    min_epochs: int
    window: int
    tolerance: float
    reading: int


@inner
def gather(program, work, data, rows, first, examples):
    """Fill the input tiles with examples ``rows[first : first + examples]``; others become 0."""
    features, side = data.features, data.side
    centre, gain = data.scale.centre, data.scale.gain
    input_place, input_at = program.input_place, program.input_at
    columns = input_place.size
    tiles = (examples + LANES - 1) // LANES
    input_tile = program.stages[0, IN_TILE]
    if program.rows_at >= 0:
        for t in range(tiles):
            done = t * LANES
            turn_features(
                features, rows, first + done, examples - done, data.scale, work, program.rows_at,
                input_at + t * input_tile,
            )  # fmt: skip
        columns = 0
    for e in range(tiles * LANES):
        at = input_at + (e // LANES) * input_tile + e % LANES
        if e < examples:
            row = rows[first + e]
            if centre.size:
                for f in range(columns):
                    work[at + input_place[f]] = (features[row, f] - centre[f]) * gain[f]
            else:
                for f in range(columns):
                    work[at + input_place[f]] = features[row, f]
        else:
            for f in range(columns):
                work[at + input_place[f]] = 0
        if program.side_at >= 0:
            at = program.side_at + (e // LANES) * program.side_tile + e % LANES
            for s in range(side.shape[1]):
                work[at + s * LANES] = side[rows[first + e], s] if e < examples else 0.0
                if centre.size and e < examples:
                    own = features.shape[1] + s
                    work[at + s * LANES] -= centre[own]
                    work[at + s * LANES] *= gain[own]
    return tiles


@inner
def losses(stages, work, data, rows, first, examples, loss, batch, buffers, train):
    """Return the sum of the examples' losses.

    In training also replace the last stage's Z by the gradient of the mean over ``batch`` examples.
    """
    stage = stages[stages.shape[0] - 1]
    target, scale = data.target, data.scale
    prediction, slope = buffers.prediction, buffers.slope
    outputs = prediction.size
    tiles = (examples + LANES - 1) // LANES
    result = 0.0
    for e in range(tiles * LANES):
        at = stage[Z] + (e // LANES) * stage[Z_TILE] + e % LANES
        if e < examples:
            for o in range(outputs):
                prediction[o] = scale.shift[o] + scale.spread[o] * work[at + o * stage[Z_CHANNEL]]
            row = rows[first + e]
            if loss.code >= CROSS_ENTROPY:
                result += class_loss(loss.code, prediction, target[row, 0], slope)
            else:
                mean = 0.0
                for o in range(outputs):
                    term, s = output_loss(
                        loss.code, loss.parameter, prediction[o], np.float64(target[row, o])
                    )
                    mean += term
                    slope[o] = s / outputs
                result += mean / outputs
            if train:
                for o in range(outputs):
                    work[at + o * stage[Z_CHANNEL]] = slope[o] * scale.push[o] / batch
        elif train:
            for o in range(outputs):
                work[at + o * stage[Z_CHANNEL]] = 0
    return result


@inner
def batch_gradient(program, state, data, rows, order, first, batch, recipe, keys, step, buffers):
    """Fill the gradient with that of a batch's mean loss and return that loss."""
    stages, table = program.stages, program.table
    params, grads, work, chosen = state.params, state.grads, state.work, buffers.chosen
    for i in range(grads.size):
        grads[i] = 0
    for i in range(batch):
        chosen[i] = rows[order[first + i]]
    part = program.tiles * LANES
    loss = 0.0
    for done in range(0, batch, part):
        examples = smaller(part, batch - done)
        tiles = gather(program, work, data, chosen, done, examples)
        if recipe.kept != 1.0:
            draw_masks(stages, work, buffers.keep, keys, recipe.kept, step, done, tiles, examples)
        forward(stages, stages.shape[0], table, params, state.statistics, work, tiles, examples, 1)
        loss += losses(
            stages, work, data, chosen, done, examples, recipe.loss, batch, buffers, True
        )
        backward(
            stages, stages.shape[0], table, params, grads, work, program.scratch, tiles, examples
        )
    return loss / batch


@outer
def predict_rows(program, params, statistics, work, data, rows, predictions):
    """Fill ``predictions`` [rows, outputs] in evaluation mode."""
    stages, scale = program.stages, data.scale
    stage = stages[stages.shape[0] - 1]
    part = program.tiles * LANES
    for done in range(0, rows.size, part):
        examples = smaller(part, rows.size - done)
        tiles = gather(program, work, data, rows, done, examples)
        forward(
            stages, stages.shape[0], program.table, params, statistics, work, tiles, examples, 0
        )
        for e in range(examples):
            at = stage[Z] + (e // LANES) * stage[Z_TILE] + e % LANES
            for o in range(predictions.shape[1]):
                z = work[at + o * stage[Z_CHANNEL]]
                predictions[done + e, o] = scale.shift[o] + scale.spread[o] * z


@inner
def test_loss(program, params, statistics, work, data, rows, measure, buffers, stop):
    """Return the reported loss over the test sample."""
    stages = program.stages
    part = program.tiles * LANES
    result = 0.0
    for done in range(0, rows.size, part):
        if stop[0]:
            return 0.0
        examples = smaller(part, rows.size - done)
        tiles = gather(program, work, data, rows, done, examples)
        forward(
            stages, stages.shape[0], program.table, params, statistics, work, tiles, examples, 0
        )
        result += losses(stages, work, data, rows, done, examples, measure, 1, buffers, False)
    result /= rows.size
    return np.sqrt(result) if measure.rooted else result


@inner
def should_stop(curve, epochs, ending):
    """Return whether training ends after ``epochs`` epochs, as `Stopping.should_stop`."""
    if epochs >= ending.max_epochs:
        return True
    if ending.reading == NONE or epochs < max(ending.min_epochs, ending.window):
        return False
    low, high = curve[epochs - 1], curve[epochs - 1]
    for i in range(epochs - ending.window, epochs):
        low, high = min(low, curve[i]), max(high, curve[i])
    flat = np.float64(high) <= (1.0 + ending.tolerance) * np.float64(low)
    return flat if ending.reading == PLATEAU else not flat


@inner
def statistics_anew(program, state, data, rows, batch, sums, stop):
    """Compute the average's statistics of batch normalisation as `learning.averaging` says."""
    stages, statistics = program.stages, state.averaged_statistics
    batches = 0
    for i in range(sums.size):
        sums[i] = 0.0
    for first in range(0, rows.size, batch):
        examples = smaller(batch, rows.size - first)
        if stop[0] or examples == 1:
            continue
        statistics[:] = 0
        tiles = gather(program, state.work, data, rows, first, examples)
        forward(
            stages, stages.shape[0], program.table, state.averaged, statistics, state.work, tiles,
            examples, 2,
        )  # fmt: skip
        for i in range(sums.size):
            sums[i] += statistics[i] / MOMENTUM  # the running averages began at 0
        batches += 1
    for i in range(sums.size):
        statistics[i] = sums[i] / batches if batches else state.statistics[i]


@outer
def train(
    program, state, data, train_rows, test_rows, recipe, measure, ending, keys, buffers, curve,
    plain, statistics_rows, stop, begun, until,
):  # fmt: skip
    """Train until the stopping rule, an explosion or the stop flag; return (ending, epochs).

    ``begun`` epochs were trained before, to which ``state`` and the curves belong; the training is
    put aside after ``until`` epochs unless it ends then.
    ``keys`` [4] are those of the ORDER and the NOISE stream. ``curve`` [max_epochs] is filled with
    the test losses of the average; ``plain`` with those of the parameters, its last place only,
    after the last epoch, if it is [1]. ``statistics_rows`` are those of `learning.averaging`.
    """
    n = train_rows.size
    pace = recipe.pace
    epochs = begun
    step = begun * pace.epoch_steps
    product = momentum_product(step)
    while True:
        fill_epoch_order(keys[0], keys[1], np.uint64(epochs), buffers.order)
        for first in range(0, n, recipe.batch):
            if stop[0]:
                return STOPPED, epochs
            loss = batch_gradient(
                program, state, data, train_rows, buffers.order, first,
                smaller(recipe.batch, n - first), recipe, keys, step, buffers,
            )  # fmt: skip
            if not np.isfinite(np.float32(loss)):
                return DIVERGED, epochs
            rate = recipe.rate * rate_factor(
                pace.code, pace.first, pace.second, step, pace.steps, pace.epoch_steps, pace.warmup
            )
            step += 1
            gain = average_gain(step, recipe.time_constant) if recipe.average == EMA else 0.0
            scale = gradient_scale(state.grads, loss, recipe.loss.rooted, recipe.clip)
            product = update(
                recipe.optimizer, state, step, rate, recipe.decay, scale, gain, product
            )
        if recipe.average == LAST:
            move(state.averaged, state.params, 1.0 / max(1, epochs - recipe.first_epoch + 1))
        if recipe.average != NONE and state.statistics.size:
            statistics_anew(program, state, data, statistics_rows, recipe.batch, buffers.sums, stop)
        result = test_loss(
            program, state.averaged, state.averaged_statistics, state.work, data, test_rows,
            measure, buffers, stop,
        )  # fmt: skip
        if plain.size > 1 and not stop[0]:
            plain[epochs] = test_loss(
                program, state.params, state.statistics, state.work, data, test_rows, measure,
                buffers, stop,
            )  # fmt: skip
        if stop[0]:
            return STOPPED, epochs
        if not np.isfinite(np.float32(result)):
            return DIVERGED, epochs
        curve[epochs] = result
        epochs += 1
        if should_stop(curve, epochs, ending):
            break
        if epochs >= until:
            return PAUSED, epochs
    if plain.size == 1:
        plain[0] = test_loss(
            program, state.params, state.statistics, state.work, data, test_rows, measure, buffers,
            stop,
        )  # fmt: skip
    return STOPPED if stop[0] else FINISHED, epochs


_HERE = Path(__file__).parent
_PACKAGE = _HERE.parents[1]
if (kept := train.stats.cache_path) is not None:
    forget_stale(Path(kept), (_HERE, _PACKAGE / "learning", _PACKAGE / "seeds"))
