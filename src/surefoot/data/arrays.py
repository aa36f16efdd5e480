"""Checks that turn what a user gives into the arrays of a population, or say what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot.data.labels import Label, encode
from surefoot.errors import DataError


def encoded(
    target: ArrayLike, classes: bool | Sequence[Label] | None, what: str
) -> tuple[ArrayLike, tuple[Label, ...] | None]:
    """Return `encode` of a target; a ragged one is left for `matrix` to complain of."""
    try:
        return encode(target, classes, what)
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        return target, None


def matrix(values: ArrayLike, what: str) -> NDArray[np.float32]:
    """Return values as a finite, non-empty, C-contiguous float32 matrix [N, columns]."""
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
    rows = np.flatnonzero(~np.isfinite(result).all(axis=1))
    if rows.size:
        column = int(np.flatnonzero(~np.isfinite(result[rows[0]]))[0])
        raise DataError(
            f"{what} hold {table[rows[0], column]} in example {rows[0]}, column {column} "
            f"({rows.size} such examples): all values must be finite in float32"
        )
    return result


def same_length(n: int, found: int, what: str) -> None:
    """Raise `DataError` unless a part has as many entries as there are examples."""
    if n != found:
        raise DataError(
            f"{what} has {found} entries but there are {n} examples: lengths must agree"
        )
