"""Named columns of a data file as arrays."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.checks import known
from surefoot.data.arrays import check_told_apart
from surefoot.data.categories import category_codes
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

    def matrix(self, chunk: Mapping[str, Values], file: DataFile, start: int) -> NDArray[Any]:
        """Return the rows from ``start`` on as a matrix [n, width]."""
        values = chunk[self.name]
        content = values.content if isinstance(values, Jagged) else values
        if content.dtype.kind not in "biuf":
            example = f" such as {_example(content)!r}" if content.size else ""
            what = "text" if content.dtype.kind in "US" else f"{content.dtype} values"
            raise file.error(
                self.name,
                f"holds {what}{example}, not numbers: name it among the categories "
                "or leave it out of the features",
            )
        if self.index is not None:
            return self._scattered(values, chunk[self.index], file, start)
        if not isinstance(values, Jagged):
            return values.reshape(-1, 1) if values.ndim == 1 else values
        if values.matrix is None:
            row = int(np.flatnonzero(values.counts != values.counts[0])[0])
            raise _ragged(file, self.name, start, values.counts[0], start + row, values.counts[row])
        return values.matrix

    def _scattered(
        self, values: Values, index: Values, file: DataFile, start: int
    ) -> NDArray[np.float64]:
        """Return a chunk's rows with each value at its place, equal places added up."""
        if not isinstance(values, Jagged) or not isinstance(index, Jagged):
            needed = f"two {file.noun}s whose rows are lists"
            raise DataError(f"'{self.name}[{self.index}]' of {file.name} needs {needed}")
        unequal = np.flatnonzero(values.counts != index.counts)
        if unequal.size:
            row = int(unequal[0])
            raise DataError(
                f"{file.noun}s {self.name!r} and {self.index!r} of {file.name} have "
                f"{values.counts[row]} and {index.counts[row]} entries in row {start + row}: as "
                "many values as places are needed"
            )
        places = index.content.astype(np.int64)
        outside = (places != index.content) | (places < 0) | (places >= self.width)
        if outside.any():
            raise file.error(
                str(self.index),
                f"holds {index.content[outside][0]}; places are whole numbers from 0 to "
                f"{self.width - 1}",
            )
        places += np.repeat(np.arange(len(values)) * self.width, values.counts)
        flat = np.bincount(places, values.content, minlength=len(values) * self.width)
        return flat.astype(np.float64).reshape(len(values), self.width)


def _example(content: NDArray[Any]) -> Any:
    """Return a value that is not missing, as Python has it."""
    plain = content.ravel().tolist()
    return next((one for one in plain if one not in (None, "")), plain[0])


def resolve(file: DataFile, names: Names) -> list[Column]:
    """Return the columns that names stand for, as `load_population` describes them.

    Raises `DataError` if a column does not exist or nothing matches.
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


def is_text(file: DataFile, column: str) -> bool:
    """Say whether a column holds text or truth values, as its first rows tell."""
    first = next(iter(file.chunks([column], 1)), {}).get(column)
    return isinstance(first, np.ndarray) and first.dtype.kind in "USOb" and first.ndim == 1


def read_table(
    file: DataFile,
    parts: Mapping[str, list[Column]],
    labels: Iterable[str],
    categories: Names | bool,
    *,
    missing: bool,
) -> tuple[dict[str, NDArray[Any]], dict[int, tuple[str, ...]]]:
    """Read parts as `read_columns` does, with features that are categories as codes.

    Return the arrays, and the labels of the categories by the place of the feature. ``categories``
    are names or True for those of text; features may be ``missing``.
    """
    inputs = parts["features"]
    plain = [column.name for column in inputs if column.index is None]
    if isinstance(categories, bool):
        chosen = [name for name in plain if categories and is_text(file, name)]
    else:
        chosen = [column.name for column in resolve(file, categories)]
        for name in chosen:
            known("category", name, plain, error=DataError)
    numbers = [column for column in inputs if column.name not in chosen]
    asked = {**parts, "features": numbers} | {_word(name): [Column(name)] for name in chosen}
    if not numbers:
        del asked["features"]
    lacking = {"features", *map(_word, chosen)} if missing else set()
    words = [*labels, *map(_word, chosen)]
    arrays = read_columns(file, asked, words, lacking, advice=", or say missing = true")
    if not chosen:
        return arrays, {}
    if numbers and arrays["features"].shape[1] != len(numbers):
        raise DataError(
            f"{file.name} has categories beside a {file.noun} of several features: split it"
        )
    coded = {name: category_codes(arrays.pop(_word(name))) for name in chosen}
    rest = iter(arrays["features"].T if numbers else ())
    columns = [coded[one.name][0] if one.name in coded else next(rest) for one in inputs]
    arrays["features"] = np.stack(columns, axis=1, dtype=np.float32, casting="unsafe")
    return arrays, {
        place: coded[one.name][1] for place, one in enumerate(inputs) if one.name in coded
    }


def _word(name: str) -> str:
    """Return what the part of a category is called."""
    return f"category {name}"


def read_columns(
    file: DataFile,
    parts: Mapping[str, list[Column]],
    labels: Iterable[str] = (),
    missing: Collection[str] = (),
    *,
    advice: str = "",
) -> dict[str, NDArray[Any]]:
    """Read the columns of several parts of an open file of N rows in one pass.

    Parts among ``labels`` are kept as they are, [N] of any kind; all others become a float32
    matrix [N, columns]. Values of parts among ``missing`` may be missing; ``advice`` says to others
    what would let them. Raises `DataError` if the file is empty or unreadable, or a column ragged
    or not numeric.
    """
    n, kept = file.rows, set(labels) & set(parts)
    if n == 0:
        raise DataError(f"{file.name} holds no rows: at least one example is needed")
    wanted = dict.fromkeys(name for part in parts.values() for c in part for name in c.names)
    arrays: dict[str, NDArray[Any]] = {}
    pieces: dict[str, list[NDArray[Any]]] = {part: [] for part in kept}
    start = 0
    for chunk in file.chunks(list(wanted)):
        stop = start + len(chunk[next(iter(wanted))])
        for part, columns in parts.items():
            if part in kept:
                found_labels = _labels(chunk, columns[0].name, file)
                if part not in missing:
                    _check_filled(columns[0].name, found_labels, file, start)
                pieces[part].append(found_labels)
                continue
            found = [column.matrix(chunk, file, start) for column in columns]
            _check_finite(columns, found, file, start, missing=part in missing, advice=advice)
            for column, matrix in zip(columns, found, strict=True):
                check_told_apart(matrix, f"{file.noun} {column.name!r} of {file.name}")
            width = sum(matrix.shape[1] for matrix in found)
            if part not in arrays:
                arrays[part] = np.empty((n, width), dtype=np.float32)
            if arrays[part].shape[1] != width:
                names = ", ".join(column.name for column in columns)
                raise _ragged(file, names, 0, arrays[part].shape[1], start, width)
            with np.errstate(over="ignore"):
                np.concatenate(found, axis=1, out=arrays[part][start:stop], casting="unsafe")
        start = stop
    if start != n:
        raise DataError(f"{file.name} ends after {start} of {n} rows: it is truncated")
    return arrays | {part: np.concatenate(found) for part, found in pieces.items()}


def _check_finite(
    columns: Sequence[Column],
    found: Sequence[NDArray[Any]],
    file: DataFile,
    start: int,
    *,
    missing: bool,
    advice: str,
) -> None:
    """Raise `DataError` with the column and the row of the first value that is not finite."""
    for column, values in zip(columns, found, strict=True):
        if values.dtype.kind != "f":
            continue
        wrong = np.isinf(values) if missing else ~np.isfinite(values)
        if not wrong.any():
            continue
        row, place = np.argwhere(wrong)[0]
        where = file.place(start + row) + (f", place {place}" if values.shape[1] > 1 else "")
        raise file.error(
            column.name,
            f"holds {values[row, place]} in {where}: fill in or drop such rows"
            + ("" if missing else advice),
        )


def _ragged(
    file: DataFile, name: str, row: int, width: int, other_row: int, other: int
) -> DataError:
    return file.error(
        name,
        f"is ragged: {width} entries in row {row}, {other} in row {other_row}; all rows must have "
        f"as many, or give 'value[index]' with the {file.noun} of their places",
    )


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


def _labels(chunk: Mapping[str, Values], name: str, file: DataFile) -> NDArray[Any]:
    values = chunk[name]
    if isinstance(values, Jagged) or (values.ndim == 2 and values.shape[1] != 1):
        raise file.error(name, "holds a list in each row; one value is needed")
    return values.ravel()


def _check_filled(name: str, values: NDArray[Any], file: DataFile, start: int) -> None:
    """Raise `DataError` with the row of the first label that a table lacks."""
    if file.tabular:
        nothing = [one is None or one == "" or one != one for one in values.tolist()]
        if any(nothing):
            where = file.place(start + nothing.index(True))
            raise file.error(name, f"holds nothing in {where}: fill in or drop such rows")


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Return a sorting key by which the numbers in names count as numbers."""
    return [
        (not part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in re.split(r"(\d+)", name)
    ]
