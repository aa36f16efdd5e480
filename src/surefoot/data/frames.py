"""Columns of a pandas or polars data frame as the arrays of a population."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.labels import Label
from surefoot.errors import DataError, nearest


def parts(
    frame: Any,
    target: str | Sequence[str],
    features: Sequence[str] | None,
    side: Sequence[str],
    groups: str | None,
    classes: bool | Sequence[Label] | None,
) -> dict[str, Any]:
    """Return the arguments of a population for named columns of a frame."""
    targets = [target] if isinstance(target, str) else list(target)
    taken = {*targets, *side, *([groups] if groups is not None else [])}
    if features is None:
        features = [name for name in columns_of(frame) if name not in taken]
    one = column(frame, targets[0])
    labels = len(targets) == 1 and (one.dtype.kind not in "iuf" or classes is not None)
    return {
        "features": numbers(frame, features),
        "target": one if labels else numbers(frame, targets),
        "side": numbers(frame, side) if side else None,
        "groups": None if groups is None else column(frame, groups),
        "target_name": ", ".join(targets),
        "side_names": tuple(side),
        "feature_names": tuple(features),
        "classes": classes,
    }


def columns_of(frame: Any) -> list[str]:
    """Return the column names of a frame; raise `DataError` if it is not one."""
    columns = getattr(frame, "columns", None)
    if columns is None or not hasattr(frame, "__getitem__"):
        raise DataError(
            f"a {type(frame).__name__} is not a data frame: give one of pandas or polars"
        )
    names = [str(name) for name in columns]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"column {twice!r} is twice in the frame: names must differ")
    return names


def column(frame: Any, name: str) -> NDArray[Any]:
    """Return one column [N] of a frame, of any kind of values."""
    names = columns_of(frame)
    if name not in names:
        raise DataError(f"the frame has no column {name!r}: {nearest(name, names)}")
    actual = list(frame.columns)[names.index(name)]
    return np.asarray(frame[actual].to_numpy())


def numbers(frame: Any, names: Sequence[str]) -> NDArray[np.float64]:
    """Return columns [N, columns] of a frame, which must all hold finite numbers.

    Raises
    ------
    DataError
        If a column is missing, is not numeric or has a missing value; the message names it.
    """
    if not names:
        raise DataError("no column is left for the features: give at least one besides the target")
    matrix = np.empty((len(frame), len(names)))
    for place, name in enumerate(names):
        values = column(frame, name)
        if values.dtype.kind not in "biuf":
            raise DataError(
                f"column {name!r} holds {_kind(values)}, not numbers: encode it, for example with "
                "one column per category, or leave it out of the features"
            )
        missing = np.flatnonzero(~np.isfinite(values))
        if missing.size:
            raise DataError(
                f"column {name!r} holds {values[missing[0]]} in row {missing[0]} "
                f"({missing.size} such rows): fill in or drop them"
            )
        matrix[:, place] = values
    return matrix


def _kind(values: NDArray[Any]) -> str:
    first = next((value for value in values.ravel() if value is not None), None)
    return f"values such as {first!r}"
