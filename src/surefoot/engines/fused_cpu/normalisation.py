"""Batch normalisation (Ioffe and Szegedy 2015) on feature maps with the batch innermost.

Over the n = examples · cells values of a channel, with x̂ = (z − mean)·r, r = 1/√(var + ε)::

    y = γ x̂ + β;    ∂L/∂z = γ r (ḡ − mean(ḡ) − x̂ · mean(ḡ x̂)),   ḡ = ∂L/∂y

The variance is biased in y and unbiased in the running average, as in torch. The lanes of a partly
filled last tile count nowhere.
"""

from __future__ import annotations

import numpy as np

from surefoot.engines.fused_cpu.exported import exported
from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.target import LANES
from surefoot.engines.fused_cpu.vectors import fill, fma, lanes_below, load, total

EPSILON = 1e-5
MOMENTUM = 0.1

CHANNELS = int(Field.CHANNELS)
ROWS = int(Field.ROWS)
COLUMNS = int(Field.COLUMNS)
NORM = int(Field.NORM)
NORM_SCRATCH = int(Field.NORM_SCRATCH)
STATISTICS = int(Field.STATISTICS)
Z_TILE = int(Field.Z_TILE)
Z_CHANNEL = int(Field.Z_CHANNEL)


def _fixed_scales(stage, params, statistics, work, first, last):
    """Write scale and shift of some channels of a stage from its running averages."""
    channels = stage[CHANNELS]
    for c in range(first, last):
        mean = statistics[stage[STATISTICS] + c]
        inverse = 1.0 / np.sqrt(statistics[stage[STATISTICS] + channels + c] + EPSILON)
        scale = params[stage[NORM] + c] * inverse
        shift_at = stage[NORM] + (channels + 7) // 8 * 8
        work[stage[NORM_SCRATCH] + c] = scale
        work[stage[NORM_SCRATCH] + channels + c] = params[shift_at + c] - mean * scale


def _batch_scales(stage, params, statistics, work, z_at, first, last, tiles, examples):
    """Write scale and shift of some channels from the batch and update their running averages."""
    channels = stage[CHANNELS]
    cells = stage[ROWS] * stage[COLUMNS]
    count = examples * cells
    shift_at = stage[NORM] + (channels + 7) // 8 * 8
    scratch = stage[NORM_SCRATCH]
    for c in range(first, last):
        plane = z_at + c * stage[Z_CHANNEL]
        sums = fill(work, 0)
        for t in range(tiles):
            inside = lanes_below(work, examples - t * LANES)
            part = fill(work, 0)
            for i in range(cells):
                part = part + load(work, plane + t * stage[Z_TILE] + i * LANES)
            sums = fma(part, inside, sums)
        mean = total(sums) / count
        centre = fill(work, mean)
        sums = fill(work, 0)
        for t in range(tiles):
            inside = lanes_below(work, examples - t * LANES)
            part = fill(work, 0)
            for i in range(cells):
                d = load(work, plane + t * stage[Z_TILE] + i * LANES) - centre
                part = fma(d, d, part)
            sums = fma(part, inside, sums)
        squares = total(sums)
        inverse = 1.0 / np.sqrt(squares / count + EPSILON)
        scale = params[stage[NORM] + c] * inverse
        work[scratch + c] = scale
        work[scratch + channels + c] = params[shift_at + c] - mean * scale
        work[scratch + 2 * channels + c] = mean
        work[scratch + 3 * channels + c] = inverse
        if count == 1:  # a single value has no spread: torch's engine leaves the averages alone
            continue
        at = stage[STATISTICS] + c
        statistics[at] = (1.0 - MOMENTUM) * statistics[at] + MOMENTUM * mean
        at += channels
        unbiased = squares / max(count - 1, 1)
        statistics[at] = (1.0 - MOMENTUM) * statistics[at] + MOMENTUM * unbiased


fixed_scales = exported("fixed_scales", _fixed_scales, "tnnnii", Field.NORM)
batch_scales = exported("batch_scales", _batch_scales, "tnnniiiii", Field.NORM)
