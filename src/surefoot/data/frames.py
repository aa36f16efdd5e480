"""Columns of a pandas or polars data frame as the arrays of a population."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import DataError, nearest


def arrays_of(
    frame: Any,
    target: str | Sequence[str],
    features: Sequence[str] | None,
    side: Sequence[str],
    groups: str | None,
    labelled: bool,
) -> dict[str, Any]:
    """Return the arguments of a population for named columns of a frame.

    ``labelled`` says that numbers in a single target column are class labels.

    Raises
    ------
    DataError
        If a column is missing, not numeric or has missing values; the message names it.
    """
    names = _names(frame)
    targets = [target] if isinstance(target, str) else list(target)
    if features is None:
        taken = {*targets, *side, groups}
        features = [name for name in names if name not in taken]
    one = _column(frame, names, targets[0])
    labels = len(targets) == 1 and (labelled or one.dtype.kind not in "iuf")
    return {
        "features": _numbers(frame, names, features),
        "target": one if labels else _numbers(frame, names, targets),
        "side": _numbers(frame, names, side) if side else None,
        "groups": None if groups is None else _column(frame, names, groups),
        "target_name": ", ".join(targets),
        "side_names": tuple(side),
        "feature_names": tuple(features),
    }


def _names(frame: Any) -> list[str]:
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


def _column(frame: Any, names: list[str], name: str) -> NDArray[Any]:
    """Return one column [N], of any kind of values."""
    if name not in names:
        raise DataError(f"the frame has no column {name!r}: {nearest(name, names)}")
    actual = list(frame.columns)[names.index(name)]
    return np.asarray(frame[actual].to_numpy())


def _numbers(frame: Any, names: list[str], wanted: Sequence[str]) -> NDArray[np.float64]:
    """Return columns [N, columns], which must all hold finite numbers."""
    if not wanted:
        raise DataError("no column is left for the features: give at least one besides the target")
    matrix = np.empty((len(frame), len(wanted)))
    for place, name in enumerate(wanted):
        values = _column(frame, names, name)
        if values.dtype.kind not in "biuf":
            first = next((value for value in values.ravel() if value is not None), None)
            raise DataError(
                f"column {name!r} holds values such as {first!r}, not numbers: encode it, for "
                "example with one column per category, or leave it out of the features"
            )
        missing = np.flatnonzero(~np.isfinite(values))
        if missing.size:
            raise DataError(
                f"column {name!r} holds {values[missing[0]]} in row {missing[0]} "
                f"({missing.size} such rows): fill in or drop them"
            )
        matrix[:, place] = values
    return matrix
