"""Confidence intervals, and those of a quantile by order statistics, whatever the distribution.

``losses`` is ``[n]``, in the unit of the loss. A diverged or failed instance is a loss of +inf and
stays in the sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot import checks
from surefoot.errors import StatisticsError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A confidence interval of a quantity; ``confidence_level`` is the coverage guaranteed.

    ``estimate`` is the sample's own value. ``warning`` says in words what to beware of, or is
    empty. ``ranks`` are the order statistics used (from 1; 0 and n + 1 stand for no bound), or
    None.

    >>> one = Interval(0.21, 0.354, 0.25, 0.95)
    >>> str(one), f"{one:.0%}"
    ('0.25 (0.21 to 0.354)', '25% (21% to 35%)')
    """

    low: float
    high: float
    estimate: float
    confidence_level: float
    ranks: tuple[int, int] | None = None
    warning: str = ""

    def __format__(self, spec: str) -> str:
        spec = spec or ".3g"
        return f"{self.estimate:{spec}} ({self.low:{spec}} to {self.high:{spec}})"

    def __str__(self) -> str:
        return format(self)


def median_interval(losses: npt.ArrayLike, confidence_level: float = 0.95) -> Interval:
    """Return the interval of the median by order statistics; see `quantile_interval`."""
    return quantile_interval(losses, 0.5, confidence_level)


def quantile_interval(
    losses: npt.ArrayLike, level: float, confidence_level: float = 0.95
) -> Interval:
    """Return a distribution-free confidence interval of a quantile.

    ``[x_(r), x_(s)]`` covers with P(r <= K < s), K ~ Binomial(n, level) (David and Nagaraja, Order
    Statistics, 2003, section 7.1). The two tails are taken as near to equal as they get, each at
    most (1 - confidence_level) / 2: for the median of 50, the 18th and 33rd, 96.7 %. A side that n
    cannot bound is -inf or +inf, and ``warning`` says so.
    """
    ordered = np.sort(checked_losses(losses))
    checks.share(level=level, confidence_level=confidence_level)
    from scipy import special

    n, tail = len(ordered), (1.0 - confidence_level) / 2.0
    below = special.bdtr(np.arange(n + 1), n, level)
    low = int(np.count_nonzero(below <= tail))
    high = int(np.searchsorted(below, 1.0 - tail, side="left")) + 1
    covered = float(below[high - 1]) if high <= n else 1.0
    covered -= float(below[low - 1]) if low else 0.0
    warning = f"{n} losses cannot bound the {level:g} quantile on both sides"
    return between_ranks(ordered, level, (low, high), covered, warning)


def between_ranks(
    ordered: Floats, level: float, ranks: tuple[int, int], confidence_level: float, warning: str
) -> Interval:
    """Return the interval of a quantile between two of the ``ordered`` losses.

    Ranks 0 and n + 1 leave its side open, of which ``warning`` tells.
    """
    (low, high), n = ranks, len(ordered)
    return Interval(
        float(ordered[low - 1]) if low >= 1 else -np.inf,
        float(ordered[high - 1]) if high <= n else np.inf,
        float(quantile(ordered, level)),
        confidence_level,
        ranks,
        "" if low >= 1 and high <= n else warning,
    )


def quantile(losses: npt.ArrayLike, level: float) -> Floats:
    """Return the quantile over the last axis, interpolated linearly as `numpy.quantile` does.

    Unlike NumPy's it is +inf exactly when an order statistic of a weight above zero is.

    >>> float(quantile([1.0, 2.0, np.inf], 0.5)), float(quantile([1.0, 2.0, np.inf], 0.6))
    (2.0, inf)
    """
    ordered = np.sort(np.asarray(losses, dtype=np.float64), axis=-1)
    place = (ordered.shape[-1] - 1) * level
    low = int(np.floor(place + 1e-12))
    share = place - low
    if share < 1e-12:
        return np.asarray(ordered[..., low])
    return np.asarray((1.0 - share) * ordered[..., low] + share * ordered[..., low + 1])


def checked_losses(losses: npt.ArrayLike) -> Floats:
    """Return losses ``[n]`` as an array; `StatisticsError` without any, or for a NaN or -inf."""
    values = finite_or_inf(losses)
    if values.ndim != 1 or values.size == 0:
        raise StatisticsError(f"losses must be [n] with n >= 1, not {list(values.shape)}")
    return values


def finite_or_inf(losses: npt.ArrayLike) -> Floats:
    """Return losses of any shape as an array; `StatisticsError` for a NaN or -inf among them."""
    values = np.asarray(losses, dtype=np.float64)
    if not (values > -np.inf).all():
        raise StatisticsError("losses hold NaN or -inf; a diverged instance is +inf")
    return values
