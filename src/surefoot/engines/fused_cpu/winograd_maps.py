"""The small steps of `surefoot.engines.fused_cpu.winograd`: its one-dimensional maps, and cells.

A map in two dimensions is one in one dimension over the columns, then over the rows. With the
letters of `winograd`: ``input_map`` is Bᵀ, ``output_map`` Aᵀ and ``kernel_map`` G; ``…_back`` are
their transposes. Cells outside a map count as 0 and take no gradient.
"""

from __future__ import annotations

from surefoot.engines.fused_cpu.inner import inner
from surefoot.engines.fused_cpu.target import LANES
from surefoot.engines.fused_cpu.vectors import fill, like, load, store


@inner
def input_map(a, b, c, d):
    """Return Bᵀ of four cells."""
    return a - c, b + c, c - b, b - d


@inner
def input_map_back(a, b, c, d):
    """Return B of four gradients of transformed cells."""
    return a, b - c + d, b + c - a, like(a, 0.0) - d


@inner
def output_map(a, b, c, d):
    """Return Aᵀ of four frequencies: two outputs."""
    return a + b + c, b - c - d


@inner
def output_map_back(a, b):
    """Return A of two outputs' gradients."""
    return a, a + b, a - b, like(a, 0.0) - b


@inner
def kernel_map(a, b, c):
    """Return G of three weights."""
    half = like(a, 0.5)
    return a, (a + b + c) * half, (a - b + c) * half, c


@inner
def kernel_map_back(a, b, c, d):
    """Return Gᵀ of four gradients of transformed weights."""
    half = like(a, 0.5)
    return a + (b + c) * half, (b - c) * half, (b + c) * half + d


@inner
def store_row(work, at, step, row):
    """Store four vectors, ``step`` apart."""
    store(work, at, row[0])
    store(work, at + step, row[1])
    store(work, at + 2 * step, row[2])
    store(work, at + 3 * step, row[3])


@inner
def column(work, at, step):
    """Return four vectors, ``step`` apart."""
    return (
        load(work, at), load(work, at + step), load(work, at + 2 * step), load(work, at + 3 * step),
    )  # fmt: skip


@inner
def columns_of(work, at, step):
    """Return the four columns of 4×4 frequencies."""
    a, b = column(work, at, 4 * step), column(work, at + step, 4 * step)
    at += 2 * step
    return a, b, column(work, at, 4 * step), column(work, at + step, 4 * step)


@inner
def cell(work, at, row, y, x, rows, columns):
    """Return the cell of the map at ``at``, 0 outside; ``row`` is the length of a row."""
    if 0 <= y < rows and 0 <= x < columns:
        return load(work, at + y * row + x * LANES)
    return fill(work, 0)


@inner
def column_of_cells(work, at, row, y, x, rows, columns):
    """Return four cells of a column, 0 outside the map."""
    return (
        cell(work, at, row, y, x, rows, columns),
        cell(work, at, row, y + 1, x, rows, columns),
        cell(work, at, row, y + 2, x, rows, columns),
        cell(work, at, row, y + 3, x, rows, columns),
    )


@inner
def add_to(array, at, value):
    """Add a vector to the one at ``at``."""
    store(array, at, load(array, at) + value)


@inner
def add_row(work, at, row, y, x, rows, columns):
    """Add four cells to a row of a map at ``at``, those inside it."""
    if 0 <= y < rows:
        if 0 <= x < columns:
            add_to(work, at, row[0])
        if 0 <= x + 1 < columns:
            add_to(work, at + LANES, row[1])
        if 0 <= x + 2 < columns:
            add_to(work, at + 2 * LANES, row[2])
        if 0 <= x + 3 < columns:
            add_to(work, at + 3 * LANES, row[3])
