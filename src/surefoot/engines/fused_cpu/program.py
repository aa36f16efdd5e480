"""A `ConvNet` as tables of integers that the compiled kernels walk: no compile per architecture.

Every stage is: convolution (a fully connected layer is one on a 1×1 map) → [batch normalisation] →
activation → [pooling] → [dropout] → [side features join]. `Field` names the columns of the stage
table [stages, fields]; addresses count floats. Feature maps are [tile][channel][row][column][16].
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.convnet.network import ACTIVATIONS, ConvNet
from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.geometry import (
    Geometry,
    Tables,
    backward_classes,
    compute_blocks,
    forward_classes,
    gradient_jobs,
    split,
)
from surefoot.engines.fused_cpu.layout import (
    Parameters,
    Stage,
    Workspace,
    geometry_of,
    pooled,
    stages_of,
)
from surefoot.engines.fused_cpu.target import BLOCK, CHANNELS, LANES, POSITIONS, TILES_AT_ONCE
from surefoot.seeds.philox import dropout_threshold

IDENTITY = len(ACTIVATIONS)
"""Activation code of the output layer: none."""


class Program(NamedTuple):
    """What the kernels need to know about one network; compiled code takes it as it is.

    Sizes are in numbers: ``parameters`` of the padded parameter vector, ``statistics`` of the
    running averages, ``workspace`` of the feature maps of ``tiles`` tiles. ``place`` is that of
    `Parameters`; ``input_place`` [F] gives the address of each feature within an input tile that
    begins at ``input_at``; ``scratch`` is the address of a plane of any map. Side features join at
    ``side_at``, −1 without any, and ``side_tile`` numbers on in every further tile. ``rows_at`` is
    the address of 16 rows of features on their way to a tile, −1 if each is put in its place alone.
    """

    stages: NDArray[np.int64]
    table: NDArray[np.int64]
    place: NDArray[np.int64]
    parameters: int
    statistics: int
    workspace: int
    tiles: int
    input_at: int
    input_place: NDArray[np.int64]
    side_at: int
    side_tile: int
    rows_at: int
    scratch: int


@lru_cache(maxsize=256)
def compile_program(net: ConvNet) -> Program:
    """Return the tables of a network."""
    stages = stages_of(net)
    geometries = [geometry_of(stage, first=i == 0) for i, stage in enumerate(stages)]
    work = Workspace(net, stages, geometries)
    parameters = Parameters(net, stages, geometries)
    tables = Tables()
    records = np.zeros((len(stages), max(Field) + 1), dtype=np.int64)
    statistics = dropouts = 0
    for i, (stage, g) in enumerate(zip(stages, geometries, strict=True)):
        values = _shape(net, stage, g, last=i == len(stages) - 1)
        values |= _parameter_places(stage, parameters)
        values |= _map_places(i, stages, geometries, work)
        values |= _products(i, net, stages, g, work, parameters, tables)
        values |= _winograd_places(i, stage, g, work, parameters, tables)
        values[Field.STATISTICS] = statistics
        if stage.norm is not None:
            statistics += 2 * g.channels
        if stage.dropout:
            values[Field.MASK_LAYER] = dropouts
            values[Field.MASK_THRESHOLD] = dropout_threshold(net.dropout)
            dropouts += 1
        for field, value in values.items():
            records[i, field] = value
    side_at, side_tile = _side_place(net, stages, geometries, work)
    return Program(
        stages=records,
        table=np.array(tables.values, dtype=np.int64),
        place=parameters.place,
        parameters=parameters.size,
        statistics=statistics,
        workspace=work.size,
        tiles=work.tiles,
        input_at=work.inputs[0],
        input_place=_input_place(net, stages[0], geometries[0]),
        side_at=side_at,
        side_tile=side_tile,
        rows_at=work.rows,
        scratch=work.scratch,
    )


def _shape(net: ConvNet, stage: Stage, g: Geometry, *, last: bool) -> dict[int, int]:
    pool = stage.pool.pool if stage.pool is not None else None
    rows, columns = pooled(stage, g)
    return {
        Field.DENSE: int(stage.dense),
        Field.CHANNELS: g.channels,
        Field.ROWS: g.z_rows,
        Field.COLUMNS: g.z_columns,
        Field.ACTIVATION: IDENTITY if last else ACTIVATIONS.index(net.activation),
        Field.POOL: 0 if pool is None else (1 if pool.kind == "max" else 2),
        Field.POOL_SIZE: 1 if pool is None else pool.size,
        Field.POOL_STEP: 1 if pool is None else pool.step,
        Field.POOLED_ROWS: rows,
        Field.POOLED_COLUMNS: columns,
        Field.OUT_CELLS: g.channels * rows * columns,
    }


def _parameter_places(stage: Stage, parameters: Parameters) -> dict[int, int]:
    at = parameters.at
    slopes = stage.activation.parameters if stage.activation is not None else ()
    return {
        Field.BIAS: at.get(f"{stage.linear.name}.bias", -1),
        Field.NORM: at[stage.norm.parameters[0].name] if stage.norm is not None else -1,
        Field.SLOPES: at[slopes[0].name] if slopes else -1,
        Field.KERNELS: at[stage.linear.parameters[0].name],
    }


def _map_places(
    i: int, stages: list[Stage], geometries: list[Geometry], work: Workspace
) -> dict[int, int]:
    stage, g = stages[i], geometries[i]
    values: dict[int, int] = {
        Field.PARTS: work.parts[i],
        Field.IN: work.inputs[i],
        Field.IN_TILE: work.in_tiles[i],
        Field.IN_CHANNEL: g.in_channel,
        Field.IN_ROW: g.in_row,
        Field.RUN: LANES if g.along_row else g.in_channel,
        Field.Z: work.zs[i],
        Field.Z_TILE: work.z_tiles[i],
        Field.Z_CHANNEL: g.z_channel,
        Field.MASK: work.masks[i],
        Field.NORM_SCRATCH: work.norms[i],
        Field.TURNED: work.turned[i],
        Field.INPUTS: g.inputs,
    }
    if i + 1 < len(stages):
        rows, columns = pooled(stage, g)
        plane = rows * columns * LANES
        values[Field.OUT] = work.inputs[i + 1]
        values[Field.OUT_TILE] = work.in_tiles[i + 1]
        values[Field.OUT_CHANNEL] = plane if stages[i + 1].dense else geometries[i + 1].in_channel
    return values


def _products(
    i: int,
    net: ConvNet,
    stages: list[Stage],
    g: Geometry,
    work: Workspace,
    parameters: Parameters,
    tables: Tables,
) -> dict[int, int]:
    """Add a stage's tables: forward, input gradient (but of the first) and weight gradient."""
    weights, bias = (
        parameters.at.get(f"{stages[i].linear.name}.{x}", -1) for x in ("weight", "bias")
    )
    starts = [first for first, _ in split(g.channels, BLOCK)]
    blocks = []
    for low, high in compute_blocks(g.channels):
        b = sum(first <= low for first in starts) - 1
        blocks.append((high - low, weights + b * g.taps * BLOCK + low - starts[b], low))
    values: dict[int, int] = {}
    for tiles in range(1, TILES_AT_ONCE + 1):
        values[Field.FORWARD + tiles - 1] = tables.product(
            [(*block, bias + block[2] if bias >= 0 else 0) for block in blocks],
            forward_classes(g, tiles, work.in_tiles[i], work.z_tiles[i]),
        )
        if i > 0:
            inputs = g.inputs - (net.side if stages[i - 1].side else 0)
            values[Field.BACKWARD + tiles - 1] = tables.product(
                [
                    (last - first, weights + first * BLOCK, first, 0)
                    for first, last in split(inputs, CHANNELS)
                ],
                backward_classes(g, tiles, work.z_tiles[i], work.in_tiles[i]),
            )
    if work.turned[i] >= 0:
        values[Field.WEIGHTS] = tables.add([*starts, g.channels])
        return values
    jobs = gradient_jobs(g)
    head = [len(blocks), len(jobs) // 8, *(x for block in blocks for x in block)]
    values[Field.WEIGHTS] = tables.add(head + jobs)
    return values


def _winograd_places(
    i: int, stage: Stage, g: Geometry, work: Workspace, parameters: Parameters, tables: Tables
) -> dict[int, int]:
    """Return a stage's fields for Winograd's algorithm; add its tables for strips of any length."""
    winograd = work.winograds[i]
    if winograd is None:
        return {Field.STRIPS: -1}
    span = winograd.span
    tap_blocks = [
        (b * g.inputs * BLOCK, first) for b, (first, _) in enumerate(split(g.channels, BLOCK))
    ]
    blocks = []
    for low, high in compute_blocks(g.channels):
        weight, first = [x for x in tap_blocks if x[1] <= low][-1]
        blocks.append((high - low, weight + low - first, low))
    back_blocks = [
        (last - first, first * BLOCK, first, 0) for first, last in split(g.inputs, CHANNELS)
    ]
    back_segments = [
        x
        for b, (first, last) in enumerate(split(g.channels, BLOCK))
        for x in (first * span, b * g.inputs * BLOCK, last - first)
    ]
    strips = []
    for length in range(1, winograd.strip + 1):
        positions = [(p * LANES, p * LANES) for p in range(length)]
        jobs = [
            x
            for first, last in split(g.inputs, POSITIONS)
            for x in (last - first, first * span, span, first * BLOCK, 1, length, 0, 0)
        ]
        head = [len(blocks), len(jobs) // 8, *(x for block in blocks for x in block)]
        strips += [
            tables.product([(*b, 0) for b in blocks], {0: ([0, 0, g.inputs], positions)}),
            tables.product(back_blocks, {0: (back_segments, positions)}),
            tables.add(head + jobs),
        ]
    return {
        Field.STRIPS: tables.add(strips),
        Field.IN_ROWS: g.rows,
        Field.IN_COLUMNS: g.columns,
        Field.BEFORE: g.before,
        Field.PATCH_ROWS: winograd.rows,
        Field.PATCH_COLUMNS: winograd.columns,
        Field.SPAN: span,
        Field.V: work.v,
        Field.V_STEP: winograd.v_step,
        Field.M: work.m,
        Field.M_STEP: winograd.m_step,
        Field.U: work.us[i],
        Field.U_GRADIENT: work.u_gradient,
        Field.U_STEP: winograd.u_step,
    }


def _side_place(
    net: ConvNet, stages: list[Stage], geometries: list[Geometry], work: Workspace
) -> tuple[int, int]:
    """Return where side features join: after the inputs of a fully connected layer."""
    if not net.side:
        return -1, 0
    joined = len(net.convolutions) + net.side_layer
    own = stages[joined].linear.input[0] - net.side
    return work.inputs[joined] + own * LANES, work.in_tiles[joined]


def _input_place(net: ConvNet, stage: Stage, g: Geometry) -> NDArray[np.int64]:
    """Return where each feature goes within an input tile, inside the padding if there is any."""
    conv = stage.linear.conv
    if conv is None:
        return np.arange(math.prod(net.input_shape), dtype=np.int64) * LANES
    before = (conv.kernel - 1) // 2 if conv.padding == "same" else 0
    channel, row, column = np.meshgrid(*map(np.arange, net.input_shape), indexing="ij")
    place: NDArray[np.int64] = (
        channel * g.in_channel + (row + before) * g.in_row + (column + before) * LANES
    )
    return place.ravel()
