"""Simulated photons on their way: one chunk of images and an ordered, bounded stream of chunks."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import DataError

T = TypeVar("T")


@dataclass(frozen=True)
class PhotonChunk:
    """Images of consecutive photons; every array has one row per photon.

    Attributes
    ----------
    deposits
        [n, cells²] float32, visible energy of each cell, GeV, row-major ``iy * cells + ix``.
    energy
        [n] float32, true photon energy, GeV.
    x, y
        [n] float32, true position, mm from the central cell's centre (see `gun`).
    theta, phi
        [n] float32, incidence angles, rad.
    shower
        [n] int64, number of the photon; no two images share a shower.
    outside
        [n] float32, visible energy beside the window, GeV.
    """

    deposits: NDArray[np.float32]
    energy: NDArray[np.float32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]
    theta: NDArray[np.float32]
    phi: NDArray[np.float32]
    shower: NDArray[np.int64]
    outside: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.energy)


def ranges(first: int, count: int, chunk: int) -> Iterator[tuple[int, int]]:
    """Cut ``count`` events from number ``first`` into (first, length) pieces of at most ``chunk``.

    >>> list(ranges(10, 5, 2))
    [(10, 2), (12, 2), (14, 1)]
    """
    if chunk < 1:
        raise DataError(f"a chunk must hold at least 1 event, not {chunk!r}")
    if count < 0:
        raise DataError(f"the number of events must be 0 or more, not {count!r}")
    for start in range(first, first + count, chunk):
        yield start, min(chunk, first + count - start)


def in_order(
    function: Callable[[int, int], T], pieces: Iterator[tuple[int, int]], workers: int
) -> Iterator[T]:
    """Yield ``function(*piece)`` in the order of the pieces, ``workers`` threads at a time.

    At most ``workers + 1`` results exist at once, however slow the consumer is.
    """
    if workers < 1:
        raise DataError(f"at least 1 worker is needed, not {workers!r}")
    if workers == 1:
        yield from itertools.starmap(function, pieces)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[T]] = deque()
        try:
            for piece in pieces:
                waiting.append(pool.submit(function, *piece))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
