"""Streams of chunks into a ROOT, npz or Parquet file: all of it, or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from surefoot.data.files.base import Chunk
from surefoot.errors import DataError
from surefoot.replacing import replaced


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
    write: Callable[[Path, Chunk, Iterable[Chunk], str], None]
    match final.suffix.lower():
        case ".root":
            from surefoot.data.files.root import write_root

            write = partial(write_root, tree=tree, title=title, compression=compression)
        case ".npz":
            from surefoot.data.files.npz import write_npz as write
        case ".parquet":
            from surefoot.data.files.parquet import write_parquet as write
        case _:
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
