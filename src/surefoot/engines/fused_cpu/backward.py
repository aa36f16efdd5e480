"""Backward through all stages: every map is replaced by its gradient on the way.

Arguments are those of `surefoot.engines.fused_cpu.forward`, and ``grads``, to which the gradients
of all parameters are added.
"""

from __future__ import annotations

from surefoot.engines.fused_cpu.activations import RELU
from surefoot.engines.fused_cpu.dense import add_dense_gradient
from surefoot.engines.fused_cpu.emit import smaller
from surefoot.engines.fused_cpu.exported import exported
from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.forward import FIELDS, convolve, multiply_masks, part_of
from surefoot.engines.fused_cpu.gathered_gemm import transposed_gemm
from surefoot.engines.fused_cpu.inner import inner
from surefoot.engines.fused_cpu.pointwise import (
    activate_gradient,
    find_winners,
    rectify_gradient,
    spread_gradient,
    unpool_pairs,
    unpool_plane,
)
from surefoot.engines.fused_cpu.target import LANES, TILES_AT_ONCE
from surefoot.engines.fused_cpu.vectors import (
    address,
    broadcast,
    fill,
    fma,
    lanes_below,
    load,
    store,
    total,
)
from surefoot.engines.fused_cpu.weight_gradient import add_weight_gradient
from surefoot.engines.fused_cpu.winograd_stage import STRIPS, winograd_backward

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
BACKWARD = int(Field.BACKWARD)
WEIGHTS = int(Field.WEIGHTS)
MASK = int(Field.MASK)
NORM_SCRATCH = int(Field.NORM_SCRATCH)
DENSE = int(Field.DENSE)
PARTS = int(Field.PARTS)
TURNED = int(Field.TURNED)


@inner
def _input_gradient(stage, table, params, work, tiles):
    for t in range(0, tiles, TILES_AT_ONCE):
        at = stage[BACKWARD + smaller(TILES_AT_ONCE, tiles - t) - 1]
        transposed_gemm(
            table, at, 0, table[at], params, 0, work, stage[Z] + t * stage[Z_TILE],
            stage[Z_CHANNEL], work, stage[IN] + t * stage[IN_TILE], stage[IN_CHANNEL],
        )  # fmt: skip


@inner
def _add_bias_gradient(stage, grads, work, z_at, low, high, tiles):
    cells = stage[ROWS] * stage[COLUMNS]
    for c in range(low, high):
        sums = fill(work, 0)
        for t in range(tiles):
            plane = z_at + t * stage[Z_TILE] + c * stage[Z_CHANNEL]
            for i in range(cells):
                sums = sums + load(work, plane + i * LANES)
        grads[stage[BIAS] + c] += total(sums)


@inner
def _pointwise_backward(stage, params, grads, work, scratch, z_at, low, high, tiles):
    """Replace channels of Z by their gradient, OUT holding the gradient of the next input."""
    cells = stage[ROWS] * stage[COLUMNS]
    if stage[DENSE] and stage[ACTIVATION] == RELU:
        for t in range(tiles):
            rectify_gradient(
                work, z_at + t * stage[Z_TILE] + low * LANES,
                stage[OUT] + t * stage[OUT_TILE] + low * LANES, high - low,
            )  # fmt: skip
        return
    one, zero = fill(work, 1), fill(work, 0)
    pairs = (
        stage[POOL] == 1
        and stage[POOL_SIZE] == 2
        and stage[POOL_STEP] == 2
        and 4 * stage[POOLED_ROWS] * stage[POOLED_COLUMNS] == cells
    )
    for c in range(low, high):
        slope, slope_gradient = zero, zero
        if stage[SLOPES] >= 0:
            slope = broadcast(params, stage[SLOPES] + c)
        for t in range(tiles):
            plane = z_at + t * stage[Z_TILE] + c * stage[Z_CHANNEL]
            incoming = stage[OUT] + t * stage[OUT_TILE] + c * stage[OUT_CHANNEL]
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


def _normalised_gradient(stage, params, grads, work, scratch, z_at, low, high, tiles, examples):
    """Replace channels of Z by their gradient through batch normalisation."""
    channels = stage[CHANNELS]
    cells = stage[ROWS] * stage[COLUMNS]
    count = examples * cells
    zero = fill(work, 0)
    norm = stage[NORM_SCRATCH]
    disjoint = stage[POOL] != 2 and stage[POOL_SIZE] == stage[POOL_STEP]
    for c in range(low, high):
        scale, shift = broadcast(work, norm + c), broadcast(work, norm + channels + c)
        mean, inverse = work[norm + 2 * channels + c], work[norm + 3 * channels + c]
        centre = fill(work, mean)
        slope = zero
        if stage[SLOPES] >= 0:
            slope = broadcast(params, stage[SLOPES] + c)
        sums = zero, zero, zero
        for t in range(tiles):
            plane = z_at + t * stage[Z_TILE] + c * stage[Z_CHANNEL]
            incoming = stage[OUT] + t * stage[OUT_TILE] + c * stage[OUT_CHANNEL]
            if disjoint:
                won = scratch + t * stage[POOLED_ROWS] * stage[POOLED_COLUMNS] * LANES
                sums = find_winners(
                    work, plane, stage[COLUMNS], incoming, won, stage[POOLED_ROWS],
                    stage[POOLED_COLUMNS], stage[POOL_SIZE], stage[ACTIVATION], scale, shift,
                    slope, centre, sums,
                )  # fmt: skip
                continue
            sum_g, sum_gz, slope_gradient = sums
            slope_gradient = unpool_plane(
                work, plane, stage[ROWS], stage[COLUMNS], incoming, stage[POOLED_ROWS],
                stage[POOLED_COLUMNS], stage[POOL], stage[POOL_SIZE], stage[POOL_STEP],
                stage[ACTIVATION], scale, shift, slope, slope_gradient, scratch,
            )  # fmt: skip
            for i in range(cells):
                g = load(work, scratch + i * LANES)
                sum_g = sum_g + g
                sum_gz = fma(g, load(work, plane + i * LANES) - centre, sum_gz)
            sums = sum_g, sum_gz, slope_gradient
        if stage[SLOPES] >= 0:
            grads[stage[SLOPES] + c] += total(sums[2])
        all_g, all_gx = total(sums[0]), total(sums[1]) * inverse
        grads[stage[NORM] + c] += all_gx
        grads[stage[NORM] + (channels + 7) // 8 * 8 + c] += all_g
        # scale·(g − mean g − x̂ mean gx̂) as scale·g + factor·z + offset
        factor = -work[norm + c] * inverse * (all_gx / count)
        offset = -work[norm + c] * (all_g / count) - factor * mean
        for t in range(tiles):
            plane = z_at + t * stage[Z_TILE] + c * stage[Z_CHANNEL]
            incoming = stage[OUT] + t * stage[OUT_TILE] + c * stage[OUT_CHANNEL]
            inside = lanes_below(work, examples - t * LANES)
            gain = inside * scale
            slant, level = inside * fill(work, factor), inside * fill(work, offset)
            if disjoint:
                won = scratch + t * stage[POOLED_ROWS] * stage[POOLED_COLUMNS] * LANES
                spread_gradient(
                    work, plane, stage[ROWS], stage[COLUMNS], incoming, won, stage[POOLED_ROWS],
                    stage[POOLED_COLUMNS], stage[POOL_SIZE], gain, slant, level,
                )  # fmt: skip
                continue
            unpool_plane(
                work, plane, stage[ROWS], stage[COLUMNS], incoming, stage[POOLED_ROWS],
                stage[POOLED_COLUMNS], stage[POOL], stage[POOL_SIZE], stage[POOL_STEP],
                stage[ACTIVATION], scale, shift, slope, sums[2], scratch,
            )  # fmt: skip
            for i in range(cells):
                z = load(work, plane + i * LANES)
                g = load(work, scratch + i * LANES)
                store(work, plane + i * LANES, fma(gain, g, fma(slant, z, level)))


normalised_gradient = exported(
    "normalised_gradient", _normalised_gradient, "tnnniiiiii", Field.NORM
)


def _backward(stages, count, table, params, grads, work, scratch, tiles, examples):
    """Add the gradients of all parameters to ``grads``.

    The last stage's Z holds the gradient of the loss with respect to the predictions, 0 in lanes
    without an example. Each stage's Z and IN are replaced by their gradients on the way.
    ``scratch`` is the address of a plane of workspace.
    """
    last = count - 1
    for number in range(last, -1, -1):
        stage = address(stages, number * FIELDS)
        if number < last and stage[MASK] >= 0:
            multiply_masks(stage, work, tiles)
        for part in range(stage[PARTS]):
            block, end, low, high, z_at = part_of(stage, table, part)
            if stage[PARTS] > 1:
                convolve(stage, table, params, work, block, end, z_at, tiles)
            if number < last:
                if stage[NORM] >= 0:
                    normalised_gradient(
                        stage, params, grads, work, scratch, z_at, low, high, tiles, examples
                    )
                else:
                    _pointwise_backward(stage, params, grads, work, scratch, z_at, low, high, tiles)
            if stage[TURNED] >= 0:
                add_dense_gradient(stage, table, grads, work, scratch, tiles)
                continue
            if stage[BIAS] >= 0:
                _add_bias_gradient(stage, grads, work, z_at, low, high, tiles)
            if stage[STRIPS] < 0:
                add_weight_gradient(
                    table, stage[WEIGHTS], block, end, grads, 0, work, z_at, stage[Z_CHANNEL],
                    stage[COLUMNS] * LANES, stage[Z_TILE], work, stage[IN], stage[IN_ROW],
                    stage[IN_TILE], tiles,
                )  # fmt: skip
        if stage[STRIPS] >= 0:
            winograd_backward(stage, table, grads, work, tiles)
        elif number > 0:
            _input_gradient(stage, table, params, work, tiles)


backward = exported("backward", _backward, "titnnniii")
