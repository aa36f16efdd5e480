"""One instance, from its first batch to its last epoch, in one call that holds no GIL.

Numba keeps the compiled code in ``__pycache__`` beside the sources (or under ``NUMBA_CACHE_DIR``).
Its cache notices a change in the file of a compiled function but not in files whose functions it
inlines: after editing any kernel, delete ``src/surefoot/engines/fused_cpu/__pycache__/*.nb?``.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from surefoot.engines.fused_cpu.backward import backward
from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.forward import draw_masks, forward
from surefoot.engines.fused_cpu.loss_kernels import example_loss
from surefoot.engines.fused_cpu.optimizer_kernels import update
from surefoot.engines.fused_cpu.target import LANES
from surefoot.seeds.philox import fill_epoch_order

IN_TILE = int(Field.IN_TILE)
OUT = int(Field.OUT)
OUT_TILE = int(Field.OUT_TILE)
SIDE = int(Field.SIDE)
Z = int(Field.Z)
Z_CHANNEL = int(Field.Z_CHANNEL)
Z_TILE = int(Field.Z_TILE)

FINISHED, DIVERGED, STOPPED = 0, 1, 2
NONE, PLATEAU = 0, 1
(
    BATCH, OPTIMIZER, TRAIN_LOSS, TEST_LOSS, ROOTED, MAX_EPOCHS, MIN_EPOCHS, WINDOW, READING, TILES,
    SIDE_STAGE, SCRATCH, DROPOUT,
) = range(13)  # fmt: skip
"""Places in ``counts``; ``numbers`` holds learning rate, decay, the parameters of the training and
the test loss, the stopping tolerance, and dropout's 1/(1 − p); ``keys`` the keys of the ORDER and
the NOISE stream."""


@nb.njit(cache=True, nogil=True, error_model="numpy")
def gather(stages, work, features, side, rows, first, examples, input_place, input_at, side_stage):
    """Fill the input tiles with examples ``rows[first : first + examples]``; others become 0."""
    tiles = (examples + LANES - 1) // LANES
    input_tile = stages[0, IN_TILE]
    for e in range(tiles * LANES):
        at = input_at + (e // LANES) * input_tile + e % LANES
        if e < examples:
            row = rows[first + e]
            for f in range(input_place.size):
                work[at + input_place[f]] = features[row, f]
        else:
            for f in range(input_place.size):
                work[at + input_place[f]] = 0
        if side_stage >= 0:
            stage = stages[side_stage]
            at = stage[OUT] + (e // LANES) * stage[OUT_TILE] + stage[SIDE] + e % LANES
            for s in range(side.shape[1]):
                work[at + s * LANES] = side[rows[first + e], s] if e < examples else 0.0
    return tiles


@nb.njit(cache=True, nogil=True, error_model="numpy")
def losses(
    stages, work, target, rows, first, examples, code, parameter, batch, prediction, slope, train
):
    """Return the sum of the examples' losses.

    In training also replace the last stage's Z by the gradient of the mean over ``batch`` examples.
    """
    stage = stages[stages.shape[0] - 1]
    outputs = prediction.size
    tiles = (examples + LANES - 1) // LANES
    result = 0.0
    for e in range(tiles * LANES):
        at = stage[Z] + (e // LANES) * stage[Z_TILE] + e % LANES
        if e < examples:
            for o in range(outputs):
                prediction[o] = work[at + o * stage[Z_CHANNEL]]
            result += example_loss(code, parameter, prediction, target[rows[first + e]], slope)
            if train:
                for o in range(outputs):
                    work[at + o * stage[Z_CHANNEL]] = slope[o] / batch
        elif train:
            for o in range(outputs):
                work[at + o * stage[Z_CHANNEL]] = 0
    return result


@nb.njit(cache=True, nogil=True, error_model="numpy")
def batch_gradient(
    stages, table, params, grads, statistics, work, features, target, side, rows, order, first,
    batch, input_place, input_at, counts, numbers, keys, step, chosen, keep, prediction, slope,
):  # fmt: skip
    """Fill ``grads`` with the gradient of a batch's mean loss and return that loss."""
    for i in range(grads.size):
        grads[i] = 0
    for i in range(batch):
        chosen[i] = rows[order[first + i]]
    part = counts[TILES] * LANES
    loss = 0.0
    for done in range(0, batch, part):
        examples = min(part, batch - done)
        tiles = gather(
            stages, work, features, side, chosen, done, examples, input_place, input_at,
            counts[SIDE_STAGE],
        )  # fmt: skip
        if counts[DROPOUT]:
            draw_masks(stages, work, keep, keys, numbers[5], step, done, tiles, examples)
        forward(stages, stages.shape[0], table, params, statistics, work, tiles, examples, 1)
        loss += losses(
            stages, work, target, chosen, done, examples, counts[TRAIN_LOSS], numbers[2], batch,
            prediction, slope, True,
        )  # fmt: skip
        backward(
            stages, stages.shape[0], table, params, grads, work, counts[SCRATCH], tiles, examples
        )
    return loss / batch


@nb.njit(cache=True, nogil=True, error_model="numpy")
def predict_rows(
    stages, table, params, statistics, work, features, side, rows, input_place, input_at, tiles,
    side_stage, predictions,
):  # fmt: skip
    """Fill ``predictions`` [rows, outputs] in evaluation mode."""
    stage = stages[stages.shape[0] - 1]
    part = tiles * LANES
    for done in range(0, rows.size, part):
        examples = min(part, rows.size - done)
        filled = gather(
            stages, work, features, side, rows, done, examples, input_place, input_at, side_stage
        )
        forward(stages, stages.shape[0], table, params, statistics, work, filled, examples, 0)
        for e in range(examples):
            at = stage[Z] + (e // LANES) * stage[Z_TILE] + e % LANES
            for o in range(predictions.shape[1]):
                predictions[done + e, o] = work[at + o * stage[Z_CHANNEL]]


@nb.njit(cache=True, nogil=True, error_model="numpy")
def test_loss(
    stages, table, params, statistics, work, features, target, side, rows, input_place, input_at,
    counts, numbers, prediction, slope, stop,
):  # fmt: skip
    """Return the reported loss over the test sample."""
    part = counts[TILES] * LANES
    result = 0.0
    for done in range(0, rows.size, part):
        if stop[0]:
            return 0.0
        examples = min(part, rows.size - done)
        tiles = gather(
            stages, work, features, side, rows, done, examples, input_place, input_at,
            counts[SIDE_STAGE],
        )  # fmt: skip
        forward(stages, stages.shape[0], table, params, statistics, work, tiles, examples, 0)
        result += losses(
            stages, work, target, rows, done, examples, counts[TEST_LOSS], numbers[3], 1,
            prediction, slope, False,
        )  # fmt: skip
    result /= rows.size
    return np.sqrt(result) if counts[ROOTED] else result


@nb.njit(cache=True, nogil=True, error_model="numpy")
def should_stop(curve, epochs, counts, tolerance):
    """Return whether training ends after ``epochs`` epochs, as `Stopping.should_stop`."""
    if epochs >= counts[MAX_EPOCHS]:
        return True
    if counts[READING] == NONE or epochs < max(counts[MIN_EPOCHS], counts[WINDOW]):
        return False
    low, high = curve[epochs - 1], curve[epochs - 1]
    for i in range(epochs - counts[WINDOW], epochs):
        low, high = min(low, curve[i]), max(high, curve[i])
    flat = np.float64(high) <= (1.0 + tolerance) * np.float64(low)
    return flat if counts[READING] == PLATEAU else not flat


@nb.njit(cache=True, nogil=True, error_model="numpy")
def train(
    stages, table, params, grads, first_state, second_state, statistics, work, features, target,
    side, train_rows, test_rows, input_place, input_at, counts, numbers, keys, order, chosen, keep,
    prediction, slope, curve, stop,
):  # fmt: skip
    """Train until the stopping rule, an explosion or the stop flag; return (ending, epochs)."""
    step = 0
    product = 1.0
    epochs = 0
    n = train_rows.size
    while True:
        fill_epoch_order(keys[0], keys[1], np.uint64(epochs), order)
        for first in range(0, n, counts[BATCH]):
            if stop[0]:
                return STOPPED, epochs
            batch = min(counts[BATCH], n - first)
            loss = batch_gradient(
                stages, table, params, grads, statistics, work, features, target, side, train_rows,
                order, first, batch, input_place, input_at, counts, numbers, keys, step, chosen,
                keep, prediction, slope,
            )  # fmt: skip
            if not np.isfinite(np.float32(loss)):
                return DIVERGED, epochs
            step += 1
            product = update(
                counts[OPTIMIZER], params, grads, first_state, second_state, step, numbers[0],
                numbers[1], product,
            )  # fmt: skip
        result = test_loss(
            stages, table, params, statistics, work, features, target, side, test_rows, input_place,
            input_at, counts, numbers, prediction, slope, stop,
        )  # fmt: skip
        if stop[0]:
            return STOPPED, epochs
        if not np.isfinite(np.float32(result)):
            return DIVERGED, epochs
        curve[epochs] = result
        epochs += 1
        if should_stop(curve, epochs, counts, numbers[4]):
            return FINISHED, epochs
