"""Photon samples in files: the columns, their units, and what the file says of itself.

One row per image: ``deposits`` [225] float32 in GeV (visible, row-major ``iy * 15 + ix``),
``energy`` in GeV, ``x`` and ``y`` in mm, ``theta`` and ``phi`` in rad, ``shower`` (number of the
shower), ``outside`` in GeV (visible energy beside the window).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.data.files import open_data_file, write_data_file
from surefoot.data.files.base import ROWS, DataFile, Jagged
from surefoot.errors import DataError, nearest

TREE = "photons"
UNITS = {
    "deposits": "GeV",
    "energy": "GeV",
    "x": "mm",
    "y": "mm",
    "theta": "rad",
    "phi": "rad",
    "shower": "",
    "outside": "GeV",
}
"""Units of the columns of a photon file."""
TITLE = (
    "Photons in a Shashlik calorimeter: deposits (visible), energy, outside in GeV; x, y in mm; "
    "theta, phi in rad; deposits row-major iy*n + ix"
)
SHIPPED = ("A", "B")


def write_photons(
    path: Path | str,
    chunks: Iterable[PhotonChunk],
    *,
    metadata: Mapping[str, Any] | None = None,
    progress: Callable[[int], None] | None = None,
    compression: Any = None,
) -> int:
    """Write chunks of photons to a ``.root``, ``.npz`` or ``.parquet`` file as they come.

    The file appears under its name only when it is complete. ``metadata`` (plain JSON values) is
    kept with the units; ``progress`` is called with the number of images of every chunk written.
    Returns the number of images.

    Raises
    ------
    DataError
        If there is no image or the file cannot be written.
    """

    def columns() -> Iterator[dict[str, NDArray[Any]]]:
        for chunk in chunks:
            yield {field.name: getattr(chunk, field.name) for field in fields(PhotonChunk)}
            if progress is not None:
                progress(len(chunk))

    about = {"units": UNITS, **(metadata or {})}
    return write_data_file(
        path, columns(), tree=TREE, title=TITLE, metadata=about, compression=compression
    )


def open_photons(source: str) -> DataFile:
    """Open the shipped sample ``A`` or ``B``, or a photon file.

    Raises
    ------
    DataError
        If there is no such sample or file, or it cannot be read.
    """
    if source not in SHIPPED:
        if "." not in source:
            raise DataError(
                f"there is no photon sample {source!r}: {nearest(source, SHIPPED)}, or give a file "
                "such as photons.root"
            )
        return open_data_file(source)
    table = open_data_file(str(Path(__file__).parent / "data" / f"photons_{source}.root"))
    table.name = f"photons:{source}"
    return table


def read_photons(source: str) -> PhotonChunk:
    """Read all images of ``A``, ``B`` or a photon file.

    Raises
    ------
    DataError
        If the file is not one, or lacks a column.
    """
    with open_photons(source) as table:
        return _gather(table, iter_photons(table))


def iter_photons(table: DataFile, rows: int = ROWS) -> Iterator[PhotonChunk]:
    """Yield the images of an open table in chunks of about ``rows``."""
    names = [field.name for field in fields(PhotonChunk)]
    for chunk in table.chunks(names, rows):
        columns: dict[str, Any] = {}
        for name in names:
            found = chunk[name]
            values = found.matrix if isinstance(found, Jagged) else found
            if values is None or values.ndim != (2 if name == "deposits" else 1):
                wanted = "one row of cells" if name == "deposits" else "one number"
                raise DataError(f"{table.noun} {name!r} of {table.name} is not {wanted} per image")
            kind = np.int64 if name == "shower" else np.float32
            columns[name] = np.ascontiguousarray(values, dtype=kind)
        yield PhotonChunk(**columns)


def _gather(table: DataFile, chunks: Iterator[PhotonChunk]) -> PhotonChunk:
    """Copy chunks into arrays made once, so that the whole is in memory only once."""
    columns: dict[str, NDArray[Any]] = {}
    start = 0
    for chunk in chunks:
        for field in fields(PhotonChunk):
            values = getattr(chunk, field.name)
            if field.name not in columns:
                shape = (table.rows, *values.shape[1:])
                columns[field.name] = np.empty(shape, dtype=values.dtype)
            columns[field.name][start : start + len(values)] = values
        start += len(chunk)
    if start == 0:
        raise DataError(f"{table.name} holds no images")
    return PhotonChunk(**columns)
