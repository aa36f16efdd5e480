"""What a network's stages are and where their numbers lie: maps, parameters, statistics."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.convnet.network import ConvNet, Layer
from surefoot.engines.fused_cpu.geometry import Geometry, compute_blocks, split, uneven
from surefoot.engines.fused_cpu.target import BLOCK, LANES, TILES_AT_ONCE

TILES_OF_DENSE = 8
"""Most tiles of a network without convolution that are worked on at once."""
LARGE_MAP = 1 << 20
"""Floats of a first convolution's output from which it is computed twice rather than kept …"""
CHEAP = 0.2
"""… if it takes less than this share of the network's multiply-adds."""
CACHED_PATCHES = 768
"""Patches times channels, in and out, that Winograd's algorithm transforms at once."""


@dataclass
class Stage:
    """One stage: a convolution or fully connected layer and all that follows it up to the next."""

    linear: Layer
    norm: Layer | None = None
    activation: Layer | None = None
    pool: Layer | None = None
    dropout: bool = False
    side: bool = False

    @property
    def dense(self) -> bool:
        """Whether it is a fully connected layer."""
        return self.linear.kind == "dense"


def stages_of(net: ConvNet) -> list[Stage]:
    """Group a network's layers into stages."""
    stages: list[Stage] = []
    for layer in net.layers:
        match layer.kind:
            case "conv" | "dense":
                stages.append(Stage(layer))
            case "batch_norm":
                stages[-1].norm = layer
            case "activation":
                stages[-1].activation = layer
            case "pool":
                stages[-1].pool = layer
            case "dropout":
                stages[-1].dropout = True
            case "side" if stages:
                stages[-1].side = True
            case _:
                pass
    return stages


def geometry_of(stage: Stage, *, first: bool) -> Geometry:
    """Return the geometry of a stage; the first stage's padded input is kept with its padding.

    Without batch normalisation only the cells that pooling reads are computed.
    """
    conv = stage.linear.conv
    if conv is None:
        inputs, units = stage.linear.input[0], stage.linear.output[0]
        return Geometry(inputs, 1, 1, 1, 0, units, 1, 1, LANES, LANES, False, LANES)
    channels, rows, columns = stage.linear.input
    k = conv.kernel
    before = (k - 1) // 2 if conv.padding == "same" else 0
    _, z_rows, z_columns = stage.linear.output
    if stage.pool is not None and stage.norm is None:
        pool = stage.pool.pool
        assert pool is not None
        z_rows = (stage.pool.output[1] - 1) * pool.step + pool.size
        z_columns = (stage.pool.output[2] - 1) * pool.step + pool.size
    if first and conv.padding == "same":
        rows, columns, before = rows + k - 1, columns + k - 1, 0
    return Geometry(
        channels, rows, columns, k, before, conv.channels, z_rows, z_columns,
        uneven(rows * columns * LANES), columns * LANES, first and channels < k,
        uneven(z_rows * z_columns * LANES),
    )  # fmt: skip


def pooled(stage: Stage, geometry: Geometry) -> tuple[int, int]:
    """Return the rows and columns that a stage hands to the next."""
    if stage.pool is None:
        return geometry.z_rows, geometry.z_columns
    return stage.pool.output[1], stage.pool.output[2]


def worthwhile(g: Geometry) -> bool:
    """Return whether Winograd's algorithm makes a 3×3 convolution clearly cheaper.

    Counted in multiply-adds of vectors; the transforms of one patch of a channel take about 40.
    """
    if g.kernel != 3 or g.inputs % 2 or g.along_row:
        return False
    patches = -(-g.z_rows // 2) * -(-g.z_columns // 2)
    direct = g.inputs * g.channels * g.products
    return patches * (16 * g.inputs * g.channels + 40 * (g.inputs + g.channels)) < 0.8 * direct


class Winograd:
    """Sizes of one stage's transformed maps; see `surefoot.engines.fused_cpu.winograd`."""

    def __init__(self, g: Geometry, tiles: int) -> None:
        self.rows, self.columns = -(-g.z_rows // 2), -(-g.z_columns // 2)
        patches = tiles * self.rows * self.columns
        most = max(8, min(24, CACHED_PATCHES // (g.inputs + g.channels)))
        self.strip = -(-patches // -(-patches // most))
        self.span = self.strip * LANES
        self.v_step = g.inputs * self.span + 3 * LANES
        self.m_step = g.channels * self.span + 3 * LANES
        self.u_step = len(split(g.channels, BLOCK)) * g.inputs * BLOCK + LANES


class Workspace:
    """Addresses of all feature maps in the workspace, in floats."""

    def __init__(self, net: ConvNet, stages: list[Stage], geometries: list[Geometry]) -> None:
        self.size = 0
        batch_tiles = -(-net.batch_size // LANES)
        most = TILES_AT_ONCE if net.convolutions else TILES_OF_DENSE
        tiles = batch_tiles if net.batch_norm else min(batch_tiles, most)
        self.tiles = tiles
        self.in_tiles = [g.inputs * g.in_channel for g in geometries]
        features, self.rows = math.prod(net.input_shape), -1
        if not net.convolutions and features >= LANES:
            self.in_tiles[0] = -(-geometries[0].inputs // LANES) * LANES * LANES
            self.rows = self._take(-(-features // LANES) * LANES * LANES)
        self.z_tiles = [g.channels * g.z_channel for g in geometries]
        self.parts = [1] * len(stages)
        work = [stage.linear.multiply_adds for stage in stages]
        if tiles * self.z_tiles[0] > LARGE_MAP and work[0] < CHEAP * sum(work):
            widths = [high - low for low, high in compute_blocks(geometries[0].channels)]
            self.parts[0] = len(widths)
            self.z_tiles[0] = max(widths) * geometries[0].z_channel
        self.inputs = [self._take(tiles * size) for size in self.in_tiles]
        self.zs = [self._take(tiles * size) for size in self.z_tiles]
        self.masks = [
            self._take(tiles * self.in_tiles[i + 1]) if stage.dropout else -1
            for i, stage in enumerate(stages)
        ]
        self.norms = [
            self._take(4 * g.channels) if stage.norm is not None else -1
            for stage, g in zip(stages, geometries, strict=True)
        ]
        self.winograds = [
            Winograd(g, tiles) if i > 0 and worthwhile(g) else None
            for i, g in enumerate(geometries)
        ]
        self.turned = [
            self._take(tiles * LANES * -(-g.channels // LANES) * LANES)
            if not net.convolutions and g.channels >= BLOCK
            else -1
            for g in geometries
        ]
        used = [w for w in self.winograds if w is not None]
        self.v = self._take(max((16 * w.v_step for w in used), default=0))
        self.m = self._take(max((16 * w.m_step for w in used), default=0))
        self.us = [-1 if w is None else self._take(16 * w.u_step) for w in self.winograds]
        self.u_gradient = self._take(max((16 * w.u_step for w in used), default=0))
        planes = [LANES if max(self.turned) >= 0 else 0]
        planes += [g.z_rows * g.z_columns for g in geometries]
        planes += [
            tiles * math.prod(pooled(stage, g))
            for stage, g in zip(stages, geometries, strict=True)
            if stage.norm is not None
        ]
        self.scratch = self._take(max(planes) * LANES)

    def _take(self, floats: int) -> int:
        start = self.size
        self.size += -(-floats // LANES) * LANES
        return start


class Parameters:
    """Where each trained number is kept in the padded vector that the kernels read.

    Weights lie as [block of 8 output channels][tap][8], other arrays as they are, each from a
    multiple of 8 on. The first 8 numbers stay 0 and serve as absent bias. ``place`` gives the
    address of each number of torch's flat order.
    """

    def __init__(self, net: ConvNet, stages: list[Stage], geometries: list[Geometry]) -> None:
        self.starts: dict[str, int] = {}
        flat = 0
        for layer in net.layers:
            for parameter in layer.parameters:
                self.starts[parameter.name] = flat
                flat += parameter.size
        self.place: NDArray[np.int64] = np.empty(flat, dtype=np.int64)
        self.at: dict[str, int] = {}
        self._size = BLOCK
        for stage, geometry in zip(stages, geometries, strict=True):
            self._add_weights(stage.linear.parameters[0].name, geometry)
            others = list(stage.linear.parameters[1:])
            for follower in (stage.norm, stage.activation):
                others += follower.parameters if follower is not None else ()
            for parameter in others:
                self.at[parameter.name] = self._size
                start = self.starts[parameter.name]
                place = self._size + np.arange(parameter.size)
                self.place[start : start + parameter.size] = place
                self._size += -(-parameter.size // BLOCK) * BLOCK

    @property
    def size(self) -> int:
        """Length of the padded vector, a multiple of 16."""
        return -(-self._size // LANES) * LANES

    def _add_weights(self, name: str, g: Geometry) -> None:
        self.at[name] = self._size
        blocks = split(g.channels, BLOCK)
        cells = [np.arange(n) for n in (g.inputs, g.kernel, g.kernel)]
        taps = g.tap(*np.meshgrid(*cells, indexing="ij"))
        place = np.empty((g.channels, *taps.shape), dtype=np.int64)
        for b, (first, last) in enumerate(blocks):
            for channel in range(first, last):
                place[channel] = self._size + (b * g.taps + taps) * BLOCK + channel - first
        start = self.starts[name]
        self.place[start : start + place.size] = place.ravel()
        self._size += len(blocks) * g.taps * BLOCK
