"""Forward and backward through all stages of a network, for the tiles of one batch or part of it.

The arguments shared by these functions: ``stages`` and ``table`` of a `Program`; ``params`` and
``grads``, the padded parameter and gradient vectors; ``statistics``, the running averages of batch
normalisation; ``work``, the workspace of feature maps; ``tiles``, how many tiles are filled, and
``examples``, how many examples they hold (lanes beyond are ignored).
"""

from __future__ import annotations

import numba as nb
import numpy as np

from surefoot.engines.fused_cpu.gathered_gemm import forward_gemm, transposed_gemm
from surefoot.engines.fused_cpu.normalisation import batch_scales, fixed_scales
from surefoot.engines.fused_cpu.pointwise import (
    activate_gradient,
    pool_plane,
    unpool_pairs,
    unpool_plane,
)
from surefoot.engines.fused_cpu.program import Field
from surefoot.engines.fused_cpu.target import LANES, TILES_AT_ONCE
from surefoot.engines.fused_cpu.vectors import (
    broadcast,
    fill,
    fma,
    lanes_below,
    load,
    store,
    total,
)
from surefoot.engines.fused_cpu.weight_gradient import add_weight_gradient
from surefoot.philox import fill_keep

CHANNELS = int(Field.CHANNELS)
ROWS = int(Field.ROWS)
COLUMNS = int(Field.COLUMNS)
ACTIVATION = int(Field.ACTIVATION)
NORM = int(Field.NORM)
SLOPES = int(Field.SLOPES)
BIAS = int(Field.BIAS)
POOL = int(Field.POOL)
POOL_SIZE = int(Field.POOL_SIZE)
POOL_STEP = int(Field.POOL_STEP)
POOLED_ROWS = int(Field.POOLED_ROWS)
POOLED_COLUMNS = int(Field.POOLED_COLUMNS)
IN = int(Field.IN)
IN_TILE = int(Field.IN_TILE)
IN_CHANNEL = int(Field.IN_CHANNEL)
IN_ROW = int(Field.IN_ROW)
Z = int(Field.Z)
Z_TILE = int(Field.Z_TILE)
Z_CHANNEL = int(Field.Z_CHANNEL)
OUT = int(Field.OUT)
OUT_TILE = int(Field.OUT_TILE)
OUT_CHANNEL = int(Field.OUT_CHANNEL)
GRADIENT = int(Field.GRADIENT)
GRADIENT_TILE = int(Field.GRADIENT_TILE)
GRADIENT_CHANNEL = int(Field.GRADIENT_CHANNEL)
FORWARD = int(Field.FORWARD)
BACKWARD = int(Field.BACKWARD)
WEIGHTS = int(Field.WEIGHTS)
MASK = int(Field.MASK)
MASK_LAYER = int(Field.MASK_LAYER)
MASK_THRESHOLD = int(Field.MASK_THRESHOLD)
NORM_SCRATCH = int(Field.NORM_SCRATCH)
OUT_CELLS = int(Field.OUT_CELLS)
RUN = int(Field.RUN)
SIDE = int(Field.SIDE)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def forward(stages, table, params, statistics, work, tiles, examples, training):
    """Compute all feature maps from the input map; predictions are the last stage's Z."""
    last = stages.shape[0] - 1
    for number in range(last + 1):
        stage = stages[number]
        for t in range(0, tiles, TILES_AT_ONCE):
            count = min(TILES_AT_ONCE, tiles - t)
            forward_gemm(
                table, stage[FORWARD + count - 1], params, work, stage[IN] + t * stage[IN_TILE],
                stage[RUN], work, stage[Z] + t * stage[Z_TILE], stage[Z_CHANNEL],
            )  # fmt: skip
        if stage[NORM] >= 0:
            if training:
                batch_scales(stage, params, statistics, work, tiles, examples)
            else:
                fixed_scales(stage, params, statistics, work)
        if number < last:
            _pointwise(stage, params, work, tiles)
            if training and stage[MASK] >= 0:
                _multiply_masks(stage, work, stage[OUT], tiles)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _pointwise(stage, params, work, tiles):
    """Fill the next stage's input: normalise, activate, pool."""
    channels = stage[CHANNELS]
    for t in range(tiles):
        for c in range(channels):
            scale, shift, slope = fill(work, 1), fill(work, 0), fill(work, 0)
            if stage[NORM] >= 0:
                scale = broadcast(work, stage[NORM_SCRATCH] + c)
                shift = broadcast(work, stage[NORM_SCRATCH] + channels + c)
            if stage[SLOPES] >= 0:
                slope = broadcast(params, stage[SLOPES] + c)
            pool_plane(
                work, stage[Z] + t * stage[Z_TILE] + c * stage[Z_CHANNEL], stage[COLUMNS],
                stage[OUT] + t * stage[OUT_TILE] + c * stage[OUT_CHANNEL], stage[POOLED_ROWS],
                stage[POOLED_COLUMNS], stage[POOL], stage[POOL_SIZE], stage[POOL_STEP],
                stage[ACTIVATION], scale, shift, slope,
            )  # fmt: skip


@nb.njit(cache=True, nogil=True, error_model="numpy")
def draw_masks(stages, work, keep, keys, step, first_example, tiles, examples):
    """Draw the dropout masks of some examples of a batch: 1/(1 − p) where kept, else 0."""
    for number in range(stages.shape[0]):
        stage = stages[number]
        if stage[MASK] < 0:
            continue
        units = stage[OUT_CELLS]
        threshold = np.uint32(stage[MASK_THRESHOLD])
        value = 1.0 / (1.0 - stage[MASK_THRESHOLD] / 4294967296.0)
        for e in range(tiles * LANES):
            at = stage[MASK] + (e // LANES) * stage[OUT_TILE] + e % LANES
            if e >= examples:
                for u in range(units):
                    work[at + u * LANES] = 0
                continue
            fill_keep(
                keys[2], keys[3], np.uint64(step), np.uint64(stage[MASK_LAYER]),
                np.uint64(first_example + e), threshold, keep[:units],
            )  # fmt: skip
            for u in range(units):
                work[at + u * LANES] = value if keep[u] else 0.0


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _multiply_masks(stage, work, target, tiles):
    for t in range(tiles):
        for u in range(stage[OUT_CELLS]):
            at = t * stage[OUT_TILE] + u * LANES
            store(work, target + at, load(work, target + at) * load(work, stage[MASK] + at))


@nb.njit(cache=True, nogil=True, error_model="numpy")
def backward(stages, table, params, grads, work, scratch, tiles, examples):
    """Add the gradients of all parameters to ``grads``.

    The last stage's Z holds the gradient of the loss with respect to the predictions, 0 in lanes
    without an example. ``scratch`` is the address of a plane of workspace.
    """
    last = stages.shape[0] - 1
    for number in range(last, -1, -1):
        stage = stages[number]
        if number < last:
            if stage[MASK] >= 0:
                _multiply_masks(stage, work, stage[GRADIENT], tiles)
            if stage[NORM] >= 0:
                _normalised_backward(stage, params, grads, work, scratch, tiles, examples)
            else:
                _pointwise_backward(stage, params, grads, work, scratch, tiles)
        if stage[BIAS] >= 0:
            _add_bias_gradient(stage, grads, work, tiles)
        add_weight_gradient(
            table, stage[WEIGHTS], grads, work, stage[Z], stage[Z_CHANNEL],
            stage[COLUMNS] * LANES, stage[Z_TILE], work, stage[IN], stage[IN_ROW],
            stage[IN_TILE], tiles,
        )  # fmt: skip
        if number > 0:
            below = stages[number - 1]
            for t in range(0, tiles, TILES_AT_ONCE):
                count = min(TILES_AT_ONCE, tiles - t)
                transposed_gemm(
                    table, stage[BACKWARD + count - 1], params, work,
                    stage[Z] + t * stage[Z_TILE], stage[Z_CHANNEL], work,
                    below[GRADIENT] + t * below[GRADIENT_TILE], stage[IN_CHANNEL],
                )  # fmt: skip


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _add_bias_gradient(stage, grads, work, tiles):
    cells = stage[ROWS] * stage[COLUMNS]
    for c in range(stage[CHANNELS]):
        sums = fill(work, 0)
        for t in range(tiles):
            plane = stage[Z] + t * stage[Z_TILE] + c * stage[Z_CHANNEL]
            for i in range(cells):
                sums = sums + load(work, plane + i * LANES)
        grads[stage[BIAS] + c] += total(sums)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _pointwise_backward(stage, params, grads, work, scratch, tiles):
    """Replace a stage's Z by its gradient."""
    cells = stage[ROWS] * stage[COLUMNS]
    one, zero = fill(work, 1), fill(work, 0)
    pairs = (
        stage[POOL] == 1
        and stage[POOL_SIZE] == 2
        and stage[POOL_STEP] == 2
        and 4 * stage[POOLED_ROWS] * stage[POOLED_COLUMNS] == cells
    )
    for c in range(stage[CHANNELS]):
        slope, slope_gradient = zero, zero
        if stage[SLOPES] >= 0:
            slope = broadcast(params, stage[SLOPES] + c)
        for t in range(tiles):
            plane = stage[Z] + t * stage[Z_TILE] + c * stage[Z_CHANNEL]
            incoming = stage[GRADIENT] + t * stage[GRADIENT_TILE] + c * stage[GRADIENT_CHANNEL]
            if stage[POOL] == 0:
                slope_gradient = activate_gradient(
                    work, plane, cells, incoming, stage[ACTIVATION], slope, slope_gradient
                )
            elif pairs:
                slope_gradient = unpool_pairs(
                    work, plane, stage[COLUMNS], incoming, stage[POOLED_ROWS],
                    stage[POOLED_COLUMNS], stage[ACTIVATION], slope, slope_gradient,
                )  # fmt: skip
            else:
                slope_gradient = unpool_plane(
                    work, plane, stage[ROWS], stage[COLUMNS], incoming, stage[POOLED_ROWS],
                    stage[POOLED_COLUMNS], stage[POOL], stage[POOL_SIZE], stage[POOL_STEP],
                    stage[ACTIVATION], one, zero, slope, slope_gradient, scratch,
                )  # fmt: skip
                for i in range(cells):
                    store(work, plane + i * LANES, load(work, scratch + i * LANES))
        if stage[SLOPES] >= 0:
            grads[stage[SLOPES] + c] += total(slope_gradient)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _normalised_backward(stage, params, grads, work, scratch, tiles, examples):
    """Replace a stage's Z by its gradient through batch normalisation."""
    channels = stage[CHANNELS]
    cells = stage[ROWS] * stage[COLUMNS]
    count = examples * cells
    zero = fill(work, 0)
    norm = stage[NORM_SCRATCH]
    for c in range(channels):
        scale, shift = broadcast(work, norm + c), broadcast(work, norm + channels + c)
        mean, inverse = work[norm + 2 * channels + c], work[norm + 3 * channels + c]
        centre, spread = fill(work, mean), fill(work, inverse)
        slope, slope_gradient = zero, zero
        if stage[SLOPES] >= 0:
            slope = broadcast(params, stage[SLOPES] + c)
        sum_g, sum_gx = zero, zero
        for t in range(tiles):
            plane = stage[Z] + t * stage[Z_TILE] + c * stage[Z_CHANNEL]
            incoming = stage[GRADIENT] + t * stage[GRADIENT_TILE] + c * stage[GRADIENT_CHANNEL]
            slope_gradient = unpool_plane(
                work, plane, stage[ROWS], stage[COLUMNS], incoming, stage[POOLED_ROWS],
                stage[POOLED_COLUMNS], stage[POOL], stage[POOL_SIZE], stage[POOL_STEP],
                stage[ACTIVATION], scale, shift, slope, slope_gradient, scratch,
            )  # fmt: skip
            for i in range(cells):
                g = load(work, scratch + i * LANES)
                x = (load(work, plane + i * LANES) - centre) * spread
                sum_g = sum_g + g
                sum_gx = fma(g, x, sum_gx)
        if stage[SLOPES] >= 0:
            grads[stage[SLOPES] + c] += total(slope_gradient)
        all_g, all_gx = total(sum_g), total(sum_gx)
        grads[stage[NORM] + c] += all_gx
        grads[stage[NORM] + (channels + 7) // 8 * 8 + c] += all_g
        mean_g, mean_gx = fill(work, all_g / count), fill(work, all_gx / count)
        for t in range(tiles):
            plane = stage[Z] + t * stage[Z_TILE] + c * stage[Z_CHANNEL]
            incoming = stage[GRADIENT] + t * stage[GRADIENT_TILE] + c * stage[GRADIENT_CHANNEL]
            inside = lanes_below(work, examples - t * LANES) * scale
            unpool_plane(
                work, plane, stage[ROWS], stage[COLUMNS], incoming, stage[POOLED_ROWS],
                stage[POOLED_COLUMNS], stage[POOL], stage[POOL_SIZE], stage[POOL_STEP],
                stage[ACTIVATION], scale, shift, slope, slope_gradient, scratch,
            )  # fmt: skip
            for i in range(cells):
                x = (load(work, plane + i * LANES) - centre) * spread
                g = load(work, scratch + i * LANES) - mean_g - x * mean_gx
                store(work, plane + i * LANES, inside * g)
