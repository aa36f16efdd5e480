"""A `ConvNet` as tables of integers that the compiled kernels walk: no compile per architecture.

Every stage is: convolution (a fully connected layer is one on a 1×1 map) → [batch normalisation] →
activation → [pooling] → [dropout] → [side features join]. `Field` names the columns of the stage
table [stages, fields]; offsets count floats. Feature maps are [tile][channel][row][column][16].

Only cells that pooling reads are computed, unless batch normalisation needs them for its averages.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.convnet import ACTIVATIONS, ConvNet
from surefoot.candidates.layers import Layer
from surefoot.engines.fused_cpu.target import BLOCK, CHANNELS, LANES, POSITIONS, TILES_AT_ONCE
from surefoot.philox import dropout_threshold

IDENTITY = len(ACTIVATIONS)
"""Activation code of the output layer: none."""

LARGE_MAP = 1 << 16
"""Floats of a first convolution's output from which it is computed twice rather than kept …"""
CHEAP = 0.2
"""… if it takes less than this share of the network's multiply-adds."""


class Field(enum.IntEnum):
    """Columns of the stage table."""

    CHANNELS = 0
    ROWS = 1
    COLUMNS = 2
    """Channels and computed rows and columns of the convolution's output."""
    ACTIVATION = 3
    NORM = 4
    """Address of (scale, shift) in the parameters, or −1."""
    SLOPES = 5
    """Address of PReLU's slopes in the parameters, or −1."""
    BIAS = 6
    """Address of the bias in the parameters, or −1."""
    POOL = 7
    """0 none, 1 max, 2 average."""
    POOL_SIZE = 8
    POOL_STEP = 9
    POOLED_ROWS = 10
    POOLED_COLUMNS = 11
    IN = 12
    IN_TILE = 13
    IN_CHANNEL = 14
    IN_ROW = 15
    """Address of the input map, floats from tile to tile, channel to channel and row to row."""
    Z = 16
    Z_TILE = 17
    Z_CHANNEL = 18
    """The convolution's output; its gradient replaces it on the way back."""
    OUT = 19
    OUT_TILE = 20
    OUT_CHANNEL = 21
    """The next stage's input, which this one fills; its gradient replaces it on the way back."""
    PARTS = 22
    """1, or the number of channel blocks if Z holds one at a time, computed again on the way
    back: this keeps the first stage's large maps within the cache."""
    FORWARD = 23
    """FORWARD + tiles − 1: table of the forward product for so many tiles."""
    BACKWARD = FORWARD + TILES_AT_ONCE
    """BACKWARD + tiles − 1: table of the input gradient for so many tiles; −1 for the first."""
    WEIGHTS = BACKWARD + TILES_AT_ONCE
    """Table of the weight gradient's jobs."""
    MASK = WEIGHTS + 1
    MASK_LAYER = WEIGHTS + 2
    MASK_THRESHOLD = WEIGHTS + 3
    """Address of the dropout mask of OUT or −1, number of the dropout layer, 32-bit threshold."""
    SIDE = WEIGHTS + 4
    """Address within a tile of OUT where side features go, or −1."""
    STATISTICS = WEIGHTS + 5
    """Address in the running statistics of batch normalisation: means, then variances."""
    OUT_CELLS = WEIGHTS + 6
    """Cells of OUT that the pooling fills: channels × pooled rows × pooled columns."""
    NORM_SCRATCH = WEIGHTS + 7
    """Address of per-channel scale and shift, mean and inverse deviation as applied."""
    RUN = WEIGHTS + 8
    """Floats from one input of a run to the next: IN_CHANNEL, or 16 along a kernel's row."""
    TAPS = WEIGHTS + 9


@dataclass(eq=False)
class Program:
    """What the kernels need to know about one network.

    ``place`` [number_of_parameters] says where each trained number of torch's flat order is kept
    in the padded vector of ``parameters`` numbers; its first 8 stay 0 and serve as absent bias.
    """

    stages: NDArray[np.int64]
    table: NDArray[np.int64]
    place: NDArray[np.int64]
    parameters: int
    statistics: int
    workspace: int
    tiles: int
    """Tiles worked off together."""
    input_at: int
    input_place: NDArray[np.int64]
    """Address in a tile of each of the F features."""
    side: int
    side_stage: int
    outputs: int
    scratch: int
    """Address of one plane of the largest map, or of a pooled plane of all tiles."""
    whole_batch: bool
    """Whether batch normalisation asks for the whole batch at once."""
    batch_norms: tuple[str, ...] = field(default=())


@dataclass
class _Stage:
    """One stage while its tables are being made."""

    linear: Layer
    norm: Layer | None = None
    activation: Layer | None = None
    pool: Layer | None = None
    dropout: bool = False
    side: bool = False


def _stages(net: ConvNet) -> list[_Stage]:
    stages: list[_Stage] = []
    for layer in net.layers:
        match layer.kind:
            case "conv" | "dense":
                stages.append(_Stage(layer))
            case "batch_norm":
                stages[-1].norm = layer
            case "activation":
                stages[-1].activation = layer
            case "pool":
                stages[-1].pool = layer
            case "dropout":
                stages[-1].dropout = True
            case "side":
                stages[-1].side = True
            case "flatten":
                pass
    return stages


@dataclass
class _Geometry:
    """Sizes of a stage's convolution: input map, kernel, computed part of the output."""

    inputs: int
    rows: int
    columns: int
    kernel: int
    before: int
    channels: int
    z_rows: int
    z_columns: int
    in_channel: int
    in_row: int
    along_row: bool
    """Runs go along the kernel's row (few input channels) rather than over input channels."""
    z_channel: int = 0

    def tap(self, i: int, y: int, x: int) -> int:
        """Return the number of a tap in the packed order."""
        if self.along_row:
            return (i * self.kernel + y) * self.kernel + x
        return (y * self.kernel + x) * self.inputs + i

    @property
    def taps(self) -> int:
        return self.inputs * self.kernel**2


def _split(count: int, most: int) -> list[tuple[int, int]]:
    """Cut 0 … count − 1 into as few parts of at most ``most`` as possible, nearly equal."""
    parts = -(-count // most)
    bounds = [round(i * count / parts) for i in range(parts + 1)]
    return list(zip(bounds[:-1], bounds[1:], strict=True))


class _Tables:
    """Grows the table of int64 that all kernels read."""

    def __init__(self) -> None:
        self.values: list[int] = []

    def add(self, values: list[int]) -> int:
        """Append values and return where they start."""
        start = len(self.values)
        self.values += values
        return start

    def product(
        self,
        blocks: list[tuple[int, int, int, int]],
        classes: dict[Any, tuple[list[int], list[tuple[int, int]]]],
    ) -> int:
        """Add the table of one product: blocks, and for each class its segments and positions."""
        records = []
        for segments, positions in classes.values():
            at = self.add(segments)
            groups = []
            for first, last in _split(len(positions), POSITIONS):
                group = [x for pair in positions[first:last] for x in pair]
                groups += [last - first, *group, *[0] * (2 * POSITIONS - len(group))]
            records += [
                at,
                len(segments) // 3,
                self.add(groups),
                len(groups) // (1 + 2 * POSITIONS),
            ]
        head = [len(blocks), len(classes), *[x for block in blocks for x in block]]
        return self.add(head + records)


def _range(low: int, high: int, kernel: int) -> tuple[int, int]:
    return max(0, low), min(kernel, high)


def _forward(
    g: _Geometry, tiles: int, in_tile: int, z_tile: int
) -> dict[Any, tuple[list[int], list[tuple[int, int]]]]:
    """Classes of output positions by the part of the kernel that falls on the input."""
    classes: dict[Any, tuple[list[int], list[tuple[int, int]]]] = {}
    for y in range(g.z_rows):
        ys = _range(g.before - y, g.rows + g.before - y, g.kernel)
        for x in range(g.z_columns):
            xs = _range(g.before - x, g.columns + g.before - x, g.kernel)
            if (ys, xs) not in classes:
                classes[ys, xs] = (_forward_segments(g, ys, xs), [])
            source = (y - g.before) * g.in_row + (x - g.before) * LANES
            target = (y * g.z_columns + x) * LANES
            classes[ys, xs][1].extend(
                (source + t * in_tile, target + t * z_tile) for t in range(tiles)
            )
    return classes


def _forward_segments(g: _Geometry, ys: tuple[int, int], xs: tuple[int, int]) -> list[int]:
    segments = []
    if g.along_row:
        for i in range(g.inputs):
            for y in range(*ys):
                offset = i * g.in_channel + y * g.in_row + xs[0] * LANES
                segments += [offset, g.tap(i, y, xs[0]) * BLOCK, xs[1] - xs[0]]
    else:
        for y in range(*ys):
            for x in range(*xs):
                segments += [y * g.in_row + x * LANES, g.tap(0, y, x) * BLOCK, g.inputs]
    return segments


def _backward(
    g: _Geometry, tiles: int, z_tile: int, gradient_tile: int, gradient_row: int
) -> dict[Any, tuple[list[int], list[tuple[int, int]]]]:
    """Classes of input positions by the part of the kernel through which they were read."""
    classes: dict[Any, tuple[list[int], list[tuple[int, int]]]] = {}
    blocks = _split(g.channels, BLOCK)
    for y in range(g.rows):
        ys = _range(y + g.before - g.z_rows + 1, y + g.before + 1, g.kernel)
        for x in range(g.columns):
            xs = _range(x + g.before - g.z_columns + 1, x + g.before + 1, g.kernel)
            if (ys, xs) not in classes:
                segments = []
                for b, (first, last) in enumerate(blocks):
                    for ky in range(*ys):
                        for kx in range(*xs):
                            cell = (g.before - ky) * g.z_columns + g.before - kx
                            weight = (b * g.taps + g.tap(0, ky, kx)) * BLOCK
                            segments += [first * g.z_channel + cell * LANES, weight, last - first]
                classes[ys, xs] = (segments, [])
            source = (y * g.z_columns + x) * LANES
            target = y * gradient_row + x * LANES
            classes[ys, xs][1].extend(
                (source + t * z_tile, target + t * gradient_tile) for t in range(tiles)
            )
    return classes


def _jobs(g: _Geometry) -> list[int]:
    """Jobs of the weight gradient: groups of taps that share their rectangle of positions."""
    jobs: list[int] = []

    def add(taps: int, i: int, ky: int, kx: int, step: int) -> None:
        y0, y1 = max(0, g.before - ky), min(g.z_rows, g.rows + g.before - ky)
        x0, x1 = max(0, g.before - kx), min(g.z_columns, g.columns + g.before - kx)
        if y0 >= y1 or x0 >= x1:
            return
        offset = i * g.in_channel + (y0 + ky - g.before) * g.in_row
        offset += (x0 + kx - g.before) * LANES
        first = (y0 * g.z_columns + x0) * LANES
        weight = g.tap(i, ky, kx) * BLOCK
        jobs.extend([taps, offset, step, weight, y1 - y0, x1 - x0, first, 0])

    if g.along_row:
        for i in range(g.inputs):
            for ky in range(g.kernel):
                for first, last in _split(g.kernel, POSITIONS):
                    add(last - first, i, ky, first, LANES)
    else:
        for ky in range(g.kernel):
            for kx in range(g.kernel):
                for first, last in _split(g.inputs, POSITIONS):
                    add(last - first, first, ky, kx, g.in_channel)
    return jobs


def _uneven(floats: int) -> int:
    """Return a distance between maps that does not map them all to the same cache sets."""
    return floats + LANES if floats % (16 * LANES) == 0 else floats


@lru_cache(maxsize=256)
def compile_program(net: ConvNet, evaluate_only: bool = False) -> Program:
    """Return the tables of a network."""
    stages = _stages(net)
    whole = net.batch_norm and not evaluate_only
    tables = _Tables()
    channels, rows, columns = net.input_shape
    geometries: list[_Geometry] = []
    for number, stage in enumerate(stages):
        conv = stage.linear.conv
        if conv is None:
            inputs = stage.linear.input[0]
            g = _Geometry(inputs, 1, 1, 1, 0, stage.linear.output[0], 1, 1, LANES, LANES, False)
        else:
            channels, rows, columns = stage.linear.input
            k = conv.kernel
            before = (k - 1) // 2 if conv.padding == "same" else 0
            _, z_rows, z_columns = stage.linear.output
            if stage.pool is not None and not net.batch_norm:
                pool = stage.pool.pool
                assert pool is not None
                z_rows = (stage.pool.output[1] - 1) * pool.step + pool.size
                z_columns = (stage.pool.output[2] - 1) * pool.step + pool.size
            if number == 0 and conv.padding == "same":
                rows, columns, before = rows + k - 1, columns + k - 1, 0
            plane = rows * columns * LANES
            g = _Geometry(
                channels, rows, columns, k, before, conv.channels, z_rows, z_columns,
                _uneven(plane), columns * LANES, number == 0 and channels < k,
            )  # fmt: skip
        g.z_channel = _uneven(g.z_rows * g.z_columns * LANES)
        if stage.linear.kind == "conv" and number + 1 < len(stages):
            following = stages[number + 1].linear
            if following.kind == "dense":  # flattened: one channel after the other
                pass
        geometries.append(g)

    in_tiles = [
        g.inputs * g.in_channel if s.linear.kind == "conv" else g.inputs * LANES
        for s, g in zip(stages, geometries, strict=True)
    ]
    z_tiles = [g.channels * g.z_channel for g in geometries]
    mask_tiles = [in_tiles[i + 1] if s.dropout else 0 for i, s in enumerate(stages[:-1])] + [0]
    batch_tiles = -(-net.batch_size // LANES)
    tiles = batch_tiles if whole else min(batch_tiles, TILES_AT_ONCE)
    parts = [1] * len(stages)
    work = [s.linear.multiply_adds for s in stages]
    if tiles * z_tiles[0] > LARGE_MAP and work[0] < CHEAP * sum(work):
        widths = [high - low for low, high in _compute_blocks(geometries[0].channels)]
        parts[0] = len(widths)
        z_tiles[0] = max(widths) * geometries[0].z_channel

    at = 0

    def take(floats: int) -> int:
        nonlocal at
        start, at = at, at + -(-floats // LANES) * LANES
        return start

    inputs_at = [take(tiles * size) for size in in_tiles]
    zs_at = [take(tiles * size) for size in z_tiles]
    masks_at = [take(tiles * size) if size else -1 for size in mask_tiles]
    norms_at = [take(4 * g.channels) if s.norm else -1 for s, g in zip(stages, geometries)]
    planes = [g.z_rows * g.z_columns for g in geometries]
    if net.batch_norm:
        planes += [
            tiles * math.prod((s.pool or s.linear).output[1:]) for s in stages if s.norm is not None
        ]
    scratch = take(max(planes) * LANES)

    starts: dict[str, int] = {}
    flat = 0
    for layer in net.layers:
        for parameter in layer.parameters:
            starts[parameter.name] = flat
            flat += parameter.size
    place = np.empty(flat, dtype=np.int64)
    position = BLOCK
    statistics = 0
    records = []
    dropouts = 0
    for number, (stage, g) in enumerate(zip(stages, geometries, strict=True)):
        weight = stage.linear.parameters[0]
        blocks = _split(g.channels, BLOCK)
        weights_at = position
        position += len(blocks) * g.taps * BLOCK
        index = np.empty((g.channels, g.inputs, g.kernel, g.kernel), dtype=np.int64)
        i, y, x = np.meshgrid(
            np.arange(g.inputs), np.arange(g.kernel), np.arange(g.kernel), indexing="ij"
        )
        for b, (first, last) in enumerate(blocks):
            for c in range(first, last):
                index[c] = weights_at + (b * g.taps + g.tap(i, y, x)) * BLOCK + c - first
        place[starts[weight.name] : starts[weight.name] + weight.size] = index.ravel()

        vectors = {}
        for layer in (stage.linear, stage.norm, stage.activation):
            for parameter in layer.parameters if layer is not None else ():
                if parameter is weight:
                    continue
                vectors[parameter.name] = position
                start = starts[parameter.name]
                place[start : start + parameter.size] = position + np.arange(parameter.size)
                position += -(-parameter.size // BLOCK) * BLOCK
        bias = vectors.get(f"{stage.linear.name}.bias", -1)
        norm = vectors[stage.norm.parameters[0].name] if stage.norm is not None else -1
        slopes = -1
        if stage.activation is not None and stage.activation.parameters:
            slopes = vectors[stage.activation.parameters[0].name]

        compute = []
        for b, (first, last) in enumerate(blocks):
            for low, high in _split(last - first, CHANNELS):
                where = weights_at + b * g.taps * BLOCK + low
                compute.append((high - low, where, first + low))
        forward_blocks = [
            (size, where, channel, bias + channel if bias >= 0 else 0)
            for size, where, channel in compute
        ]
        last_stage = number == len(stages) - 1
        forward, backward = [], []
        for count in range(1, TILES_AT_ONCE + 1):
            forward.append(
                tables.product(
                    forward_blocks, _forward(g, count, in_tiles[number], z_tiles[number])
                )
            )
            if number == 0:
                backward.append(-1)
                continue
            previous = stages[number - 1]
            main = g.inputs - (net.side if previous.side else 0)
            back_blocks = [
                (last - first, weights_at + first * BLOCK, first, 0)
                for first, last in _split(main, CHANNELS)
            ]
            classes = _backward(g, count, z_tiles[number], in_tiles[number], g.in_row)
            backward.append(tables.product(back_blocks, classes))
        jobs = _jobs(g)
        weight_table = tables.add(
            [
                len(compute), len(jobs) // 8,
                *[x for block in compute for x in block],
                *jobs,
            ]
        )  # fmt: skip

        record = np.zeros(Field.TAPS + 1, dtype=np.int64)
        pool = stage.pool.pool if stage.pool is not None else None
        pooled = stage.pool.output[1:] if stage.pool is not None else (g.z_rows, g.z_columns)
        values: dict[int, int] = {
            Field.CHANNELS: g.channels,
            Field.ROWS: g.z_rows,
            Field.COLUMNS: g.z_columns,
            Field.ACTIVATION: IDENTITY if last_stage else ACTIVATIONS.index(net.activation),
            Field.NORM: norm,
            Field.SLOPES: slopes,
            Field.BIAS: bias,
            Field.POOL: 0 if pool is None else (1 if pool.kind == "max" else 2),
            Field.POOL_SIZE: 1 if pool is None else pool.size,
            Field.POOL_STEP: 1 if pool is None else pool.step,
            Field.POOLED_ROWS: pooled[0],
            Field.POOLED_COLUMNS: pooled[1],
            Field.IN: inputs_at[number],
            Field.IN_TILE: in_tiles[number],
            Field.IN_CHANNEL: g.in_channel,
            Field.IN_ROW: g.in_row,
            Field.Z: zs_at[number],
            Field.Z_TILE: z_tiles[number],
            Field.PARTS: parts[number],
            Field.Z_CHANNEL: g.z_channel,
            Field.WEIGHTS: weight_table,
            Field.MASK: masks_at[number],
            Field.MASK_LAYER: dropouts if stage.dropout else -1,
            Field.MASK_THRESHOLD: dropout_threshold(net.dropout) if stage.dropout else 0,
            Field.SIDE: -1,
            Field.STATISTICS: statistics if stage.norm is not None else -1,
            Field.NORM_SCRATCH: norms_at[number],
            Field.OUT_CELLS: g.channels * pooled[0] * pooled[1],
            Field.RUN: LANES if g.along_row else g.in_channel,
            Field.TAPS: g.taps,
        }
        dropouts += stage.dropout
        if stage.norm is not None:
            statistics += 2 * g.channels
        if not last_stage:
            following = geometries[number + 1]
            dense = stages[number + 1].linear.kind == "dense"
            values |= {
                Field.OUT: inputs_at[number + 1],
                Field.OUT_TILE: in_tiles[number + 1],
                Field.OUT_CHANNEL: pooled[0] * pooled[1] * LANES if dense else following.in_channel,
            }
            if stage.side:
                values[Field.SIDE] = g.channels * pooled[0] * pooled[1] * LANES
        for column, value in values.items():
            record[column] = value
        for count in range(TILES_AT_ONCE):
            record[Field.FORWARD + count] = forward[count]
            record[Field.BACKWARD + count] = backward[count]
        records.append(record)

    first = geometries[0]
    channels, rows, columns = net.input_shape
    pad_row = pad_column = 0
    conv = stages[0].linear.conv
    if conv is not None and conv.padding == "same":
        pad_row = pad_column = (conv.kernel - 1) // 2
    c, y, x = np.meshgrid(np.arange(channels), np.arange(rows), np.arange(columns), indexing="ij")
    input_place = c * first.in_channel + (y + pad_row) * first.in_row + (x + pad_column) * LANES
    side_stage = next((i for i, s in enumerate(stages) if s.side), -1)
    return Program(
        stages=np.array(records),
        table=np.array(tables.values, dtype=np.int64),
        place=place,
        parameters=math.ceil(position / LANES) * LANES,
        statistics=statistics,
        workspace=at,
        tiles=tiles,
        input_at=inputs_at[0],
        input_place=input_place.ravel(),
        side=net.side,
        side_stage=side_stage,
        outputs=net.outputs,
        scratch=scratch,
        whole_batch=whole,
        batch_norms=tuple(s.norm.name for s in stages if s.norm is not None),
    )


def _compute_blocks(channels: int) -> list[tuple[int, int]]:
    """Cut output channels into blocks as they are stored, and those into blocks as computed."""
    return [
        (first + low, first + high)
        for first, last in _split(channels, BLOCK)
        for low, high in _split(last - first, CHANNELS)
    ]
