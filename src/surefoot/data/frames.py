"""Columns of a pandas or polars data frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import DataError, nearest


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

    def numbers(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return columns [N, columns], which must all hold finite numbers."""
        if not names:
            raise DataError(
                "no column is left for the features: give at least one besides the target"
            )
        columns = [self.column(name) for name in names]
        for name, values in zip(names, columns, strict=True):
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
        return np.stack(columns, axis=1, dtype=np.float64, casting="unsafe")
