"""Series of sample sizes: the paper's 45, and any in equal ratios."""

from __future__ import annotations

from typing import Literal

import numpy as np

from surefoot import checks
from surefoot.errors import ConfigurationError

PAPER: Literal["paper"] = "paper"
"""What is given for the paper's sizes."""


def paper_sizes() -> list[int]:
    """Return the paper's 45 sizes, ``floor(132.2611 · 1.1326135^i)`` for i = 0 … 44.

    These are the sizes of its figures, to the unit; with the constants cut to 132.261 and 1.13261
    the largest ones come out up to four too small.

    >>> sizes = paper_sizes()
    >>> len(sizes), sizes[0], sizes[-1]
    (45, 132, 31697)
    """
    return [int(132.2611 * 1.1326135**i) for i in range(45)]


def geometric_sizes(first: int, last: int, count: int) -> list[int]:
    """Return ``count`` sizes in equal ratios from ``first`` to ``last``, both included.

    >>> geometric_sizes(100, 10_000, 3)
    [100, 1000, 10000]

    Raises `ConfigurationError` if they are no range or too many for it.
    """
    checks.count(2, most=10_000, of="sizes", count=count)
    checks.count(1, most=1 << 31, of="sizes", first=first, last=last)
    if not 1 <= first < last or count < 2:
        raise ConfigurationError(
            f"{count} sizes from {first} to {last} are no range: give first < last and at least 2"
        )
    sizes = sorted({round(float(size)) for size in np.geomspace(first, last, count)})
    if len(sizes) < count:
        raise ConfigurationError(f"there are no {count} different sizes from {first} to {last}")
    return sizes
