"""Ratios of medians and of spreads with intervals: what verdicts are decided by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot.statistics.intervals import Interval, quantile

Floats = NDArray[np.float64]
N_RESAMPLES = 2_000
CONFIDENCE = 0.95
SEED = 2505


def median(losses: ArrayLike) -> float:
    """Return the median of losses; +inf where half diverged or failed."""
    return float(quantile(np.asarray(losses, np.float64), 0.5))


def spread(losses: ArrayLike) -> float:
    """Return the interquartile range of losses; +inf where a quarter diverged or failed."""
    return float(_spreads(np.asarray(losses, np.float64)[None])[0])


def median_ratio(losses: ArrayLike, others: ArrayLike, *, paired: bool = False) -> Interval:
    """Return the ratio of two medians with its bootstrap interval.

    Instances are resampled, together if they are ``paired`` (percentile method: Efron and
    Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3).
    """
    return _ratio(losses, others, _medians, paired)


def spread_ratio(losses: ArrayLike, others: ArrayLike, *, paired: bool = False) -> Interval:
    """Return the ratio of two interquartile ranges with its bootstrap interval."""
    return _ratio(losses, others, _spreads, paired)


def _medians(rows: Floats) -> Floats:
    """Return the median of each row."""
    return quantile(rows, 0.5)


def _spreads(rows: Floats) -> Floats:
    """Return the interquartile range of each row."""
    first, third = quantile(rows, 0.25), quantile(rows, 0.75)
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(third), third - np.where(np.isfinite(first), first, 0), np.inf)


def _ratio(
    losses: ArrayLike, others: ArrayLike, of: Callable[[Floats], Floats], paired: bool
) -> Interval:
    one, other = np.asarray(losses, np.float64), np.asarray(others, np.float64)
    rng = np.random.default_rng(SEED)
    rows = rng.integers(0, len(one), (N_RESAMPLES, len(one)))
    same = paired and len(one) == len(other)
    others_rows = rows if same else rng.integers(0, len(other), (N_RESAMPLES, len(other)))
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.nan_to_num(of(one[rows]) / of(other[others_rows]), nan=1.0, posinf=np.inf)
        estimate = float(of(one[None])[0] / of(other[None])[0])
    tails = [(1.0 - CONFIDENCE) / 2.0, (1.0 + CONFIDENCE) / 2.0]
    low, high = np.quantile(drawn, tails, method="inverted_cdf")
    return Interval(float(low), float(high), estimate, CONFIDENCE)
