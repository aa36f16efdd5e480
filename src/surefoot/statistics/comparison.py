"""Comparing candidates on paired losses: tests, who is as good as the winner, who wins next time.

Losses are paired by instance, ``[candidates, n]``: column i is the same draw and initialisation
stream for all. +inf (diverged) is a loss larger than any other; two divergences of one instance
are a tie. No test here assumes a distribution of the losses.

Subset selection says who of those that raced may be the best. A candidate is called worse than the
winner when a one-sided test on their n shared instances has a p-value of at most ``level / m``, m
being the number of rivals tested. The level is divided once, not step by step as Holm does: the
winner was chosen with these losses, so the best candidate meets as many tests as there are
candidates that may have come out before it. With the level divided once, the best is called worse
with a probability of ``level`` at most, whoever is named the winner and however it is chosen, when
each test is valid and the numbers of instances do not depend on the losses: the sum over the m
winners there may be is ``m * level / m`` (the subset selection of Gupta 1965; with Holm's steps it
can be exceeded). No test of n paired losses has a p-value below 2^-n. Rivals who share too few
instances with the winner are therefore not tested, and do not count in m (Tarone 1990).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.errors import StatisticsError
from surefoot.statistics.intervals import Interval, finite_or_inf

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

BLOCK = 512
"""Swaps tried at a time: what the processor's cache holds."""


@dataclass(frozen=True)
class SignificanceResult:
    """A test's name, statistic and p-value; of a resampling test also how many it is from.

    >>> print(SignificanceResult("Wilcoxon signed-rank", 15.0, 0.03125))
    Wilcoxon signed-rank: statistic = 15, p = 0.031
    """

    name: str
    statistic: float
    pvalue: float
    n_resamples: int | None = None

    def __str__(self) -> str:
        return f"{self.name}: statistic = {self.statistic:.4g}, p = {self.pvalue:.2g}"


def differences(losses: npt.ArrayLike, reference: npt.ArrayLike) -> Floats:
    """Return ``losses - reference`` with inf - inf = 0: two divergences are a tie."""
    first, second = finite_or_inf(losses), finite_or_inf(reference)
    both = np.isinf(first) & np.isinf(second)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(both, 0.0, first - second))


def wilcoxon(losses: npt.ArrayLike, reference: npt.ArrayLike) -> SignificanceResult:
    """Test whether ``losses`` ``[n]`` are larger than the paired ``reference`` (one-sided, exact).

    Wilcoxon's signed-rank test on the differences: ties share their mean rank, zeros are dropped,
    and the p-value is the exact permutation one for those ranks, P(W+ >= observed) with every sign
    equally likely. It cannot go below ``2 ** -n``.
    """
    gaps = differences(losses, reference)
    gaps = gaps[gaps != 0.0]
    if gaps.size == 0:
        return SignificanceResult("Wilcoxon signed-rank", 0.0, 1.0)
    from scipy import stats

    doubled = np.rint(2.0 * stats.rankdata(np.abs(gaps))).astype(np.int64)
    ways = np.ones(1)
    for rank in doubled:
        longer = np.zeros(len(ways) + rank)
        longer[: len(ways)] = ways
        longer[rank:] += ways
        ways = longer / 2.0
    observed = int(doubled[gaps > 0.0].sum())
    pvalue = min(1.0, float(ways[observed:].sum()))
    return SignificanceResult("Wilcoxon signed-rank", observed / 2.0, pvalue)


def permutation(
    losses: npt.ArrayLike,
    reference: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    n_resamples: int = 9999,
) -> SignificanceResult:
    """Test whether the mean of ``losses`` ``[n]`` exceeds the paired ``reference``'s (one-sided).

    The sign of every difference is flipped: all ``2 ** n`` ways for n <= 12, else ``n_resamples``
    random ones, p = (1 + as large) / (1 + n_resamples) (Phipson and Smyth 2010). Exact when the
    differences are symmetric about 0 under the hypothesis. Infinite differences count as ten times
    the largest finite one.
    """
    gaps = differences(losses, reference)
    infinite = np.isinf(gaps)
    if infinite.any():
        largest = float(np.abs(gaps[~infinite]).max(initial=0.0)) or 1.0
        gaps = np.where(infinite, np.sign(gaps) * 10.0 * largest, gaps)
    n, observed = gaps.size, float(gaps.sum())
    slack = 1e-12 * float(np.abs(gaps).sum())
    if n <= 12:
        signs = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        p = float((signs @ gaps >= observed - slack).mean())
    else:
        signs = 1.0 - 2.0 * rng.integers(0, 2, (n_resamples, n))
        p = (1.0 + float((signs @ gaps >= observed - slack).sum())) / (1.0 + n_resamples)
    return SignificanceResult("paired permutation", observed / n, p)


def friedman(losses: npt.ArrayLike) -> SignificanceResult:
    """Test whether any of k candidates differ on n paired instances, ``[k, n]`` (Friedman 1937).

    With ranks r within each instance, R_j their sums, A = sum(r^2), C = n k (k+1)^2 / 4, the
    statistic is ``T1 = (k-1)(sum(R_j^2) - n C) / (A - C)``; p from Iman and Davenport's
    ``F = (n-1) T1 / (n(k-1) - T1)`` with k-1 and (n-1)(k-1) degrees of freedom, which the
    chi-square approximation undercuts (Conover 1999, section 5.8).
    """
    ranks, k, n = _ranks(losses)
    square, centre = float((ranks**2).sum()), n * k * (k + 1) ** 2 / 4.0
    if square - centre <= 0.0:
        return SignificanceResult("Friedman", 0.0, 1.0)
    sums = ranks.sum(axis=1)
    statistic = (k - 1) * (float((sums**2).sum()) - n * centre) / (square - centre)
    left = n * (k - 1) - statistic
    if left <= 1e-9 * n * (k - 1):
        return SignificanceResult("Friedman", statistic, 0.0)
    from scipy import special

    ratio = (n - 1) * statistic / left
    return SignificanceResult(
        "Friedman", statistic, float(special.fdtrc(k - 1, (n - 1) * (k - 1), ratio))
    )


def conover(losses: npt.ArrayLike, best: int) -> Floats:
    """Return one-sided p-values that each candidate is worse than ``best``, ``[k]``, uncorrected.

    Conover's post-hoc test after Friedman's: ``t = (R_j - R_best) / sqrt(2 (n A - sum(R^2)) /
    ((n-1)(k-1)))`` with (n-1)(k-1) degrees of freedom (Conover 1999, section 5.8). 1 for ``best``.
    """
    ranks, k, n = _ranks(losses)
    sums = ranks.sum(axis=1)
    spread = 2.0 * (n * float((ranks**2).sum()) - float((sums**2).sum())) / ((n - 1) * (k - 1))
    gap = sums - sums[best]
    from scipy import special

    if spread <= 1e-9:
        p = np.where(gap > 0.0, 0.0, 1.0)
    else:
        p = np.asarray(special.stdtr((n - 1) * (k - 1), -gap / np.sqrt(spread)))
    p[best] = 1.0
    return np.asarray(p)


def mean_ranks(losses: npt.ArrayLike) -> Floats:
    """Return the mean rank of each candidate over paired losses ``[k, n]``, ``[k]``; 1 is best."""
    return np.asarray(_ranks(losses)[0].mean(axis=1))


def critical_difference(k: int, n: int, level: float = 0.05) -> float:
    """Return by how much the mean ranks of two of k candidates must differ, after n instances.

    Nemenyi's: ``q sqrt(k (k + 1) / (6 n))``, q being the upper quantile of the studentised range of
    k normal values over the root of 2 (Demsar 2006, JMLR 7, section 3.2.2). It corrects for all
    pairs and is weak: tests against one candidate (`shortlist`) see more.
    """
    if k < 2 or n < 2:
        raise StatisticsError(f"ranks of {k} candidates on {n} instances compare nothing")
    from scipy import stats

    quantile = float(stats.studentized_range.ppf(1.0 - level, k, np.inf)) / np.sqrt(2.0)
    return float(quantile * np.sqrt(k * (k + 1) / (6.0 * n)))


def log_evidence_of_losing(losses: int | Floats, comparisons: int | Floats) -> Floats:
    """Return the log e-value against "it loses at most half of the comparisons".

    A bet on p in (1/2, 1), mixed uniformly: ``E = 2^n * 2 * integral_(1/2)^1 p^k (1-p)^(n-k) dp``
    for k losses in n comparisons without ties. An e-process: while the hypothesis holds, E exceeds
    1 / level at any time with a probability of at most ``level`` (Ville 1939), so one may test
    after every instance, without a correction for the looks.
    """
    from scipy import special

    k = np.asarray(losses, dtype=np.float64)
    n = np.asarray(comparisons, dtype=np.float64)
    if (k < 0).any() or (k > n).any():
        raise StatisticsError("more losses than comparisons; both count the same instances")
    upper = special.betaincc(k + 1.0, n - k + 1.0, 0.5)
    log_upper = np.log(np.maximum(upper, 1e-300))
    return np.asarray((n + 1.0) * np.log(2.0) + special.betaln(k + 1.0, n - k + 1.0) + log_upper)


def holm(p: npt.ArrayLike) -> Floats:
    """Return Holm's adjusted p-values (1979): reject at a family-wise level by comparing them."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    factors = len(values) - np.arange(len(values))
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    return adjusted


def worse_than(losses: npt.ArrayLike, winner: int) -> Floats:
    """Return p-values ``[k]`` that candidates lose more than the winner, ``[k, n]`` paired losses.

    Of one-sided Wilcoxon tests, adjusted by Holm for all of them; 1 for the winner.
    """
    table = _matrix(losses)
    others = np.flatnonzero(np.arange(len(table)) != winner)
    p = np.ones(len(table))
    p[others] = holm([wilcoxon(table[row], table[winner]).pvalue for row in others])
    return p


def shortlist(losses: npt.ArrayLike, winner: int, level: float = 0.05) -> Booleans:
    """Say which candidates ``[k]`` cannot be told from the winner on ``[k, n]`` paired losses.

    A candidate stays in unless the one-sided Wilcoxon test finds it worse than the winner, Holm's
    correction included. The winner is always in; so is everybody for n < 5. The winner was chosen
    for these losses or others: with racing losses the list is, if anything, too short.
    """
    keep = worse_than(losses, winner) > level
    keep[winner] = True
    return keep


def wins_next(
    losses: npt.ArrayLike, rival: npt.ArrayLike, confidence_level: float = 0.95
) -> Interval:
    """Return the probability that a candidate loses less than its rival on the next instance.

    From n paired losses with w wins and t ties (a tie is half a win): the estimate is
    (w + t/2) / n, the interval Jeffreys' (the quantiles of Beta(w + t/2 + 1/2, n - w - t/2 + 1/2),
    Brown, Cai and DasGupta 2001).
    """
    gaps = differences(losses, rival)
    if gaps.size == 0:
        raise StatisticsError("no paired instances: the next one cannot be foretold")
    from scipy import special

    n = gaps.size
    wins = float((gaps < 0.0).sum() + 0.5 * (gaps == 0.0).sum())
    tail = (1.0 - confidence_level) / 2.0
    low = float(special.betaincinv(wins + 0.5, n - wins + 0.5, tail)) if wins > 0.0 else 0.0
    high = float(special.betaincinv(wins + 0.5, n - wins + 0.5, 1.0 - tail)) if wins < n else 1.0
    return Interval(low, high, wins / n, confidence_level)


def pareto(location: npt.ArrayLike, spread: npt.ArrayLike) -> Booleans:
    """Say which candidates no other beats in both location and spread, ``[k]``; lower is better.

    A candidate is out when another is at least as good in both and better in one.
    """
    first, second = finite_or_inf(location), finite_or_inf(spread)
    beaten = [
        ((first <= x) & (second <= y) & ((first < x) | (second < y))).any()
        for x, y in zip(first, second)
    ]
    return ~np.array(beaten, np.bool_)


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


def _ranks(losses: npt.ArrayLike) -> tuple[Floats, int, int]:
    """Ranks within each instance from 1, ties sharing their mean, ``[k, n]``, with k and n."""
    table = _matrix(losses)
    k, n = table.shape
    if k < 2 or n < 2:
        raise StatisticsError(f"ranks of {k} candidates on {n} instances compare nothing")
    from scipy import stats

    return np.asarray(stats.rankdata(table, axis=0)), k, n


def _matrix(losses: npt.ArrayLike) -> Floats:
    table = finite_or_inf(losses)
    if table.ndim != 2:
        raise StatisticsError(f"paired losses are [candidates, n], not {list(table.shape)}")
    return table
