"""From a source's text to an open table."""

from __future__ import annotations

import re
from pathlib import Path

from surefoot.data.files.table import Table
from surefoot.errors import DataError

_SOURCE = re.compile(r"(?P<path>.+\.(?P<kind>root|npz|parquet))(?::(?P<tree>.+))?", re.IGNORECASE)


def is_file(source: str) -> bool:
    """Whether a source names a data file: ``file.root:tree``, ``file.npz``, ``file.parquet``."""
    return _SOURCE.fullmatch(source) is not None


def open_table(source: str) -> Table:
    """Open ``file.root``, ``file.root:tree``, ``file.npz`` or ``file.parquet``.

    A ROOT file with one tree needs no ``:tree``.

    Raises
    ------
    DataError
        If the file is missing, unreadable, of another kind or has no such tree.
    MissingExtraError
        If a Parquet file is asked for without pyarrow.
    """
    match = _SOURCE.fullmatch(source)
    if match is None:
        raise DataError(
            f"{source!r} is no data file: give file.root:tree, file.npz or file.parquet"
        )
    path, kind, tree = Path(match["path"]), match["kind"].lower(), match["tree"]
    if not path.exists():
        raise DataError(f"the file {path} does not exist")
    if not path.is_file():
        raise DataError(f"{path} is not a file")
    if kind == "root":
        from surefoot.data.files.root import RootTable

        return RootTable(path, tree)
    if tree is not None:
        raise DataError(f"{source!r} names the tree {tree!r}, but only ROOT files have trees")
    if kind == "npz":
        from surefoot.data.files.npz import NpzTable

        return NpzTable(path)
    from surefoot.data.files.parquet import ParquetTable

    return ParquetTable(path)
