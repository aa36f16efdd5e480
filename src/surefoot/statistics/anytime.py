"""Statements that stay valid however often one looks: e-processes and confidence sequences.

An e-process starts at 1 and, while the hypothesis holds, exceeds 1 / level at any time with
probability at most ``level`` (Ville 1939): one may test after every instance and stop when one
likes, without a correction for the looks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from surefoot.errors import StatisticsError
from surefoot.statistics.tolerance import Interval

Floats = npt.NDArray[np.float64]


def log_evidence_of_losing(losses: int | Floats, comparisons: int | Floats) -> Floats:
    """Return the log e-value against "it loses at most half of the comparisons".

    A bet on p in (1/2, 1), mixed uniformly: ``E = 2^n * 2 * integral_(1/2)^1 p^k (1-p)^(n-k) dp``
    for k losses in n comparisons without ties. Reject at a level once E >= 1 / level.
    """
    from scipy import special

    k = np.asarray(losses, dtype=np.float64)
    n = np.asarray(comparisons, dtype=np.float64)
    if (k < 0).any() or (k > n).any():
        raise StatisticsError("more losses than comparisons; both count the same instances")
    upper = special.betaincc(k + 1.0, n - k + 1.0, 0.5)
    log_upper = np.log(np.maximum(upper, 1e-300))
    return np.asarray((n + 1.0) * np.log(2.0) + special.betaln(k + 1.0, n - k + 1.0) + log_upper)


def quantile_sequence(losses: npt.ArrayLike, level: float, confidence: float = 0.95) -> Interval:
    """Return an interval of a quantile that is valid at every n at once.

    The exceedances of the true quantile form a binomial count; ``k`` of n is plausible while the
    mixture martingale ``B(k+1, n-k+1) / (p^k (1-p)^(n-k))`` stays below 1 / alpha (Robbins 1970;
    Howard and Ramdas 2022 give sharper boundaries). The interval goes from the smallest to the
    largest order statistic whose rank is plausible; -inf or +inf where n is too small.
    """
    values = np.sort(np.asarray(losses, dtype=np.float64))
    if values.ndim != 1 or values.size == 0 or not (values > -np.inf).all():
        raise StatisticsError("a quantile sequence needs losses [n], finite or +inf, n >= 1")
    if not 0.0 < level < 1.0 or not 0.0 < confidence < 1.0:
        raise StatisticsError(f"level = {level:g} and confidence = {confidence:g} lie in (0, 1)")
    from scipy import special

    n = values.size
    k = np.arange(n + 1)
    log_mixture = special.betaln(k + 1.0, n - k + 1.0) - (
        k * np.log(level) + (n - k) * np.log1p(-level)
    )
    plausible = np.flatnonzero(log_mixture < -np.log1p(-confidence))
    low, high = int(plausible[0]), int(plausible[-1]) + 1
    place = (n - 1) * level
    estimate = float(values[int(np.floor(place + 0.5))])
    return Interval(
        float(values[low - 1]) if low >= 1 else -np.inf,
        float(values[high - 1]) if high <= n else np.inf,
        estimate,
        confidence,
        (low, high),
        "" if low >= 1 and high <= n else f"{n} losses bound one side at most",
    )


def mean_sequence(
    losses: npt.ArrayLike, upper: float, confidence: float = 0.95, grid: int = 1000
) -> Interval:
    """Return an interval of the mean, valid at every n at once, for losses in [0, ``upper``].

    The hedged betting interval of Waudby-Smith and Ramdas (2024, section 4.2): for every mean m on
    a grid, wealth ``(prod(1 + l_t (x_t - m)) + prod(1 - l_t (x_t - m))) / 2`` with predictable
    bets ``l_t = min(sqrt(2 log(2/alpha) / (v_(t-1) t log(1+t))), c)``, ``c = 1/2`` over m or 1 - m,
    where v is the regularised variance so far; m is kept while its wealth stays below 1 / alpha
    at every t. Order matters: losses come in the order of their instances. +inf is refused:
    a mean with divergences has no bound.
    """
    raw = np.asarray(losses, dtype=np.float64)
    if raw.ndim != 1 or raw.size == 0 or not (np.isfinite(raw) & (raw >= 0) & (raw <= upper)).all():
        raise StatisticsError(
            f"a betting interval needs losses [n] between 0 and the bound given, {upper:g}"
        )
    if not 0.0 < confidence < 1.0:
        raise StatisticsError(f"confidence = {confidence:g} must lie between 0 and 1")
    x, alpha, n = raw / upper, 1.0 - confidence, raw.size
    t = np.arange(1, n + 1)
    means = (0.5 + np.cumsum(x)) / (t + 1.0)
    variances = (0.25 + np.cumsum((x - means) ** 2)) / (t + 1.0)
    before = np.concatenate([[0.25], variances[:-1]])
    bet = np.sqrt(2.0 * np.log(2.0 / alpha) / (before * t * np.log1p(t)))
    m = (np.arange(grid + 1) / grid)[:, None]
    with np.errstate(divide="ignore"):
        rising = np.minimum(bet, 0.5 / m)
        falling = np.minimum(bet, 0.5 / (1.0 - m))
    up = np.cumsum(np.log1p(rising * (x - m)), axis=1)
    down = np.cumsum(np.log1p(-falling * (x - m)), axis=1)
    wealth = np.logaddexp(up, down) - np.log(2.0)
    peak = wealth.max(axis=1)
    kept = np.flatnonzero(peak < max(-np.log(alpha), float(peak.min()) + 1e-12))
    low, high = max(0, int(kept[0]) - 1), min(grid, int(kept[-1]) + 1)
    return Interval(upper * low / grid, upper * high / grid, float(raw.mean()), confidence, None)
