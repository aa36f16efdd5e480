"""What is computed from the cells of an image: sums, barycentres, squares around a cell.

Images are [n, cells²] float32 in GeV, row-major ``iy * cells + ix``. Every sum runs over the cells
in their order in double precision, so a number is the same on any machine.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from surefoot.calorimeter.detector import INNER
from surefoot.errors import DataError

Floats = NDArray[np.float64]
Images = NDArray[np.float32]

BLOCK = 8_192
"""Images summed at once: bounds the memory to 15 MB of double precision."""


def window(images: Images, what: str = "the images") -> int:
    """Return the number of cells along a side of the square window.

    Raises
    ------
    DataError
        If the number of cells is not the square of an odd number.
    """
    side = math.isqrt(images.shape[1])
    if side * side != images.shape[1] or side % 2 == 0:
        raise DataError(
            f"{what} have {images.shape[1]} cells; a window around a central cell has the square "
            "of an odd number, such as 225"
        )
    return side


def weighted_sums(images: Images, weights: Floats) -> Floats:
    """Return Σ_j w_kj e_j for weights [k, cells²]: an array [k, n]."""
    sums = np.empty((len(weights), len(images)))
    for start in range(0, len(images), BLOCK):
        cells = np.ascontiguousarray(images[start : start + BLOCK].T, dtype=np.float64)
        for row, weight in enumerate(weights):
            total = np.zeros(cells.shape[1])
            for cell in np.flatnonzero(weight):
                total += weight[cell] * cells[cell]
            sums[row, start : start + BLOCK] = total
    return sums


def deposit_sum(images: Images) -> Floats:
    """Return Σe over the window, GeV [n]."""
    return np.asarray(weighted_sums(images, np.ones((1, images.shape[1])))[0])


def offsets(side: int, pitch: float) -> Floats:
    """Return x and y of the cells' centres from the window's centre, mm [2, cells²]."""
    along = (np.arange(side) - side // 2) * pitch
    return np.stack([np.tile(along, side), np.repeat(along, side)])


def barycentre(images: Images, pitch: float = INNER.pitch) -> Floats:
    """Return (Σ e x / Σ e, Σ e y / Σ e) from the window's centre, mm [n, 2].

    Raises
    ------
    DataError
        If the deposits of an image do not sum to a positive energy.
    """
    side = window(images)
    total = positive_sums(images, "a barycentre needs")
    x, y = weighted_sums(images, offsets(side, pitch))
    return np.asarray(np.stack([x / total, y / total], axis=1))


def fractions(images: Images) -> Images:
    """Return e / Σe, the deposits over their sum [n, cells²].

    Raises
    ------
    DataError
        If the deposits of an image do not sum to a positive energy.
    """
    return np.asarray(images / positive_sums(images, "fractions need")[:, None], np.float32)


def positive_sums(images: Images, purpose: str) -> Floats:
    """Return Σe, GeV [n].

    Raises
    ------
    DataError
        If one is not positive; ``purpose`` says what needs it, as in ``a barycentre needs``.
    """
    total = deposit_sum(images)
    empty = np.flatnonzero(~(total > 0.0))
    if empty.size:
        raise DataError(
            f"the deposits of example {empty[0]} sum to {total[empty[0]]:g} GeV ({empty.size} such "
            f"examples): {purpose} a positive sum"
        )
    return total


def hottest(images: Images) -> NDArray[np.intp]:
    """Return the cell with the largest deposit, the first of equals [n]."""
    return np.asarray(images.argmax(axis=1))


def square(images: Images, centre: NDArray[np.intp], width: int) -> Floats:
    """Return the ``width`` × ``width`` cells around ``centre`` [n], row-major [n, width²].

    Cells beyond the window's edge count as zero.

    Raises
    ------
    DataError
        If ``width`` is even, not positive or wider than the window.
    """
    side = window(images)
    if not 1 <= width <= side or width % 2 == 0:
        raise DataError(f"a square around a cell has an odd side of 1 to {side}, not {width!r}")
    half = width // 2
    row, column = np.divmod(centre, side)
    every = np.arange(len(images))
    cells = np.zeros((len(images), width * width))
    for place in range(width * width):
        y = row + place // width - half
        x = column + place % width - half
        inside = (y >= 0) & (y < side) & (x >= 0) & (x < side)
        cells[inside, place] = images[every[inside], (y * side + x)[inside]]
    return cells


def square_sum(images: Images, width: int) -> Floats:
    """Return the sum of the ``width`` × ``width`` cells around the hottest one, GeV [n]."""
    total = np.zeros(len(images))
    for cell in square(images, hottest(images), width).T:
        total += cell
    return total


def cluster_features(images: Images) -> NDArray[np.float32]:
    """Return the features that trees are grown on [n, 32] (paper §4: sums around the hottest cell).

    In order: Σe of the window, of the 5 × 5 and of the 3 × 3 cells around the hottest one, and its
    own deposit, GeV (4); their squares and products, GeV² (10); the columns, then the rows, of the
    3 × 3 square as shares of its sum, the same of the 5 × 5 square (6 + 10); column and row of the
    hottest cell, counted from the window's centre (2).
    """
    side = window(images)
    centre = hottest(images)
    shares, sums = [], [deposit_sum(images)]
    for width in (5, 3):
        grid = square(images, centre, width).reshape(-1, width, width)
        lines = np.concatenate([_folded(grid, 1), _folded(grid, 2)], axis=1)
        sums.append(_folded(lines[:, :width], 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            share = lines / sums[-1][:, None]
        shares.append(np.where(np.isfinite(share), share, 0.0))
    sums.append(images[np.arange(len(images)), centre].astype(np.float64))
    products = [sums[i] * sums[j] for i in range(4) for j in range(i, 4)]
    place = np.stack([centre % side, centre // side], axis=1) - side // 2
    columns = np.stack(sums + products, axis=1)
    return np.concatenate([columns, *reversed(shares), place], axis=1).astype(np.float32)


def paper_features(images: Images) -> NDArray[np.float32]:
    """Return the features that the paper names for its trees [n, cells² + 5].

    In order: the cells, GeV; the sums of the 3 × 3 and of the 5 × 5 cells around the hottest one,
    GeV (2); their squares and product, GeV² (3). The paper (§3.10) tells of sums in two squares,
    whose sizes are lost, and of "polynomial combinations"; that the cells are among the features
    is a guess, without which no position could be told.
    """
    sums = [square_sum(images, width) for width in (3, 5)]
    products = [sums[0] * sums[0], sums[0] * sums[1], sums[1] * sums[1]]
    return np.column_stack([images, *sums, *products]).astype(np.float32)


def _folded(values: Floats, axis: int) -> Floats:
    """Sum along an axis, one entry after another."""
    total = np.zeros_like(values.take(0, axis=axis))
    for index in range(values.shape[axis]):
        total += values.take(index, axis=axis)
    return total
