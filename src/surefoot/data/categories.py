"""Categories among the features: kept as codes, and handed to estimators as columns of a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import DataError, require


@dataclass(frozen=True)
class FrameColumns:
    """The names of F features, and of those that are categories, by place, what their codes mean.

    Code k stands for label k, NaN for a missing one.
    """

    names: tuple[str, ...]
    categories: Mapping[int, tuple[str, ...]]

    def frame(self, features: NDArray[Any]) -> Any:
        """Return features [n, F] as a data frame of pandas, categories as such.

        Raises `MissingExtraError` without pandas.
        """
        pandas = require("pandas", extra="frames")
        columns: dict[str, Any] = {}
        for place, name in enumerate(self.names):
            values = np.asarray(features[:, place], dtype=np.float64)
            if place in self.categories:
                codes = np.where(np.isnan(values), -1, values).astype(np.int64)
                values = pandas.Categorical.from_codes(codes, list(self.categories[place]))
            columns[name] = values
        return pandas.DataFrame(columns)


def category_codes(
    values: NDArray[Any], known: Sequence[str] | None = None
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return codes [N] of values of any kind and the labels that they stand for, sorted.

    What is None, "" or NaN has the code NaN, and so has what is not among the labels ``known``, if
    any are given.

    >>> category_codes(np.array(["Hill", "", "Valley", "Hill"]))
    (array([ 0., nan,  1.,  0.]), ('Hill', 'Valley'))
    """
    texts = [_text(value) for value in np.ravel(values).tolist()]
    labels = sorted({text for text in texts if text}) if known is None else list(known)
    code = {label: float(number) for number, label in enumerate(labels)}
    return np.array([code.get(text, np.nan) for text in texts]), tuple(labels)


def checked_categories(
    categories: Mapping[int, Sequence[str]], features: NDArray[np.float32], name: str
) -> dict[int, tuple[str, ...]]:
    """Return what the codes of some features [N, F] mean; raise `DataError` if they mean nothing.

    ``name`` is the population's.
    """
    for place, labels in categories.items():
        if not 0 <= place < features.shape[1]:
            raise DataError(f"{name} has {features.shape[1]} features: there is no number {place}")
        values = features[:, place]
        known = values[~np.isnan(values)]
        bad = known[(known < 0) | (known >= len(labels)) | (known != np.floor(known))]
        if bad.size:
            raise DataError(
                f"feature number {place} of {name} holds {bad[0]:g}, which is no code of its "
                f"{len(labels)} categories: use 0 to {len(labels) - 1}, NaN where one is missing"
            )
    return {place: tuple(map(str, labels)) for place, labels in sorted(categories.items())}


def _text(value: Any) -> str:
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
