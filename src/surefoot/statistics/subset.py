"""Subset selection: who of those that raced may be the best, from paired losses.

A candidate is called worse than the winner when a one-sided test on their n shared instances has a
p-value of at most ``level / m``, m being the number of rivals tested. The level is divided once,
not step by step as Holm does: the winner was chosen with these losses, so the best candidate
meets as many tests as there are candidates that may have come out before it. With the level
divided once, the best is called worse with a probability of ``level`` at most, whoever is named
the winner and however it is chosen, when each test is valid and the numbers of instances do not
depend on the losses: the sum over the m winners there may be is ``m * level / m`` (the subset
selection of Gupta 1965; with Holm's steps it can be exceeded).

No test of n paired losses has a p-value below 2^-n. Rivals who share too few instances with the
winner are therefore not tested, and do not count in m (Tarone 1990).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from surefoot.errors import StatisticsError
from surefoot.statistics.comparison import SignificanceResult, differences

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

BLOCK = 512
"""Swaps tried at a time: what the processor's cache holds."""


def within_reach(pairs: npt.ArrayLike, level: float = 0.05) -> Booleans:
    """Say which of several comparisons can be significant, ``[comparisons]``, by their pairs alone.

    Kept are all with N paired losses or more, for the smallest N such that ``2^-N <= level / m``,
    m being the number kept; nobody where there is no such N. So equal numbers of pairs have equal
    fates, and candidates with the same numbers of instances the same m, whoever is the winner.

    >>> within_reach([20, 5, 9]), within_reach([4]), within_reach([5])
    (array([ True, False,  True]), array([False]), array([ True]))
    """
    number = np.asarray(pairs, dtype=np.int64)
    if (number < 0).any():
        raise StatisticsError(f"{number.min()} paired losses: a number of pairs is 0 or more")
    values, counts = np.unique(number, return_counts=True)
    kept = counts[::-1].cumsum()[::-1]
    reached = values[kept * np.exp2(-values.astype(np.float64)) <= level]
    return number >= reached.min() if len(reached) else np.zeros(len(number), np.bool_)


def pairs_needed(pairs: npt.ArrayLike, more: int = 1, level: float = 0.05) -> int:
    """Return the pairs with which ``more`` comparisons are within reach beside those of ``pairs``.

    >>> pairs_needed([]), pairs_needed([], 16), pairs_needed([20, 9])
    (5, 9, 6)
    """
    number, needed = np.asarray(pairs, dtype=np.int64), 0
    while (more + np.count_nonzero(number >= needed)) * 2.0**-needed > level:
        needed += 1
    return needed


def exceedance_p(losses: npt.ArrayLike, reference: npt.ArrayLike) -> float:
    """Return the p-value that the largest of ``losses`` ``[n]`` exceeds the paired reference's.

    2^-k, k being the number of losses above the reference's largest: were the two alike, each of
    the k, which are of k different instances, could as well have been the other's. It is the swap
    test of the number of losses above the other's largest, exact and without drawing any; of two
    maxima instances show no more.
    """
    first, second = np.asarray(losses, np.float64), np.asarray(reference, np.float64)
    differences(first, second)
    return float(2.0 ** -np.count_nonzero(first > second.max(initial=-np.inf)))


def swap_test(
    statistic: Callable[[Floats], Floats],
    losses: npt.ArrayLike,
    reference: npt.ArrayLike,
    level: float,
    *,
    n_resamples: int,
    seed: int = 0,
) -> SignificanceResult:
    """Test whether a statistic of ``losses`` ``[n]`` exceeds the paired reference's (one-sided).

    The paired permutation test of any statistic (``[rows, n] -> [rows]``): were the two alike,
    their losses of an instance could be swapped, each way equally likely. p is the share of swaps
    whose gap is as large as the one seen: of all 2^n where these are ``n_resamples`` at most,
    else of the observed order, random ones and all their opposites, ``n_resamples`` in number
    (Phipson and Smyth 2010). Either is exact for alike distributions. An opposite comes free: its
    gap is the negative.

    Trying ends once p exceeds ``level`` for certain: then the share so far is returned, with the
    number of swaps it is from. Fewer than ``1 / level`` could show nothing and raise
    `StatisticsError`.
    """
    first, second = np.asarray(losses, np.float64), np.asarray(reference, np.float64)
    if differences(first, second).ndim != 1 or not first.size:
        raise StatisticsError(f"swaps are of paired losses [n], n >= 1, not {list(first.shape)}")
    if n_resamples * level < 1.0 - 1e-9:
        raise StatisticsError(
            f"{n_resamples} swaps cannot show p <= {level:.2g}; give {1.0 / level:.0f}"
        )
    ends = statistic(np.stack([first, second]))
    observed = float(differences(ends[:1], ends[1:])[0])
    if not observed > 0.0:
        return SignificanceResult("paired swaps", observed, 1.0, 1)
    slack = 1e-12 * float(np.abs(ends).sum()) if np.isfinite(observed) else 0.0
    n, rng = first.size, np.random.default_rng([seed, first.size])
    exact = 2.0**n <= n_resamples
    half = 2 ** (n - 1) if exact else n_resamples // 2 + 1
    hits, seen = 1, 1
    bits, flips = first.view(np.int64), first.view(np.int64) ^ second.view(np.int64)
    while seen < half and hits <= 2.0 * level * half * (1.0 + 1e-9):
        size = min(BLOCK, half - seen)
        mask = _all_swaps(n, seen, size) if exact else _some_swaps(rng, n, size)
        swapped = bits ^ (mask & flips)
        one, other = swapped.view(np.float64), (swapped ^ flips).view(np.float64)
        gaps = differences(statistic(one), statistic(other))
        hits += int(np.count_nonzero(np.abs(gaps) >= observed - slack))
        seen += size
    pvalue = min(1.0, hits / (2 * seen))
    return SignificanceResult("paired swaps", observed, pvalue, 2 * seen)


def _all_swaps(n: int, start: int, size: int) -> Integers:
    """Return masks of all bits or none, ``[size, n]``: swaps ``start`` and on of all 2^n."""
    return -((np.arange(start, start + size)[:, None] >> np.arange(n)) & 1)


def _some_swaps(rng: np.random.Generator, n: int, size: int) -> Integers:
    """Return random masks of all bits or none, ``[size, n]``."""
    words = np.frombuffer(rng.bytes(size * ((n + 7) // 8)), np.uint8).reshape(size, -1)
    return -np.unpackbits(words, axis=1, count=n).astype(np.int64)
