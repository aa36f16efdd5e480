"""From where on a series stays near its last value."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def flat_from(values: ArrayLike, share: float) -> int:
    """Return the place from which on every value is within a ``share`` of the last one.

    ``values`` are ``[n]``; the last place when only that is, or when the last value is infinite.

    >>> flat_from([3.0, 1.2, 0.97, 1.02, 1.0], 0.05)
    2
    """
    series = np.asarray(values, np.float64)
    last = series[-1]
    if np.isinf(last):
        return len(series) - 1
    far = np.flatnonzero(~(np.abs(series - last) <= share * abs(last)))
    return int(far[-1]) + 1 if far.size else 0
