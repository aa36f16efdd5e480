"""What a user gives as the arrays of a population, or one sentence on what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot.checks import short
from surefoot.data.categories import category_codes
from surefoot.errors import DataError, nearest

Label = str | int | float | bool
_EXACT = float(1 << 24)
"""Float32 holds all whole numbers below it."""


def matrix(
    values: ArrayLike, what: str, n: int | None = None, *, missing: bool = False
) -> NDArray[np.float32]:
    """Return values as a finite, non-empty, C-contiguous float32 matrix [N, columns], N = n.

    Some may be NaN if they may be ``missing``.
    """
    check_unmasked(values, what)
    try:
        array = np.asarray(values)
        if array.dtype == object or array.dtype.kind not in "biuf":
            raise ValueError
    except ValueError:
        raise DataError(f"{what} are ragged or not numeric; they must be a matrix [N, F]") from None
    if array.ndim == 0 or array.size == 0:
        raise DataError(f"{what} are empty (shape {array.shape}); at least one example is needed")
    table = array.reshape(len(array), -1)
    with np.errstate(over="ignore"):
        result = np.ascontiguousarray(table, dtype=np.float32)
    wrong = ~np.isfinite(result)
    if missing:
        wrong &= ~np.isnan(result)
    rows = np.flatnonzero(wrong.any(axis=1))
    if rows.size:
        column = int(np.flatnonzero(wrong[rows[0]])[0])
        raise DataError(
            f"{what} hold {table[rows[0], column]} in example {rows[0]}, column {column} "
            f"({rows.size} such examples): all values must be finite in float32"
        )
    check_told_apart(table, what)
    _check_length(len(result), n, what)
    return result


def check_unmasked(values: Any, what: str) -> None:
    """Raise `DataError` for a masked array, whose mask nothing here heeds, or a list of such."""
    parts = values if isinstance(values, list | tuple) else [values]
    if any(isinstance(one, np.ma.MaskedArray) for one in parts):
        raise DataError(
            f"{what} are a masked array, whose masked values would count like the others: fill "
            "them in or drop them, and give a plain array"
        )


def check_told_apart(table: NDArray[Any], what: str) -> None:
    """Raise `DataError` if float32 takes integers [N, columns] for equal that are not.

    Timestamps are such; so are integers in float64. One in a hundred may be lost: those are
    neighbours among numbers far apart.
    """
    if table.dtype.kind not in "iu" and table.dtype != np.float64:
        return
    with np.errstate(invalid="ignore"):
        large = np.maximum(table.max(axis=0).astype(float), -table.min(axis=0).astype(float))
    for column in np.flatnonzero((large >= _EXACT) & (large < np.inf)).tolist():
        values = np.unique(table[:, column])
        if values.dtype.kind == "f" and not (values == np.rint(values)).all():
            continue
        rounded = values.astype(np.float32)
        if np.unique(rounded).size < 0.99 * values.size:
            twin = int(np.flatnonzero(rounded[1:] == rounded[:-1])[0])
            raise DataError(
                f"{what}: column {column} holds {values[twin]} and {values[twin + 1]}, which are "
                "equal in float32: subtract an offset or divide, as with times since the first one"
            )


def labels(values: ArrayLike, what: str, n: int) -> NDArray[Any]:
    """Return labels [n] of any kind as an array."""
    check_unmasked(values, what)
    array = np.asarray(values)
    if array.ndim != 1:
        raise DataError(f"{what} have shape {array.shape}; they must be [N]")
    try:
        np.unique(array)
    except TypeError:
        kinds = ", ".join(sorted({type(one).__name__ for one in array}))
        raise DataError(f"{what} cannot be told apart ({kinds}): give one kind of label") from None
    _check_length(len(array), n, what)
    return array


def sample_weights(
    values: ArrayLike, what: str, n: int, *, zero: bool = False
) -> NDArray[np.float64]:
    """Return weights [n] of examples, which must be positive numbers; some may be ``zero`` too."""
    given = labels(values, what, n)
    try:
        found = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{what} are no numbers: give one positive number per example") from None
    some = zero and bool((found > 0.0).any())
    wrong = np.flatnonzero(~(np.isfinite(found) & ((found > 0.0) | (some & (found == 0.0)))))
    if wrong.size:
        raise DataError(
            f"{what} hold {found[wrong[0]]:g} in example {wrong[0]} ({wrong.size} such examples): "
            "a weight is a number above zero; leave out examples that are not to count"
        )
    return found


def encode(
    target: ArrayLike, classes: bool | Sequence[Label] | None, what: str
) -> tuple[ArrayLike, tuple[Label, ...] | None]:
    """Return class codes [N] with their labels, or the target as it is and None.

    Strings and booleans are always classes; numbers are when ``classes`` is True, or lists the
    labels in the order of their codes. Otherwise labels are sorted. A ragged target is left for
    `matrix` to refuse.

    Raises `DataError` if there are fewer than two classes, or a label that the list does not hold.
    """
    check_unmasked(target, what)
    try:
        values = np.asarray(target)
    except ValueError:
        return target, None
    if values.dtype == object and values.size and all(isinstance(one, str) for one in values.flat):
        values = values.astype(str)
    if classes is None and values.dtype.kind not in "USb":
        return values, None
    if classes is False:
        if values.dtype.kind in "US":
            raise DataError(f"{what} holds text such as '{values.flat[0]}', which must be classes")
        return values, None
    if values.dtype.kind not in "USbiuf" or (values.ndim == 2 and values.shape[1] != 1):
        raise DataError(f"{what} of shape {values.shape} cannot be classes: give one label each")
    values = values.ravel()
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise DataError(f"{what} holds {values[row]} in example {row}: a label must be finite")
    unique, codes = np.unique(values, return_inverse=True)
    found: list[Label] = unique.tolist()
    given = found if classes is None or classes is True else _labels_given(classes)
    code = {label: number for number, label in enumerate(given)}
    for label in found:
        if label not in code:
            known = nearest(str(label), map(str, given))
            raise DataError(f"{what} holds the label {label!r}, not among its classes: {known}")
    if len(given) < 2:
        raise DataError(f"{what} holds {len(given)} class; a classification needs at least two")
    return np.array([code[label] for label in found])[codes], tuple(given)


def _labels_given(classes: Any) -> list[Label]:
    """Return the labels that a caller lists; `DataError` unless they are such."""
    if not isinstance(classes, str | bytes | dict) and isinstance(classes, Iterable):
        given = list(classes)
        if all(isinstance(one, str | int | float | np.generic) for one in given):
            return given
    raise DataError(f"classes = {short(classes)} must be true, false or a list of labels")


def _check_length(found: int, n: int | None, what: str) -> None:
    if n not in (None, found):
        raise DataError(
            f"{what} has {found} entries but there are {n} examples: lengths must agree"
        )


class Frame:
    """A data frame whose columns have different ``names``; every method raises `DataError`."""

    def __init__(self, frame: Any) -> None:
        columns = getattr(frame, "columns", None)
        if columns is None or not hasattr(frame, "__getitem__"):
            raise DataError(
                f"a {type(frame).__name__} is not a data frame: give one of pandas or polars"
            )
        self._frame, self._columns = frame, {str(name): name for name in columns}
        self.names = [str(name) for name in columns]
        if len(self._columns) != len(self.names):
            twice = next(name for name in self.names if self.names.count(name) > 1)
            raise DataError(f"column {twice!r} is twice in the frame: names must differ")

    def column(self, name: str) -> NDArray[Any]:
        """Return one column [N], of any kind of values."""
        if name not in self._columns:
            raise DataError(f"the frame has no column {name!r}: {nearest(name, self.names)}")
        return np.asarray(self._frame[self._columns[name]].to_numpy())

    def numbers(
        self,
        names: Sequence[str],
        categories: Mapping[str, Sequence[str] | None] | None = None,
        *,
        missing: bool = False,
    ) -> NDArray[np.float64]:
        """Return columns [N, columns], which must all hold finite numbers.

        Some may be NaN if they may be ``missing``. Those named by ``categories`` are their codes,
        of the labels given or of all that there are.
        """
        if not names:
            raise DataError(
                "no column is left for the features: give at least one besides the target"
            )
        known = categories or {}
        columns = [
            category_codes(self.column(name), known[name])[0]
            if name in known
            else self.column(name)
            for name in names
        ]
        for name, values in zip(names, columns, strict=True):
            if values.dtype.kind not in "biuf":
                first = next((value for value in values.ravel() if value is not None), None)
                raise DataError(
                    f"column {name!r} holds values such as {first!r}, not numbers: name it among "
                    "the categories, encode it, or leave it out of the features"
                )
            wrong = np.flatnonzero(np.isinf(values) if missing else ~np.isfinite(values))
            if wrong.size:
                raise DataError(
                    f"column {name!r} holds {values[wrong[0]]} in row {wrong[0]} "
                    f"({wrong.size} such rows): fill in or drop them"
                )
        return np.stack(columns, axis=1, dtype=np.float64, casting="unsafe")

    def text(self, names: Sequence[str]) -> list[str]:
        """Return those of some columns that hold text or categories."""
        return [
            name
            for name in names
            if self.column(name).dtype.kind in "OSUT"
            or str(self._frame[self._columns[name]].dtype) == "category"
        ]
