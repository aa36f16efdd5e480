"""Named columns of a table as the arrays of a population."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.files.table import ROWS, Jagged, Table, Values
from surefoot.errors import DataError

Names = str | Sequence[str]
_SPARSE = re.compile(r"(?P<value>[^\[\]]+)\[(?P<index>[^\[\],]+)(?:,\s*(?P<width>\d+))?\]")


@dataclass(frozen=True)
class Column:
    """One column to read; with ``index``, ``name`` holds the values at those places of a row."""

    name: str
    index: str | None = None
    width: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the table's columns that it needs."""
        return (self.name,) if self.index is None else (self.name, self.index)


def resolve(table: Table, names: Names) -> list[Column]:
    """Return the columns that names stand for.

    A name may hold ``*`` (``cell_*``: all that match, ``cell_2`` before ``cell_10``), or be
    ``value[index]``: each row lists values and the places they belong to, all others are zero
    (``value[index,225]`` to say how many places there are).

    Raises
    ------
    DataError
        If a column does not exist or nothing matches.
    """
    columns: list[Column] = []
    for name in [names] if isinstance(names, str) else names:
        sparse = _SPARSE.fullmatch(name) if name not in table.columns else None
        if sparse is not None:
            value, index = table.check(sparse["value"]), table.check(sparse["index"].strip())
            width = int(sparse["width"]) if sparse["width"] else _width(table, index)
            columns.append(Column(value, index, width))
        elif "*" in name and name not in table.columns:
            found = [column for column in table.columns if fnmatchcase(column, name)]
            if not found:
                known = ", ".join(table.columns)
                raise DataError(f"no {table.noun} of {table.name} matches {name!r}: it has {known}")
            columns += [Column(column) for column in sorted(found, key=_natural)]
        else:
            columns.append(Column(table.check(name)))
    return columns


def read_parts(table: Table, parts: dict[str, list[Column]], labels: Iterable[str] = ()) -> Any:
    """Read the columns of several parts in one pass.

    Parameters
    ----------
    table
        An open table of N rows.
    parts
        Columns by the name of the part.
    labels
        Parts kept as they are, [N] of any kind; all others become a float32 matrix
        [N, columns], or float64 where a part is one scalar column of it.

    Returns
    -------
    dict
        The arrays by the name of the part.

    Raises
    ------
    DataError
        If the table is empty or unreadable, or a column is ragged or not numeric.
    """
    n, kept = table.rows, set(labels)
    if n == 0:
        raise DataError(f"{table.name} holds no rows: at least one example is needed")
    wanted = [name for columns in parts.values() for column in columns for name in column.names]
    arrays: dict[str, NDArray[Any]] = {}
    pieces: dict[str, list[NDArray[Any]]] = {part: [] for part in kept & set(parts)}
    start = 0
    for chunk in table.chunks(list(dict.fromkeys(wanted)), ROWS):
        stop = start
        for part, columns in parts.items():
            if part in kept:
                pieces[part].append(_scalar(chunk[columns[0].name], columns[0].name, table))
                stop = start + len(pieces[part][-1])
                continue
            block = [_matrix(chunk, column, table, start) for column in columns]
            stop = start + len(block[0])
            _store(arrays, part, block, columns, start, n, table)
        start = stop
    if start != n:
        raise DataError(f"{table.name} ends after {start} of {n} rows: it is truncated")
    return arrays | {part: np.concatenate(found) for part, found in pieces.items()}


def _store(
    arrays: dict[str, NDArray[Any]],
    part: str,
    block: list[NDArray[Any]],
    columns: list[Column],
    start: int,
    n: int,
    table: Table,
) -> None:
    """Write a chunk's columns into a part's matrix, which is made on the first."""
    width = sum(values.shape[1] for values in block)
    if part not in arrays:
        arrays[part] = np.empty((n, width), dtype=np.float32)
    if arrays[part].shape[1] != width:
        names = ", ".join(column.name for column in columns)
        raise DataError(
            f"{table.noun} {names} of {table.name} is ragged: {arrays[part].shape[1]} entries in "
            f"row 0, {width} in row {start}; all rows must have as many"
        )
    at = 0
    for values in block:
        with np.errstate(over="ignore"):
            arrays[part][start : start + len(values), at : at + values.shape[1]] = values
        at += values.shape[1]


def _matrix(chunk: dict[str, Values], column: Column, table: Table, start: int) -> NDArray[Any]:
    values = chunk[column.name]
    content = values.content if isinstance(values, Jagged) else values
    if content.dtype.kind not in "biuf":
        example = f" such as {content.ravel()[0]!r}" if content.size else ""
        raise DataError(
            f"{table.noun} {column.name!r} of {table.name} holds {content.dtype} values{example}, "
            "not numbers"
        )
    if column.index is not None:
        return _scattered(values, chunk[column.index], column, table, start)
    if isinstance(values, Jagged):
        dense = values.table
        if dense is None:
            row = int(np.flatnonzero(values.counts != values.counts[0])[0])
            raise DataError(
                f"{table.noun} {column.name!r} of {table.name} is ragged: {values.counts[0]} "
                f"entries in row {start}, {values.counts[row]} in row {start + row}; all rows must "
                f"have as many, or give 'value[index]' with the {table.noun} of their places"
            )
        return dense
    return values.reshape(-1, 1) if values.ndim == 1 else values


def _scattered(
    values: Values, index: Values, column: Column, table: Table, start: int
) -> NDArray[np.float64]:
    """Return a chunk's rows with each value at its place, equal places added up."""
    if not isinstance(values, Jagged) or not isinstance(index, Jagged):
        raise DataError(
            f"'{column.name}[{column.index}]' of {table.name} needs two {table.noun}s whose rows "
            "are lists"
        )
    unequal = np.flatnonzero(values.counts != index.counts)
    if unequal.size:
        row = int(unequal[0])
        raise DataError(
            f"{table.noun}s {column.name!r} and {column.index!r} of {table.name} have "
            f"{values.counts[row]} and {index.counts[row]} entries in row {start + row}: as many "
            "values as places are needed"
        )
    places = index.content.astype(np.int64)
    outside = np.flatnonzero((places != index.content) | (places < 0) | (places >= column.width))
    if outside.size:
        raise DataError(
            f"{table.noun} {column.index!r} of {table.name} holds {index.content[outside[0]]}; "
            f"places are whole numbers from 0 to {column.width - 1}"
        )
    rows = np.repeat(np.arange(len(values)), values.counts)
    flat = np.bincount(
        rows * column.width + places, values.content, minlength=len(values) * column.width
    )
    return flat.astype(np.float64).reshape(len(values), column.width)


def _width(table: Table, index: str) -> int:
    """Return one more than the greatest place in an index column, by a pass of its own."""
    highest = -1
    for chunk in table.chunks([index], ROWS):
        values = chunk[index]
        content = values.content if isinstance(values, Jagged) else values
        if content.size and content.dtype.kind in "iuf":
            highest = max(highest, int(content.max()))
    if highest < 0:
        raise DataError(f"{table.noun} {index!r} of {table.name} holds no place such as 0")
    return highest + 1


def _scalar(values: Values, name: str, table: Table) -> NDArray[Any]:
    if isinstance(values, Jagged) or (values.ndim == 2 and values.shape[1] != 1):
        raise DataError(
            f"{table.noun} {name!r} of {table.name} holds a list in each row; one value is needed"
        )
    return values.ravel()


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Return a sorting key by which the numbers in names count as numbers."""
    return [
        (not part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in re.split(r"(\d+)", name)
    ]
