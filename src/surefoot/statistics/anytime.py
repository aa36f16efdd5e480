"""Statements that stay valid however often one looks: e-processes and confidence sequences.

An e-process starts at 1 and, while the hypothesis holds, exceeds 1 / level at any time with
probability at most ``level`` (Ville 1939): one may test after every instance and stop when one
likes, without a correction for the looks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from surefoot import checks
from surefoot.errors import StatisticsError
from surefoot.statistics.intervals import Interval, between_ranks, checked_losses

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
