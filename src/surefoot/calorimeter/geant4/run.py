"""The same calorimeter in Geant4: photons of datasets A and B, and a geantino scan.

Geant4 ends the whole process on a fatal error, so it runs in processes of its own
(`surefoot.calorimeter.geant4.application`), one per chunk. A finished chunk is a file: a run that
is started again with the same folder reads it and goes on behind it. Every event is seeded by its
number, so neither the chunks nor the workers change a result.

Photons need Geant4's data sets (about 2 GB): the folder ``GEANT4_DATA_DIR``, or
``~/.geant4_pybind``, where geant4-pybind puts them when it is imported on a terminal and allowed
to. Nothing is asked and nothing is downloaded here. The geantino scan needs none.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.calorimeter.detector import INNER, Shashlik
from surefoot.calorimeter.simulation.chunks import PhotonChunk, in_order
from surefoot.calorimeter.simulation.gun import Dataset
from surefoot.errors import SimulationError, require

NEEDED = ("G4EMLOW", "G4ENSDFSTATE", "G4PARTICLEXS", "PhotonEvaporation")
"""Data sets that every reference physics list opens."""
APPLICATION = "surefoot.calorimeter.geant4.application"


@dataclass(frozen=True)
class Geant4:
    """Geant4 with one detector and one physics list.

    Attributes
    ----------
    detector
        What is built: plane layers, cells without walls, four more cells around the window.
    physics
        A reference physics list of Geant4, or the name of an electromagnetic constructor such as
        ``G4EmStandardPhysics_option4``.
    production_cut
        Range below which no secondary is made, mm.
    """

    detector: Shashlik = INNER
    physics: str = "FTFP_BERT"
    production_cut: float = 0.7

    def run(
        self,
        dataset: Dataset,
        seed: int,
        pieces: Iterator[tuple[int, int]],
        workers: int,
        folder: Path | str | None = None,
    ) -> Iterator[PhotonChunk]:
        """Yield one chunk per (first event, count), in order, from ``workers`` processes.

        Raises
        ------
        MissingExtraError
            If geant4-pybind is not installed.
        SimulationError
            If the data sets are missing or Geant4 stops.
        """
        _check_installed()
        environment = {"GEANT4_DATA_DIR": str(data_directory())}
        return self._run(dataset, seed, pieces, workers, folder, environment)

    def _run(
        self,
        dataset: Dataset,
        seed: int,
        pieces: Iterator[tuple[int, int]],
        workers: int,
        folder: Path | str | None,
        environment: dict[str, str],
    ) -> Iterator[PhotonChunk]:
        with tempfile.TemporaryDirectory() as temporary:
            place = Path(folder or temporary)
            place.mkdir(parents=True, exist_ok=True)

            def one(first: int, count: int) -> PhotonChunk:
                job = self._job(kind="photons", dataset=dataset, seed=seed)
                job |= {"first": first, "count": count}
                path = place / chunk_name(job)
                if not path.exists():
                    _start(job, path, environment)
                chunk = _read_chunk(path)
                if folder is None:
                    path.unlink()
                return chunk

            yield from in_order(one, pieces, workers)

    def scan(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        theta: NDArray[np.float64] | None = None,
        phi: NDArray[np.float64] | None = None,
    ) -> GeantinoScan:
        """Send one geantino in at each ``x``, ``y`` [n] of the front face; needs no data sets.

        Parameters
        ----------
        x, y
            mm from the centre of the central cell.
        theta, phi
            Polar angle to z and azimuth [n], rad; 0 by default.

        Raises
        ------
        MissingExtraError
            If geant4-pybind is not installed.
        SimulationError
            If Geant4 stops.
        """
        _check_installed()
        with tempfile.TemporaryDirectory() as temporary:
            levels = Path(temporary) / "levels"
            levels.mkdir()
            # Geant4 opens the table of nuclear levels whatever is simulated; no level is used.
            (levels / "ENSDFSTATE.dat").touch()
            environment = {"GEANT4_DATA_DIR": str(levels), "G4ENSDFSTATEDATA": str(levels)}
            still = np.zeros(len(x))
            columns = {"x": x, "y": y, "theta": theta, "phi": phi}
            rays = {n: (still if c is None else c).tolist() for n, c in columns.items()}
            job = self._job(kind="geantinos", rays=rays)
            path = Path(temporary) / "scan.npz"
            _start(job, path, environment)
            with np.load(path) as saved:
                return GeantinoScan(saved["radiation_lengths"], saved["cell"], saved["active"])

    def _job(self, **fields: Any) -> dict[str, Any]:
        job: dict[str, Any] = {"detector": asdict(self.detector), "physics": self.physics}
        return job | {"production_cut": self.production_cut} | fields


@dataclass(frozen=True)
class GeantinoScan:
    """What geantinos met on their way through, arrays [n].

    Attributes
    ----------
    radiation_lengths
        Material budget, X0, from Geant4's own radiation lengths.
    cell
        Number of the window's cell that was crossed longest, −1 if none was.
    active
        Length in the scintillator, mm.
    """

    radiation_lengths: NDArray[np.float64]
    cell: NDArray[np.int64]
    active: NDArray[np.float64]


def data_directory() -> Path:
    """Return the folder with Geant4's data sets.

    Raises
    ------
    SimulationError
        If it is not there or lacks a data set.
    """
    given = os.environ.get("GEANT4_DATA_DIR")
    place = Path(given) if given else Path.home() / ".geant4_pybind"
    missing = [name for name in NEEDED if not any(place.glob(name + "*"))]
    if missing:
        raise SimulationError(
            f"Geant4's data sets {', '.join(missing)} are not in {place}; set GEANT4_DATA_DIR to "
            "the folder that holds them, or let geant4-pybind fetch them by running "
            "python -c 'import geant4_pybind' in a terminal without that variable"
        )
    return place


def chunk_name(job: dict[str, Any]) -> str:
    """Return the file name of a chunk: its events, and a digest of everything that shapes them."""
    digest = hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()[:16]
    return f"{job['dataset']}-{job['seed']}-{job['first']}-{job['count']}-{digest}.npz"


def _check_installed() -> None:
    """Raise `MissingExtraError` without importing geant4-pybind, which may ask on the terminal."""
    import importlib.util

    if importlib.util.find_spec("geant4_pybind") is None:
        require("geant4_pybind", extra="geant4")


def _start(job: dict[str, Any], path: Path, environment: dict[str, str]) -> None:
    """Run one job in a process of its own; the result appears at ``path`` only when complete."""
    partial = path.with_suffix(".part.npz")
    done = subprocess.run(
        [sys.executable, "-m", APPLICATION, str(partial)],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    if done.returncode != 0 or not partial.exists():
        raise SimulationError(f"Geant4 stopped: {complaint(done.stdout + done.stderr)}")
    partial.replace(path)


def complaint(output: str) -> str:
    """Return what a failed run said last: Geant4's exception, or else the last line.

    >>> complaint("*** G4Exception : em0003\\n  issued by : here\\nNo data.\\n")
    'em0003, No data.'
    """
    found = re.findall(r"G4Exception : (\S+)\s*\n\s*issued by[^\n]*\n([^\n]*)", output)
    if found:
        return ", ".join(part.strip() for part in found[-1])
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def _read_chunk(path: Path) -> PhotonChunk:
    """Read a finished chunk."""
    try:
        with path.open("rb") as file, np.load(file) as saved:
            return PhotonChunk(**{field.name: saved[field.name] for field in fields(PhotonChunk)})
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise SimulationError(
            f"{path} is not a finished chunk ({error}); delete it to have it simulated again"
        ) from error
