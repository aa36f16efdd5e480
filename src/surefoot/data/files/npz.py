"""NumPy's npz archives, a stretch of rows at a time: a member is never in memory whole."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.lib import format as npy

from surefoot.data.files.base import ROWS, Chunk, DataFile, Values

METADATA = "metadata"


class NpzFile(DataFile):
    """Arrays of an npz file whose first axes agree."""

    kind: ClassVar[str] = "npz file"
    noun: ClassVar[str] = "array"

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        with self.reading():
            self._file = zipfile.ZipFile(path)
            self._headers = {}
            for name in self._file.namelist():
                if name.endswith(".npy"):
                    with self._file.open(name) as stream:
                        self._headers[name.removesuffix(".npy")] = _header_of(stream)
        self.columns = [name for name, (shape, _, _) in self._headers.items() if shape]
        self.rows = max((self._headers[name][0][0] for name in self.columns), default=0)

    def about(self) -> str | None:
        """Return the text of its metadata; see `DataFile.about`."""
        shape, _, dtype = self._headers.get(METADATA, ((0,), False, np.dtype(float)))
        if shape or dtype.kind != "U":
            return None
        with self._file.open(f"{METADATA}.npy") as stream:
            return str(npy.read_array(stream, allow_pickle=False))

    def chunks(self, columns: Sequence[str], rows: int = ROWS) -> Iterator[dict[str, Values]]:
        """Yield the named columns; see `DataFile.chunks`."""
        length = self._headers[self.check(columns[0])][0][0]
        for column in columns:
            other = self._headers[self.check(column)][0][0]
            if other != length:
                rows_differ = f"has {other} rows but {columns[0]!r} has {length}"
                raise self.error(column, f"{rows_differ}: all must have as many")
        with self.reading():
            streams = [self._stretches(column, rows) for column in columns]
            for _ in range(0, length, rows):
                yield {column: next(stream) for column, stream in zip(columns, streams)}

    def _stretches(self, column: str, rows: int) -> Iterator[Values]:
        shape, fortran, dtype = self._headers[column]
        if dtype.hasobject:
            unusable = "holds Python objects, which are never unpickled: save numbers or text"
            raise self.error(column, unusable)
        with self._file.open(f"{column}.npy") as stream:
            if fortran and len(shape) > 1:
                whole = npy.read_array(stream, allow_pickle=False).reshape(shape[0], -1)
                yield from (whole[start : start + rows] for start in range(0, shape[0], rows))
                return
            _header_of(stream)
            width = int(np.prod(shape[1:], dtype=np.int64))
            for start in range(0, shape[0], rows):
                count = min(rows, shape[0] - start) * width
                buffer = stream.read(count * dtype.itemsize)
                if len(buffer) < count * dtype.itemsize:
                    raise EOFError(f"array {column!r} ends early")
                values = np.frombuffer(buffer, dtype=dtype)
                yield values.reshape(-1, width) if len(shape) > 1 else values


def _header_of(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return read(stream)


def write_npz(path: Path, first: Chunk, chunks: Iterable[Chunk], about: str) -> None:
    """Write chunks, of which ``first`` is the first, with the text ``about`` beside them.

    Every column is spooled to a file of its own first: an array's header holds its length.
    """
    kinds = {name: (values.dtype, values.shape[1:]) for name, values in first.items()}
    rows = 0
    with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
        for chunk in chunks:
            for name, (dtype, _) in kinds.items():
                with (Path(folder) / name).open("ab") as spool:
                    spool.write(np.ascontiguousarray(chunk[name], dtype=dtype).data)
            rows += len(next(iter(chunk.values())))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
            with archive.open(f"{METADATA}.npy", "w") as member:
                npy.write_array(member, np.array(about))
            for name, (dtype, shape) in kinds.items():
                header: dict[str, Any] = {
                    "descr": npy.dtype_to_descr(dtype),
                    "fortran_order": False,
                }
                header["shape"] = (rows, *shape)
                with (
                    archive.open(f"{name}.npy", "w", force_zip64=True) as member,
                    (Path(folder) / name).open("rb") as spool,
                ):
                    npy.write_array_header_1_0(member, header)
                    shutil.copyfileobj(spool, member)
