"""Class labels as codes, and samples that keep each class's share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot.errors import DataError, nearest

Label = str | int | float | bool


def encode(
    target: ArrayLike, classes: bool | Sequence[Label] | None, what: str
) -> tuple[NDArray[Any], tuple[Label, ...] | None]:
    """Return class codes [N] with their labels, or the target as it is and None.

    Strings and booleans are always classes; numbers are when ``classes`` is True, or lists the
    labels in the order of their codes. Otherwise labels are sorted.

    Raises
    ------
    DataError
        If there are fewer than two classes, or a label that the list does not hold.
    """
    values = np.asarray(target)
    if values.dtype == object and values.size and _all_strings(values):
        values = values.astype(str)
    textual = values.dtype.kind in "USb"
    if classes is None and not textual:
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
    found, codes = np.unique(values, return_inverse=True)
    labels: list[Label] = found.tolist()
    if classes is not None and classes is not True:
        given = list(classes)
        unknown = next((label for label in labels if label not in given), None)
        if unknown is not None:
            known = nearest(str(unknown), [str(label) for label in given])
            raise DataError(f"{what} holds the label {unknown!r}, not among its classes: {known}")
        codes = np.array([given.index(label) for label in labels], dtype=np.int64)[codes]
        labels = given
    if len(labels) < 2:
        raise DataError(f"{what} holds {len(labels)} class; a classification needs at least two")
    return codes.astype(np.int64), tuple(labels)


def allocate(size: int, strata: NDArray[np.int64]) -> NDArray[np.int64]:
    """Share ``size`` examples among strata [classes] in proportion, by largest remainders.

    >>> allocate(10, np.array([30, 60, 5])).tolist()
    [3, 6, 1]
    """
    quota = size * strata / strata.sum()
    share: NDArray[np.int64] = np.floor(quota).astype(np.int64)
    order = np.argsort(share - quota, kind="stable")
    share[order[: size - int(share.sum())]] += 1
    return share


def stratified(
    rows: NDArray[np.int32],
    codes: NDArray[np.int64],
    size: int,
    replace: bool,
    generator: np.random.Generator,
) -> NDArray[np.int32]:
    """Draw ``size`` of the rows [n] with classes ``codes`` [n], each class in proportion.

    The sample is shuffled, so that its order says nothing of the classes.
    """
    order = np.argsort(codes, kind="stable")
    strata = np.bincount(codes)
    parts = []
    for members, share in zip(
        np.split(rows[order], np.cumsum(strata)[:-1]), allocate(size, strata)
    ):
        if replace:
            picked = generator.integers(0, members.size, size=share) if share else np.empty(0, int)
        else:
            picked = generator.permutation(members.size)[:share]
        parts.append(members[picked])
    return generator.permutation(np.concatenate(parts)).astype(np.int32)


def _all_strings(values: NDArray[Any]) -> bool:
    return all(isinstance(value, str) for value in values.ravel())
