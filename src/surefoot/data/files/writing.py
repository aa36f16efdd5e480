"""Streams of chunks into a ROOT, npz or Parquet file: all of it, or none."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from surefoot.errors import DataError, require
from surefoot.replacing import replaced

Chunk = Mapping[str, NDArray[Any]]


def write_data_file(
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
        Plain JSON values kept with the columns.
    compression
        Of a ROOT file, an `uproot.compression.Compression`; Zstandard by default.

    Raises
    ------
    DataError
        If there is no row, the ending is another one, or the file cannot be written.
    """
    final = Path(path)
    kinds: dict[str, Callable[[Path, Chunk, Iterable[Chunk], str], None]] = {
        ".root": partial(_write_root, tree=tree, title=title, compression=compression),
        ".npz": _write_npz,
        ".parquet": _write_parquet,
    }
    write = kinds.get(final.suffix.lower())
    if write is None:
        raise DataError(f"{final} must end in .root, .npz or .parquet")
    count = 0

    def counted(stream: Iterable[Chunk]) -> Iterator[Chunk]:
        nonlocal count
        for chunk in stream:
            yield chunk
            count += len(next(iter(chunk.values())))

    with replaced(final, DataError) as temporary:
        stream = iter(chunks)
        first = next(stream, None)
        if first is None:
            raise DataError(f"there is nothing to write to {final}")
        about = json.dumps(dict(metadata or {}), sort_keys=True)
        write(temporary, first, counted(chain([first], stream)), about)
    return count


def _write_root(
    path: Path,
    first: Chunk,
    chunks: Iterable[Chunk],
    about: str,
    *,
    tree: str,
    title: str,
    compression: Any,
) -> None:
    import uproot

    with uproot.recreate(path, compression=compression or uproot.ZSTD(3)) as file:
        file["metadata"] = about
        types = {name: (values.dtype, values.shape[1:]) for name, values in first.items()}
        written = file.mktree(tree, types, title=title, initial_basket_capacity=64)
        for chunk in chunks:
            written.extend(dict(chunk))


def _write_parquet(path: Path, first: Chunk, chunks: Iterable[Chunk], about: str) -> None:
    arrow = require("pyarrow", extra="parquet")
    parquet = require("pyarrow.parquet", extra="parquet")

    def table(chunk: Chunk) -> Any:
        return arrow.table(
            {
                name: arrow.array(values)
                if values.ndim == 1
                else arrow.FixedSizeListArray.from_arrays(
                    arrow.array(values.ravel()), values.shape[1]
                )
                for name, values in chunk.items()
            }
        ).replace_schema_metadata({"surefoot": about})

    with parquet.ParquetWriter(
        path, table(first).schema, compression="zstd", write_page_checksum=True
    ) as file:
        for chunk in chunks:
            file.write_table(table(chunk))


def _write_npz(path: Path, first: Chunk, chunks: Iterable[Chunk], about: str) -> None:
    """Spool every column to a file of its own first, because an array's header holds its length."""
    kinds = {name: (values.dtype, values.shape[1:]) for name, values in first.items()}
    rows = 0
    with tempfile.TemporaryDirectory(prefix=".", dir=path.parent) as folder:
        for chunk in chunks:
            for name, (dtype, _) in kinds.items():
                with (Path(folder) / name).open("ab") as spool:
                    spool.write(np.ascontiguousarray(chunk[name], dtype=dtype).data)
            rows += len(next(iter(chunk.values())))
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
            with archive.open("metadata.npy", "w") as member:
                npy.write_array(member, np.array(about))
            for name, (dtype, shape) in kinds.items():
                header = {
                    "descr": npy.dtype_to_descr(dtype),
                    "fortran_order": False,
                    "shape": (rows, *shape),
                }
                with (
                    archive.open(f"{name}.npy", "w", force_zip64=True) as member,
                    (Path(folder) / name).open("rb") as spool,
                ):
                    npy.write_array_header_1_0(member, header)
                    shutil.copyfileobj(spool, member)
