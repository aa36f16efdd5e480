"""Confidence intervals: of a quantile, whatever the distribution, and of a spread by bootstrap.

``losses`` is ``[n]``, in the unit of the loss. A diverged or failed instance is a loss of +inf and
stays in the sample.

Intervals of spreads by SciPy's BCa bootstrap (Efron 1987) are narrow rather than sure: at nominal
90 %, from 20 and 50 losses, that of the standard deviation covers 83 and 86 % (normal losses), 77
and 81 % (Student's t with 5 degrees of freedom), 70 and 78 % (log-normal of skewness 1.75; 500
samples each). `surefoot.statistics.variance` has wider ones.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt

from surefoot import checks
from surefoot.errors import StatisticsError

Floats = npt.NDArray[np.float64]
Spread = Literal["sd", "iqr"]

FEW = 20
"""Below this many losses a bootstrap interval of a spread covers less often than it says."""


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


def mean_interval(losses: npt.ArrayLike, confidence_level: float = 0.95) -> Interval:
    """Return Student's confidence interval of the mean, ``mean ± t s / √n``.

    It is exact for normal losses and covers less often for few losses of a skewed distribution.
    One loss bounds nothing; after a divergence the mean is +inf.

    >>> f"{mean_interval([1.0, 2.0, 3.0]):.3f}"
    '2.000 (-0.484 to 4.484)'
    """
    values = checked_losses(losses)
    checks.share(confidence_level=confidence_level)
    n, mean = len(values), float(values.mean())
    if n < 2 or not np.isfinite(mean):
        note = "one loss shows no spread" if n < 2 else "instances diverged: the mean is infinite"
        return Interval(-np.inf, np.inf, mean, confidence_level, None, note)
    from scipy import special

    deviation = float(values.std(ddof=1))
    half = float(special.stdtrit(n - 1, 0.5 + confidence_level / 2.0)) * deviation / np.sqrt(n)
    return Interval(mean - half, mean + half, mean, confidence_level)


def quantile_sequence(
    losses: npt.ArrayLike, level: float, confidence_level: float = 0.95
) -> Interval:
    """Return an interval of a quantile that is valid at every n at once.

    The exceedances of the true quantile form a binomial count; ``k`` of n is plausible while the
    mixture martingale ``B(k+1, n-k+1) / (p^k (1-p)^(n-k))`` stays below 1 / alpha (Robbins 1970;
    Howard and Ramdas 2022 give sharper boundaries). The interval goes from the smallest to the
    largest order statistic whose rank is plausible; -inf or +inf where n is too small.
    """
    ordered = np.sort(checked_losses(losses))
    checks.share(level=level, confidence_level=confidence_level)
    from scipy import special

    n = ordered.size
    k = np.arange(n + 1)
    log_mixture = special.betaln(k + 1.0, n - k + 1.0) - (
        k * np.log(level) + (n - k) * np.log1p(-level)
    )
    plausible = np.flatnonzero(log_mixture < -np.log1p(-confidence_level))
    ranks = int(plausible[0]), int(plausible[-1]) + 1
    warning = f"{n} losses bound one side at most"
    return between_ranks(ordered, level, ranks, confidence_level, warning)


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


def interquartile_range(losses: npt.ArrayLike) -> Floats:
    """Return the interquartile range over the last axis; +inf where a quarter or more diverged."""
    third, first = quantile(losses, 0.75), quantile(losses, 0.25)
    return np.where(np.isfinite(third), third - np.where(np.isfinite(first), first, 0.0), np.inf)


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


def spread_interval(
    losses: npt.ArrayLike,
    spread: Spread,
    confidence_level: float = 0.95,
    *,
    rng: np.random.Generator,
    n_resamples: int = 4000,
) -> Interval:
    """Return the BCa bootstrap interval of the standard deviation or the interquartile range.

    The former is that with n - 1. There is no upper end if a loss is infinite.
    """
    values = finite_or_inf(losses)
    name = {"sd": "standard deviation", "iqr": "interquartile range"}[spread]
    if values.ndim != 1 or values.size < 2:
        raise StatisticsError(f"the {name} needs at least 2 losses, not shape {list(values.shape)}")
    checks.share(confidence_level=confidence_level)
    n, infinite = values.size, int(np.isinf(values).sum())
    if infinite:
        note = f"{infinite} of {n} losses are infinite: the {name} has no upper bound"
        return Interval(0.0, np.inf, np.inf, confidence_level, None, note)
    from scipy import stats

    statistic = partial(np.std, ddof=1) if spread == "sd" else stats.iqr
    estimate = float(statistic(values, axis=-1))
    if float(np.ptp(values)) == 0.0:
        note = "all losses are equal"
        return Interval(estimate, estimate, estimate, confidence_level, None, note)
    bootstrap = partial(
        stats.bootstrap, (values,), statistic, confidence_level=confidence_level, rng=rng
    )
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        found = bootstrap(method="BCa" if n > 2 else "percentile", n_resamples=n_resamples)
        if np.isnan(found.confidence_interval).any():
            # Where leaving any loss out changes nothing, BCa has no acceleration.
            found = bootstrap(method="percentile", n_resamples=0, bootstrap_result=found)
    low, high = map(float, found.confidence_interval)
    few = f"only {n} losses: the interval covers less often than {confidence_level:.0%}"
    return Interval(low, high, estimate, confidence_level, None, few if n < FEW else "")
