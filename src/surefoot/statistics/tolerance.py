"""What n fresh losses say about the next ones, whatever their distribution: tolerance bounds.

For i.i.d. losses with sorted values x_(1) <= ... <= x_(n), the share of the population at or below
x_(r) is at least beta-distributed, Beta(r, n - r + 1), with equality for a continuous distribution
(Wilks 1941, Ann. Math. Statist. 12, 91; David and Nagaraja, Order Statistics, 2003, chapter 7).
Everything here follows from that. A diverged or failed instance is a loss of +inf and stays in the
sample. Shapes: ``losses`` is ``[n]``, in the unit of the loss; contents, confidences and rates are
probabilities.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot import checks
from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.statistics.intervals import checked_losses


@dataclass(frozen=True)
class Bound:
    """An upper tolerance bound: at least ``content`` of the population is at or below ``value``.

    That holds with ``confidence``; ``value`` is the ``order``-th largest of ``n`` losses.
    """

    value: float
    content: float
    confidence: float
    order: int
    n: int

    def __str__(self) -> str:
        return f"{self.content:.1%} are at most {self.value:.4g}; confidence {self.confidence:.0%}"


def content_reached(n: int, confidence: float = 0.95, order: int = 1) -> float:
    """Return the content that the ``order``-th largest of n losses bounds at this confidence.

    The p with P(Beta(n - order + 1, order) <= p) = 1 - confidence. For the largest,
    ``(1 - confidence) ** (1 / n)``: 0.942 for n = 50 at 0.95.
    """
    _check_order(n, order)
    checks.share(confidence=confidence)
    from scipy import special

    return float(special.betaincinv(n - order + 1, order, 1.0 - confidence))


def confidence_reached(n: int, content: float = 0.95, order: int = 1) -> float:
    """Return the confidence with which the ``order``-th largest of n losses has this content."""
    _check_order(n, order)
    checks.share(content=content)
    from scipy import special

    return float(1.0 - special.betainc(n - order + 1, order, content))


def needed(content: float = 0.95, confidence: float = 0.95, order: int = 1) -> int:
    """Return the smallest n whose ``order``-th largest loss has this content and confidence.

    95/95 needs 59 from the largest, 93 from the 2nd largest and 124 from the 3rd; 90/95 needs 29
    and 99/95 needs 299.
    """
    checks.share(confidence=confidence)
    if order < 1:
        raise ConfigurationError(f"order {order} does not exist; 1 is the largest loss")
    enough = order
    while confidence_reached(enough, content, order) < confidence:
        enough *= 2
    return order + bisect_left(
        range(order, enough), confidence, key=lambda n: confidence_reached(n, content, order)
    )


def upper_bound(losses: npt.ArrayLike, content: float = 0.95, confidence: float = 0.95) -> Bound:
    """Return the tightest distribution-free upper bound of this content and confidence.

    The largest ``order`` whose order statistic still has the content at the confidence is used:
    from 93 losses on, 95/95 is bounded by the second largest, which is lower. When n is too small
    the largest loss is returned with the ``content`` it does reach, which is then below the one
    asked for. ``value`` is +inf when that order statistic diverged.
    """
    ordered = np.sort(checked_losses(losses))
    n = len(ordered)
    order = 1
    while order < n and confidence_reached(n, content, order + 1) >= confidence:
        order += 1
    reached = content_reached(n, confidence, order)
    return Bound(float(ordered[n - order]), reached, confidence, order, n)


def rate_bound(failures: int, n: int, confidence: float = 0.95) -> float:
    """Return the upper bound of a failure rate after ``failures`` in n (Clopper and Pearson 1934).

    One-sided: 0 in 50 gives 0.058 at 95 %. n in n gives 1. What remains of 1 is the content of the
    largest loss but ``failures``.
    """
    _check_order(n, 1)
    if not 0 <= failures <= n:
        raise StatisticsError(f"{failures} failures in {n} instances is impossible")
    return 1.0 if failures == n else 1.0 - content_reached(n, confidence, failures + 1)


def percent(share: float, digits: int = 1, *, up: bool = False) -> str:
    """Return a share in percent, rounded down, or up, so that a guarantee stays true.

    >>> percent(0.9418), percent(0.0496, 2, up=True)
    ('94.1 %', '4.96 %')
    """
    scaled = share * 100.0 * 10.0**digits
    return f"{(np.ceil(scaled - 1e-9) if up else np.floor(scaled + 1e-9)) / 10.0**digits:g} %"


def _check_order(n: int, order: int) -> None:
    if n < 1:
        raise ConfigurationError(f"n = {n} losses say nothing; give at least 1")
    if not 1 <= order <= n:
        raise ConfigurationError(f"order {order} of {n} losses does not exist; give 1 to {n}")
