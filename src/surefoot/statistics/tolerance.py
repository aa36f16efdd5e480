"""What n fresh losses say about the next ones, whatever their distribution.

For i.i.d. losses with sorted values x_(1) <= ... <= x_(n), the share of the population at or below
x_(r) is at least beta-distributed, Beta(r, n - r + 1), with equality for a continuous distribution
(Wilks 1941, Ann. Math. Statist. 12, 91; David and Nagaraja, Order Statistics, 2003, chapter 7).
Everything here follows from that. A diverged or failed instance is a loss of +inf and stays in the
sample. Shapes: ``losses`` is ``[n]``, in the unit of the loss; contents, confidences and rates are
probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.errors import StatisticsError

Losses = npt.ArrayLike


@dataclass(frozen=True)
class Bound:
    """An upper tolerance bound: at least ``content`` of the population is at or below ``value``."""

    value: float
    content: float
    confidence: float
    order: int
    n: int


@dataclass(frozen=True)
class Interval:
    """A confidence interval of a quantity; ``confidence`` is the coverage that is guaranteed.

    ``estimate`` is the sample's own value. ``warning`` says in words what to beware of, or is
    empty. ``ranks`` are the order statistics used (from 1; 0 and n + 1 stand for no bound), or
    None.
    """

    low: float
    high: float
    estimate: float
    confidence: float
    ranks: tuple[int, int] | None = None
    warning: str = ""


def content_reached(n: int, confidence: float = 0.95, order: int = 1) -> float:
    """Return the content that the ``order``-th largest of n losses bounds at this confidence.

    The p with P(Beta(n - order + 1, order) <= p) = 1 - confidence. For the largest,
    ``(1 - confidence) ** (1 / n)``: 0.942 for n = 50 at 0.95.
    """
    _check_n(n)
    _check_share("confidence", confidence)
    if not 1 <= order <= n:
        raise StatisticsError(f"order {order} of {n} losses does not exist; give 1 to {n}")
    from scipy import special

    return float(special.betaincinv(n - order + 1, order, 1.0 - confidence))


def confidence_reached(n: int, content: float = 0.95, order: int = 1) -> float:
    """Return the confidence with which the ``order``-th largest of n losses has this content."""
    _check_n(n)
    _check_share("content", content)
    if not 1 <= order <= n:
        raise StatisticsError(f"order {order} of {n} losses does not exist; give 1 to {n}")
    from scipy import special

    return float(1.0 - special.betainc(n - order + 1, order, content))


def needed(content: float = 0.95, confidence: float = 0.95, order: int = 1) -> int:
    """Return the smallest n whose ``order``-th largest loss has this content and confidence.

    95/95 needs 59 from the largest, 93 from the 2nd largest and 124 from the 3rd; 90/95 needs 29
    and 99/95 needs 299.
    """
    _check_share("content", content)
    _check_share("confidence", confidence)
    if order < 1:
        raise StatisticsError(f"order {order} does not exist; 1 is the largest loss")
    low, high = order - 1, order
    while confidence_reached(high, content, order) < confidence:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if confidence_reached(middle, content, order) >= confidence:
            high = middle
        else:
            low = middle
    return high


def upper_bound(losses: Losses, content: float = 0.95, confidence: float = 0.95) -> Bound:
    """Return the tightest distribution-free upper bound for this wish.

    The largest ``order`` whose order statistic still has the content at the confidence is used:
    from 93 losses on, 95/95 is bounded by the second largest, which is lower. When n is too small
    for the wish the largest loss is returned with the ``content`` it does reach, which is then
    below the wish. ``value`` is +inf when that order statistic diverged.
    """
    ordered = _ordered(losses)
    n = len(ordered)
    order = 1
    while order < n and confidence_reached(n, content, order + 1) >= confidence:
        order += 1
    reached = content_reached(n, confidence, order)
    return Bound(float(ordered[n - order]), reached, confidence, order, n)


def rate_bound(failures: int, n: int, confidence: float = 0.95) -> float:
    """Return the upper bound of a failure rate after ``failures`` in n (Clopper and Pearson 1934).

    One-sided: 0 in 50 gives 0.058 at 95 %. n in n gives 1.
    """
    _check_n(n)
    _check_share("confidence", confidence)
    if not 0 <= failures <= n:
        raise StatisticsError(f"{failures} failures in {n} instances is impossible")
    if failures == n:
        return 1.0
    from scipy import special

    return float(special.betaincinv(failures + 1, n - failures, confidence))


def median_interval(losses: Losses, confidence: float = 0.95) -> Interval:
    """Return the interval of the median by order statistics; see `quantile_interval`."""
    return quantile_interval(losses, 0.5, confidence)


def quantile_interval(losses: Losses, level: float, confidence: float = 0.95) -> Interval:
    """Return a distribution-free confidence interval of a quantile.

    ``[x_(r), x_(s)]`` covers with P(r <= K < s), K ~ Binomial(n, level). The two tails are taken
    as near to equal as they get, each at most (1 - confidence) / 2: for the median of 50, the
    18th and 33rd, 96.7 %. A side that n cannot bound is -inf or +inf, and ``warning`` says so.
    """
    ordered = _ordered(losses)
    _check_share("level", level)
    _check_share("confidence", confidence)
    from scipy import special

    n, tail = len(ordered), (1.0 - confidence) / 2.0
    below = special.bdtr(np.arange(n + 1), n, level)
    low = int(np.count_nonzero(below <= tail))
    high = int(np.searchsorted(below, 1.0 - tail, side="left")) + 1
    covered = (float(below[high - 1]) if high <= n else 1.0) - (
        float(below[low - 1]) if low else 0.0
    )
    warning = ""
    if low == 0 or high > n:
        warning = f"{n} losses cannot bound the {level:g} quantile on both sides"
    return Interval(
        float(ordered[low - 1]) if low else -np.inf,
        float(ordered[high - 1]) if high <= n else np.inf,
        _interpolated(ordered, level),
        covered,
        (low, high),
        warning,
    )


def next_below_max(n: int) -> float:
    """Return the probability that the next loss is at most the largest of n: n / (n + 1).

    Marginal over the n as well, by exchangeability alone (Vovk, Gammerman and Shafer 2005).
    """
    _check_n(n)
    return n / (n + 1)


def next_bound(losses: Losses, probability: float = 0.95) -> float:
    """Return the conformal bound the next loss stays at or below with at least ``probability``.

    The k-th smallest with k = ceil((n + 1) probability); +inf when n is too small for that.
    """
    ordered = _ordered(losses)
    _check_share("probability", probability)
    rank = int(np.ceil((len(ordered) + 1) * probability - 1e-9))
    return float(ordered[rank - 1]) if rank <= len(ordered) else float("inf")


def _interpolated(ordered: npt.NDArray[np.float64], level: float) -> float:
    position = (len(ordered) - 1) * level
    low = int(np.floor(position + 1e-12))
    share = position - low
    if share < 1e-12:
        return float(ordered[low])
    return float((1.0 - share) * ordered[low] + share * ordered[low + 1])


def _ordered(losses: Losses) -> npt.NDArray[np.float64]:
    values = np.asarray(losses, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise StatisticsError(f"losses must be [n] with n >= 1, not {list(values.shape)}")
    if not (values > -np.inf).all():
        raise StatisticsError("losses hold NaN or -inf; a diverged instance is +inf")
    return np.sort(values)


def _check_n(n: int) -> None:
    if n < 1:
        raise StatisticsError(f"n = {n} losses say nothing; give at least 1")


def _check_share(word: str, share: float) -> None:
    if not 0.0 < share < 1.0:
        raise StatisticsError(f"{word} = {share:g} must lie between 0 and 1, such as 0.95")
