"""Forward through all stages of a network, for the tiles of one batch or part of it.

The arguments shared by these functions: ``stages`` and ``table`` of a `Program`; ``params`` and
``grads``, the padded parameter and gradient vectors; ``statistics``, the running averages of batch
normalisation; ``work``, the workspace of feature maps; ``tiles``, how many tiles are filled, and
``examples``, how many examples they hold (lanes beyond are ignored).
"""

from __future__ import annotations

import numpy as np

from surefoot.engines.fused_cpu.activations import RELU
from surefoot.engines.fused_cpu.emit import smaller
from surefoot.engines.fused_cpu.exported import exported
from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.gathered_gemm import forward_gemm
from surefoot.engines.fused_cpu.inner import inner
from surefoot.engines.fused_cpu.normalisation import batch_scales, fixed_scales
from surefoot.engines.fused_cpu.pointwise import pool_plane, rectify
from surefoot.engines.fused_cpu.target import LANES, TILES_AT_ONCE
from surefoot.engines.fused_cpu.vectors import address, broadcast, fill, load, store
from surefoot.engines.fused_cpu.winograd_stage import STRIPS, winograd_forward
from surefoot.seeds.philox import fill_keep

CHANNELS = int(Field.CHANNELS)
COLUMNS = int(Field.COLUMNS)
ACTIVATION = int(Field.ACTIVATION)
NORM = int(Field.NORM)
SLOPES = int(Field.SLOPES)
POOL = int(Field.POOL)
POOL_SIZE = int(Field.POOL_SIZE)
POOL_STEP = int(Field.POOL_STEP)
POOLED_ROWS = int(Field.POOLED_ROWS)
POOLED_COLUMNS = int(Field.POOLED_COLUMNS)
IN = int(Field.IN)
IN_TILE = int(Field.IN_TILE)
Z = int(Field.Z)
Z_TILE = int(Field.Z_TILE)
Z_CHANNEL = int(Field.Z_CHANNEL)
OUT = int(Field.OUT)
OUT_TILE = int(Field.OUT_TILE)
OUT_CHANNEL = int(Field.OUT_CHANNEL)
FORWARD = int(Field.FORWARD)
MASK = int(Field.MASK)
MASK_LAYER = int(Field.MASK_LAYER)
MASK_THRESHOLD = int(Field.MASK_THRESHOLD)
NORM_SCRATCH = int(Field.NORM_SCRATCH)
DENSE = int(Field.DENSE)
OUT_CELLS = int(Field.OUT_CELLS)
RUN = int(Field.RUN)
PARTS = int(Field.PARTS)
FIELDS = max(Field) + 1


@inner
def convolve(stage, table, params, work, part, last_part, z_at, tiles):
    """Fill Z, or the channels of parts ``part`` … ``last_part`` − 1 of it."""
    for t in range(0, tiles, TILES_AT_ONCE):
        count = smaller(TILES_AT_ONCE, tiles - t)
        forward_gemm(
            table, stage[FORWARD + count - 1], part, last_part, params, 0, params, work,
            stage[IN] + t * stage[IN_TILE], stage[RUN], work, z_at + t * stage[Z_TILE],
            stage[Z_CHANNEL],
        )  # fmt: skip


@inner
def part_of(stage, table, part):
    """Return (first block, last block, first channel, last channel, Z's address) of a part.

    A stage with several parts keeps only one part of Z at a time; the address is such that
    channels are counted from the stage's first.
    """
    if stage[PARTS] == 1:
        return 0, table[stage[FORWARD]], 0, stage[CHANNELS], stage[Z]
    block = stage[FORWARD] + 2 + 4 * part
    first = table[block + 2]
    return part, part + 1, first, first + table[block], stage[Z] - first * stage[Z_CHANNEL]


@inner
def _pointwise(stage, params, work, z_at, low, high, tiles):
    """Fill channels of the next stage's input: normalise, activate, pool."""
    channels = stage[CHANNELS]
    if stage[DENSE] and stage[ACTIVATION] == RELU and stage[NORM] < 0:
        for t in range(tiles):
            rectify(
                work, z_at + t * stage[Z_TILE] + low * LANES,
                stage[OUT] + t * stage[OUT_TILE] + low * LANES, high - low,
            )  # fmt: skip
        return
    for t in range(tiles):
        for c in range(low, high):
            scale, shift, slope = fill(work, 1), fill(work, 0), fill(work, 0)
            if stage[NORM] >= 0:
                scale = broadcast(work, stage[NORM_SCRATCH] + c)
                shift = broadcast(work, stage[NORM_SCRATCH] + channels + c)
            if stage[SLOPES] >= 0:
                slope = broadcast(params, stage[SLOPES] + c)
            pool_plane(
                work, z_at + t * stage[Z_TILE] + c * stage[Z_CHANNEL], stage[COLUMNS],
                stage[OUT] + t * stage[OUT_TILE] + c * stage[OUT_CHANNEL], stage[POOLED_ROWS],
                stage[POOLED_COLUMNS], stage[POOL], stage[POOL_SIZE], stage[POOL_STEP],
                stage[ACTIVATION], scale, shift, slope,
            )  # fmt: skip


@inner
def draw_masks(stages, work, keep, keys, scale, step, first_example, tiles, examples):
    """Draw the dropout masks of some examples of a batch: ``scale`` where kept, else 0."""
    for number in range(stages.shape[0]):
        stage = stages[number]
        if stage[MASK] < 0:
            continue
        units = stage[OUT_CELLS]
        threshold = np.uint32(stage[MASK_THRESHOLD])
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
                work[at + u * LANES] = scale if keep[u] else 0.0


@inner
def multiply_masks(stage, work, tiles):
    """Multiply a stage's OUT, features or their gradient, by its dropout masks."""
    for t in range(tiles):
        for u in range(stage[OUT_CELLS]):
            at = t * stage[OUT_TILE] + u * LANES
            value = load(work, stage[OUT] + at) * load(work, stage[MASK] + at)
            store(work, stage[OUT] + at, value)


def _forward(stages, count, table, params, statistics, work, tiles, examples, training):
    """Compute all feature maps from the input map; predictions are the last stage's Z.

    ``training`` is 1, 0, or 2 to normalise by the batch as in training but drop nothing; ``count``
    the number of stages. Arrays come as addresses.
    """
    last = count - 1
    for number in range(count):
        stage = address(stages, number * FIELDS)
        for part in range(stage[PARTS]):
            block, end, low, high, z_at = part_of(stage, table, part)
            if stage[STRIPS] >= 0:
                winograd_forward(stage, table, params, work, tiles)
            else:
                convolve(stage, table, params, work, block, end, z_at, tiles)
            if stage[NORM] >= 0:
                if training:
                    batch_scales(stage, params, statistics, work, z_at, low, high, tiles, examples)
                else:
                    fixed_scales(stage, params, statistics, work, low, high)
            if number < last:
                _pointwise(stage, params, work, z_at, low, high, tiles)
        if training == 1 and stage[MASK] >= 0:
            multiply_masks(stage, work, tiles)


forward = exported("forward", _forward, "titnnniii")
