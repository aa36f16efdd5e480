"""Streams of chunks into a ROOT, npz or Parquet file: all of it, or none."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from surefoot.errors import DataError, require

Chunk = Mapping[str, NDArray[Any]]


def write_table(
    path: Path | str,
    chunks: Iterable[Chunk],
    *,
    tree: str = "events",
    title: str = "",
    metadata: Mapping[str, Any] | None = None,
    compression: Any = None,
) -> int:
    """Write chunks of equally named columns [n] or [n, width] and return the number of rows.

    The kind of file is that of its ending. It is written under a temporary name beside the final
    one and renamed when complete, so a file under the final name is never a partial one.

    Parameters
    ----------
    path
        ``.root``, ``.npz`` or ``.parquet``.
    chunks
        Read one at a time; none is kept.
    tree, title
        Name and title of a ROOT file's tree.
    metadata
        Plain JSON values kept with the table.
    compression
        Of a ROOT file, an `uproot.compression.Compression`; Zstandard by default.

    Raises
    ------
    DataError
        If there is no row, the ending is another one, or the file cannot be written.
    """
    final = Path(path)
    kinds: dict[str, Kind] = {".root": _RootWriter, ".npz": _NpzWriter, ".parquet": _ParquetWriter}
    if final.suffix.lower() not in kinds:
        raise DataError(f"{final} must end in .root, .npz or .parquet")
    about = json.dumps(dict(metadata or {}), sort_keys=True)
    count = 0
    with _renamed(final) as temporary:
        writer: _Writer | None = None
        try:
            for chunk in chunks:
                if writer is None:
                    kind = kinds[final.suffix.lower()]
                    writer = kind(temporary, chunk, tree, title, about, compression)
                writer.add(chunk)
                count += len(next(iter(chunk.values())))
            if writer is None:
                raise DataError(f"there is nothing to write to {final}")
            writer.finish()
        finally:
            if writer is not None:
                writer.close()
    return count


@contextlib.contextmanager
def _renamed(final: Path) -> Iterator[Path]:
    """Give a name to write to, which becomes ``final`` if all goes well and is removed if not."""
    temporary = final.with_name(f".{final.stem}.{os.getpid()}.part{final.suffix}")
    try:
        try:
            temporary.touch()
            yield temporary
            temporary.replace(final)
        except OSError as error:
            raise DataError(f"{final} cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


class _Writer(ABC):
    """Writes one kind of file."""

    @abstractmethod
    def __init__(
        self, path: Path, first: Chunk, tree: str, title: str, about: str, compression: Any
    ) -> None: ...

    @abstractmethod
    def add(self, chunk: Chunk) -> None: ...

    @abstractmethod
    def finish(self) -> None: ...

    @abstractmethod
    def close(self) -> None: ...


class _RootWriter(_Writer):
    def __init__(
        self, path: Path, first: Chunk, tree: str, title: str, about: str, compression: Any
    ) -> None:
        import uproot

        self._file = uproot.recreate(path, compression=compression or uproot.ZSTD(3))
        self._file["metadata"] = about
        types = {name: (values.dtype, values.shape[1:]) for name, values in first.items()}
        self._tree = self._file.mktree(tree, types, title=title, initial_basket_capacity=64)

    def add(self, chunk: Chunk) -> None:
        self._tree.extend(dict(chunk))

    def finish(self) -> None:
        pass

    def close(self) -> None:
        self._file.close()


class _ParquetWriter(_Writer):
    def __init__(
        self, path: Path, first: Chunk, tree: str, title: str, about: str, compression: Any
    ) -> None:
        self._arrow = require("pyarrow", extra="parquet")
        parquet = require("pyarrow.parquet", extra="parquet")
        schema = self._table(first).schema.with_metadata({"surefoot": about})
        self._file = parquet.ParquetWriter(
            path, schema, compression="zstd", write_page_checksum=True
        )
        self._schema = schema

    def _table(self, chunk: Chunk) -> Any:
        pa = self._arrow
        return pa.table(
            {
                name: pa.array(values)
                if values.ndim == 1
                else pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
                for name, values in chunk.items()
            }
        )

    def add(self, chunk: Chunk) -> None:
        self._file.write_table(self._table(chunk).replace_schema_metadata(self._schema.metadata))

    def finish(self) -> None:
        pass

    def close(self) -> None:
        self._file.close()


class _NpzWriter(_Writer):
    """Spools every column to a file of its own, because an array's header holds its length."""

    def __init__(
        self, path: Path, first: Chunk, tree: str, title: str, about: str, compression: Any
    ) -> None:
        self._path, self._about, self._rows = path, about, 0
        self._kinds = {name: (values.dtype, values.shape[1:]) for name, values in first.items()}
        self._folder = tempfile.TemporaryDirectory(prefix=".", dir=path.parent)

    def add(self, chunk: Chunk) -> None:
        for name, (dtype, _) in self._kinds.items():
            with (Path(self._folder.name) / name).open("ab") as spool:
                spool.write(np.ascontiguousarray(chunk[name], dtype=dtype).data)
        self._rows += len(next(iter(chunk.values())))

    def finish(self) -> None:
        with zipfile.ZipFile(self._path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
            with archive.open("metadata.npy", "w") as member:
                npy.write_array(member, np.array(self._about))
            for name, (dtype, shape) in self._kinds.items():
                header = {
                    "descr": npy.dtype_to_descr(dtype),
                    "fortran_order": False,
                    "shape": (self._rows, *shape),
                }
                with (
                    archive.open(f"{name}.npy", "w", force_zip64=True) as member,
                    (Path(self._folder.name) / name).open("rb") as spool,
                ):
                    npy.write_array_header_1_0(member, header)
                    shutil.copyfileobj(spool, member)

    def close(self) -> None:
        self._folder.cleanup()


Kind = type[_RootWriter] | type[_NpzWriter] | type[_ParquetWriter]
