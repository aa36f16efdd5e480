"""Datasets A and B at any size: photons in, chunks of images out.

The fast engine runs `shower_kernels` in threads, the other one Geant4 in
processes. An event's image depends on the seed, the dataset and its number alone: not on the chunk
size, not on the number of workers.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from surefoot.calorimeter.detector import INNER, Shashlik
from surefoot.calorimeter.simulation.chunks import PhotonChunk, in_order, ranges
from surefoot.calorimeter.simulation.gun import Dataset, check_dataset, photons
from surefoot.calorimeter.simulation.shower import Tuning, medium_of
from surefoot.errors import DataError, nearest
from surefoot.seeds.ledger import InstanceSeed, Role, Stream

FAST_VERSION = 2
"""Of the fast showers: it rises whenever the same seed gives other deposits."""
Progress = Callable[[int], None]
CHUNK = {"fast": 2_000, "geant4": 100}
"""Events per chunk: 2 MB of deposits, or some minutes of Geant4."""


def simulate(
    dataset: str,
    n: int,
    seed: int,
    *,
    engine: Literal["fast", "geant4"] = "fast",
    chunk: int | None = None,
    workers: int | None = None,
    first: int = 0,
    detector: Shashlik = INNER,
    noise: float = 0.0,
    threshold: float = 0.0,
    tuning: Tuning | None = None,
    physics: str = "FTFP_BERT",
    folder: Path | str | None = None,
    progress: Progress | None = None,
) -> Iterator[PhotonChunk]:
    """Simulate ``n`` photons of a dataset and yield their images in chunks, in order.

    Parameters
    ----------
    dataset
        "A" or "B" (`surefoot.calorimeter.simulation.gun`).
    n, first
        How many photons, and the number of the first one.
    seed
        Of the ledger, 0 … 2⁶⁴ − 1.
    engine
        "fast" (`shower_kernels`) or "geant4" (`surefoot.calorimeter.geant4`).
    chunk
        Events per chunk (`CHUNK` of the engine by default); bounds the memory to about
        ``workers + 1`` chunks.
    workers
        Threads (fast) or processes (geant4); all cores by default.
    detector
        The calorimeter.
    noise, threshold
        Standard deviation of a cell's electronic noise and smallest value kept, GeV visible.
    tuning
        Of the fast engine; the fit to Geant4 by default.
    physics
        Reference physics list of Geant4.
    folder
        Where Geant4 keeps finished chunks, to go on after an interruption.
    progress
        Called with the number of events of every chunk that is ready.

    Raises
    ------
    DataError
        If an argument is out of range.
    SimulationError
        If Geant4 cannot run.
    """
    name = check_dataset(dataset)
    for label, value in (("noise", noise), ("threshold", threshold)):
        if not (math.isfinite(value) and value >= 0.0):
            raise DataError(f"the {label} must be 0 GeV or more, not {value!r}")
    if engine not in ("fast", "geant4"):
        raise DataError(f"engine {engine!r} does not exist; {nearest(engine, ('fast', 'geant4'))}")
    pieces = ranges(first, n, CHUNK[engine] if chunk is None else chunk)
    count = len(os.sched_getaffinity(0)) if workers is None else workers
    if engine == "geant4":
        from surefoot.calorimeter.geant4.run import Geant4

        chunks = Geant4(detector, physics=physics).run(name, seed, pieces, count, folder)
    else:
        chunks = in_order(
            lambda start, length: fast_chunk(name, start, length, seed, detector, tuning),
            pieces,
            count,
        )
    return _finished(chunks, seed, noise, threshold, progress)


def fast_chunk(
    dataset: Dataset,
    first: int,
    count: int,
    seed: int,
    detector: Shashlik = INNER,
    tuning: Tuning | None = None,
) -> PhotonChunk:
    """Return the fast simulation of photons ``first`` … ``first + count − 1``, without noise."""
    from surefoot.calorimeter.simulation.shower_kernels import fill_deposits

    beam = photons(dataset, count, seed, first=first, detector=detector)
    deposits = np.empty((count, detector.cells**2), dtype=np.float32)
    outside = np.empty(count, dtype=np.float32)
    k0, k1 = InstanceSeed(seed, Role.SIMULATE, first).key(Stream.DRAW)
    fill_deposits(
        np.uint64(k0),
        np.uint64(k1),
        beam.energy,
        beam.front_x,
        beam.front_y,
        beam.theta,
        beam.phi,
        medium_of(detector),
        Tuning(*map(float, tuning or Tuning())),
        deposits,
        outside,
    )
    truth = (beam.energy, beam.x, beam.y, beam.theta, beam.phi)
    energy, x, y, theta, phi = (column.astype(np.float32) for column in truth)
    shower = np.arange(first, first + count, dtype=np.int64)
    return PhotonChunk(deposits, energy, x, y, theta, phi, shower, outside)


def _finished(
    chunks: Iterator[PhotonChunk],
    seed: int,
    noise: float,
    threshold: float,
    progress: Progress | None,
) -> Iterator[PhotonChunk]:
    """Apply noise and threshold, and report progress."""
    from surefoot.calorimeter.simulation.shower_kernels import digitise

    for ready in chunks:
        if noise > 0.0 or threshold > 0.0:
            number = int(ready.shower[0])
            k0, k1 = InstanceSeed(seed, Role.SIMULATE, number).key(Stream.NOISE)
            digitise(np.uint64(k0), np.uint64(k1), noise, threshold, ready.deposits)
        if progress is not None:
            progress(len(ready))
        yield ready
