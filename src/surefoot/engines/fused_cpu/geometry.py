"""Where every tap of a convolution finds its numbers: tables of offsets for the matrix kernels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from surefoot.engines.fused_cpu.target import BLOCK, CHANNELS, LANES, POSITIONS

Classes = dict[Any, tuple[list[int], list[tuple[int, int]]]]
"""By the part of the kernel in use: its segments, and the (source, target) of its positions."""


@dataclass
class Geometry:
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
    z_channel: int

    def tap(self, i: Any, y: Any, x: Any) -> Any:
        """Return the number of a tap in the packed order."""
        if self.along_row:
            return (i * self.kernel + y) * self.kernel + x
        return (y * self.kernel + x) * self.inputs + i

    @property
    def taps(self) -> int:
        """Number of taps of one output channel."""
        return self.inputs * self.kernel**2

    @property
    def products(self) -> int:
        """Number of (output cell, kernel cell) pairs that fall on the input map."""
        rows = _reached(self.z_rows, self.rows, self.kernel, self.before)
        return rows * _reached(self.z_columns, self.columns, self.kernel, self.before)


def _reached(outputs: int, inputs: int, kernel: int, before: int) -> int:
    """Return how many (output, tap) pairs along one axis fall on the input."""
    return sum(0 <= o + k - before < inputs for o in range(outputs) for k in range(kernel))


def split(count: int, most: int) -> list[tuple[int, int]]:
    """Cut 0 … count − 1 into as few parts of at most ``most`` as possible, nearly equal."""
    parts = -(-count // most)
    bounds = [round(i * count / parts) for i in range(parts + 1)]
    return list(pairwise(bounds))


class Tables:
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
        classes: Classes,
    ) -> int:
        """Add the table of one product: blocks, and for each class its segments and positions."""
        records = []
        for segments, positions in classes.values():
            at = self.add(segments)
            groups = []
            for first, last in split(len(positions), POSITIONS):
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


def forward_classes(g: Geometry, tiles: int, in_tile: int, z_tile: int) -> Classes:
    """Classes of output positions by the part of the kernel that falls on the input."""
    classes: Classes = {}
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


def _forward_segments(g: Geometry, ys: tuple[int, int], xs: tuple[int, int]) -> list[int]:
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


def backward_classes(g: Geometry, tiles: int, z_tile: int, in_tile: int) -> Classes:
    """Classes of input positions by the part of the kernel through which they were read."""
    classes: Classes = {}
    blocks = split(g.channels, BLOCK)
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
            target = y * g.in_row + x * LANES
            classes[ys, xs][1].extend(
                (source + t * z_tile, target + t * in_tile) for t in range(tiles)
            )
    return classes


def gradient_jobs(g: Geometry) -> list[int]:
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
                for first, last in split(g.kernel, POSITIONS):
                    add(last - first, i, ky, first, LANES)
    else:
        for ky in range(g.kernel):
            for kx in range(g.kernel):
                for first, last in split(g.inputs, POSITIONS):
                    add(last - first, first, ky, kx, g.in_channel)
    return jobs


def uneven(floats: int) -> int:
    """Return a distance between maps that does not map them all to the same cache sets."""
    return floats + LANES if floats % (16 * LANES) == 0 else floats


def compute_blocks(channels: int) -> list[tuple[int, int]]:
    """Cut output channels into blocks as they are stored, and those into blocks as computed."""
    return [
        (first + low, first + high)
        for first, last in split(channels, BLOCK)
        for low, high in split(last - first, CHANNELS)
    ]
