"""Named columns of a data file as arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.files.base import DataFile, Jagged, Values
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
        """The names of the file's columns that it needs."""
        return (self.name,) if self.index is None else (self.name, self.index)


def resolve(file: DataFile, names: Names) -> list[Column]:
    """Return the columns that names stand for, as `load_population` describes them.

    Raises
    ------
    DataError
        If a column does not exist or nothing matches.
    """
    columns: list[Column] = []
    for name in [names] if isinstance(names, str) else names:
        sparse = _SPARSE.fullmatch(name) if name not in file.columns else None
        if sparse is not None:
            value, index = file.check(sparse["value"]), file.check(sparse["index"].strip())
            width = int(sparse["width"]) if sparse["width"] else _width(file, index)
            columns.append(Column(value, index, width))
        elif "*" in name and name not in file.columns:
            found = [column for column in file.columns if fnmatchcase(column, name)]
            if not found:
                known = ", ".join(file.columns)
                raise DataError(f"no {file.noun} of {file.name} matches {name!r}: it has {known}")
            columns += [Column(column) for column in sorted(found, key=_natural)]
        else:
            columns.append(Column(file.check(name)))
    return columns


def read_columns(
    file: DataFile, parts: Mapping[str, list[Column]], labels: Iterable[str] = ()
) -> dict[str, NDArray[Any]]:
    """Read the columns of several parts in one pass.

    Parameters
    ----------
    file
        An open file of N rows.
    parts
        Columns by the name of the part.
    labels
        Parts kept as they are, [N] of any kind; all others become a float32 matrix [N, columns].

    Returns
    -------
    dict
        The arrays by the name of the part.

    Raises
    ------
    DataError
        If the file is empty or unreadable, or a column is ragged or not numeric.
    """
    n, kept = file.rows, set(labels) & set(parts)
    if n == 0:
        raise DataError(f"{file.name} holds no rows: at least one example is needed")
    wanted = dict.fromkeys(name for part in parts.values() for c in part for name in c.names)
    arrays: dict[str, NDArray[Any]] = {}
    pieces: dict[str, list[NDArray[Any]]] = {part: [] for part in kept}
    start = 0
    for chunk in file.chunks(list(wanted)):
        stop = start
        for part, columns in parts.items():
            if part in kept:
                block = _labels(chunk[columns[0].name], columns[0].name, file)
                pieces[part].append(block)
            else:
                block = _block(chunk, columns, file, start)
                if part not in arrays:
                    arrays[part] = np.empty((n, block.shape[1]), dtype=np.float32)
                _check_width(arrays[part].shape[1], block, columns, file, start)
                arrays[part][start : start + len(block)] = block
            stop = start + len(block)
        start = stop
    if start != n:
        raise DataError(f"{file.name} ends after {start} of {n} rows: it is truncated")
    return arrays | {part: np.concatenate(found) for part, found in pieces.items()}


def _block(
    chunk: Mapping[str, Values], columns: list[Column], file: DataFile, start: int
) -> NDArray[np.float32]:
    """Return a chunk of a part, each column rounded to float32 once."""
    found = [_matrix(chunk, column, file, start) for column in columns]
    with np.errstate(over="ignore"):
        block: NDArray[np.float32] = np.concatenate(
            found, axis=1, dtype=np.float32, casting="unsafe"
        )
    return block


def _check_width(
    width: int, block: NDArray[Any], columns: list[Column], file: DataFile, start: int
) -> None:
    if block.shape[1] != width:
        raise file.error(
            ", ".join(column.name for column in columns),
            f"is ragged: {width} entries in row 0, {block.shape[1]} in row {start}; all rows must "
            "have as many",
        )


def _matrix(
    chunk: Mapping[str, Values], column: Column, file: DataFile, start: int
) -> NDArray[Any]:
    values = chunk[column.name]
    content = values.content if isinstance(values, Jagged) else values
    if content.dtype.kind not in "biuf":
        example = f" such as {content.ravel()[0]!r}" if content.size else ""
        raise file.error(column.name, f"holds {content.dtype} values{example}, not numbers")
    if column.index is not None:
        return _scattered(values, chunk[column.index], column, file, start)
    if not isinstance(values, Jagged):
        return values.reshape(-1, 1) if values.ndim == 1 else values
    matrix = values.matrix
    if matrix is None:
        row = int(np.flatnonzero(values.counts != values.counts[0])[0])
        raise file.error(
            column.name,
            f"is ragged: {values.counts[0]} entries in row {start}, {values.counts[row]} in row "
            f"{start + row}; all rows must have as many, or give 'value[index]' with the "
            f"{file.noun} of their places",
        )
    return matrix


def _scattered(
    values: Values, index: Values, column: Column, file: DataFile, start: int
) -> NDArray[np.float64]:
    """Return a chunk's rows with each value at its place, equal places added up."""
    if not isinstance(values, Jagged) or not isinstance(index, Jagged):
        raise DataError(
            f"'{column.name}[{column.index}]' of {file.name} needs two {file.noun}s whose rows "
            "are lists"
        )
    unequal = np.flatnonzero(values.counts != index.counts)
    if unequal.size:
        row = int(unequal[0])
        raise DataError(
            f"{file.noun}s {column.name!r} and {column.index!r} of {file.name} have "
            f"{values.counts[row]} and {index.counts[row]} entries in row {start + row}: as many "
            "values as places are needed"
        )
    places = index.content.astype(np.int64)
    outside = np.flatnonzero((places != index.content) | (places < 0) | (places >= column.width))
    if outside.size:
        raise file.error(
            str(column.index),
            f"holds {index.content[outside[0]]}; places are whole numbers from 0 to "
            f"{column.width - 1}",
        )
    rows = np.repeat(np.arange(len(values)), values.counts)
    flat = np.bincount(
        rows * column.width + places, values.content, minlength=len(values) * column.width
    )
    return flat.astype(np.float64).reshape(len(values), column.width)


def _width(file: DataFile, index: str) -> int:
    """Return one more than the greatest place in an index column, by a pass of its own."""
    highest = -1
    for chunk in file.chunks([index]):
        values = chunk[index]
        content = values.content if isinstance(values, Jagged) else values
        if content.size and content.dtype.kind in "iuf":
            highest = max(highest, int(content.max()))
    if highest < 0:
        raise file.error(index, "holds no place such as 0")
    return highest + 1


def _labels(values: Values, name: str, file: DataFile) -> NDArray[Any]:
    if isinstance(values, Jagged) or (values.ndim == 2 and values.shape[1] != 1):
        raise file.error(name, "holds a list in each row; one value is needed")
    return values.ravel()


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Return a sorting key by which the numbers in names count as numbers."""
    return [
        (not part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in re.split(r"(\d+)", name)
    ]
