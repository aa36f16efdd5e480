"""What the losses of a variance study say: spreads, components, shares and their sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot.errors import StatisticsError
from surefoot.showing import Shown
from surefoot.statistics.intervals import FEW, Interval, spread_interval
from surefoot.statistics.variance import (
    Components,
    resampled_components,
    resampled_interval,
    resampled_variance,
)

Floats = NDArray[np.float64]
Source = Literal["init", "draw", "both"]

NAMES: Mapping[str, str] = {
    "init": "initialisation alone",
    "draw": "sample alone",
    "both": "both",
}
COMPONENTS: Mapping[str, str] = {
    "draw": "sample",
    "init": "initialisation",
    "interaction": "their interaction",
    "replicate": "batch order",
    "test": "test sample",
}


@dataclass(frozen=True, eq=False)
class Experiment:
    """One of the paper's three experiments: all losses [n] and the spread of the finite ones.

    ``sd`` is their standard deviation, which a single stray instance can rule, ``iqr`` their
    interquartile range, which it cannot.
    """

    source: Source
    losses: Floats
    sd: Interval
    iqr: Interval

    @property
    def diverged(self) -> int:
        """Instances that diverged or failed, which the spread leaves out."""
        return int(np.isinf(self.losses).sum())

    @property
    def fence(self) -> float:
        """The third quartile plus three interquartile ranges: above it lie far-out losses (Tukey,
        Exploratory Data Analysis, 1977)."""
        finite = self.losses[np.isfinite(self.losses)]
        return float(np.quantile(finite, 0.75)) + 3.0 * self.iqr.estimate

    @property
    def strays(self) -> Floats:
        """The finite losses above the fence."""
        return self.losses[np.isfinite(self.losses) & (self.losses > self.fence)]


@dataclass(frozen=True, eq=False)
class Crossed:
    """The crossed design: losses [draws, inits, replicates], variances and their intervals.

    ``left_out`` draws hold an instance that diverged or failed; the variances are those of the
    other draws.
    """

    losses: Floats
    components: Components
    intervals: Mapping[str, Interval]
    left_out: int

    def source(self, name: str) -> str:
        """Return a source in words; without replicates, batch orders belong to the weights."""
        joined = name == "init" and self.losses.shape[2] == 1
        return f"{COMPONENTS[name]} with batch order" if joined else COMPONENTS[name]

    def deviations(self) -> dict[str, Interval]:
        """Return each source's standard deviation with its interval, in the loss's unit."""
        return {
            name: replace(
                one,
                low=math.sqrt(one.low),
                high=math.sqrt(one.high),
                estimate=math.sqrt(one.estimate),
            )
            for name, one in self.intervals.items()
        }


@dataclass(frozen=True, eq=False, repr=False)
class VarianceResult(Shown):
    """Where the spread comes from.

    ``crossed`` is None without a crossed design or when too few of its draws are finite; ``test``
    is the standard deviation that the test sample alone gives, None when it was not varied, and
    ``whole_test`` says that it cannot be, every instance being measured on the whole test half;
    ``ratio`` is the sample's standard deviation over the initialisation's, each alone. ``shares``
    are those of each source in the variance of one retraining with everything drawn anew; the test
    sample's is part of the sample's.
    """

    experiments: tuple[Experiment, ...]
    crossed: Crossed | None
    test: Interval | None
    ratio: Interval | None
    shares: Mapping[str, Interval]
    whole_test: bool = False

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return the findings, one sentence each."""
        said = [*self._spreads(), *self._ratio(), *self._components(), *self._test()]
        known = [*(one.sd for one in self.experiments), *self.shares.values()]
        return said + [f"in brackets: {one.confidence_level:.0%} intervals" for one in known[:1]]

    def _spreads(self) -> list[str]:
        said = []
        for one in self.experiments:
            lost = f"; {one.diverged} diverged or failed and are left out" if one.diverged else ""
            far = one.strays
            strayed = f"; {far.size} strayed, up to {far.max():.3g}" if far.size else ""
            said.append(
                f"{NAMES[one.source]}: standard deviation {one.sd}, interquartile range "
                f"{one.iqr} over {len(one.losses)} instances{strayed}{lost}"
            )
        return said

    def _ratio(self) -> list[str]:
        if self.ratio is None:
            return []
        if self.ratio.low > 1.0:
            verdict = "the sample matters more"
        elif self.ratio.high < 1.0:
            verdict = "the initialisation matters more"
        else:
            verdict = "which matters more cannot be told"
        return [f"{verdict}: the sample's deviation is {self.ratio} times the initialisation's"]

    def _components(self) -> list[str]:
        if self.crossed is None:
            return []
        draws, inits, replicates = self.crossed.losses.shape
        size = f"{draws} samples x {inits} initialisations"
        size += f" x {replicates} batch orders" if replicates > 1 else ""
        left = f"; {self.crossed.left_out} samples left out, since instances diverged or failed"
        said = [f"crossed, {size}{left if self.crossed.left_out else ''}; shares of the variance:"]
        shares = self.shares
        for name in self.crossed.intervals:
            share = format(shares[name], ".0%") if name in shares else "no variance"
            said += [f"  {self.crossed.source(name)} {share}"]
        warnings = {one.warning for one in self.crossed.intervals.values() if one.warning}
        return [*said, *(f"  {warning}" for warning in sorted(warnings))]

    def _test(self) -> list[str]:
        if self.test is None:
            words = (
                "test sample: no part of the spread, since every instance is measured on the same "
                "test half; another half can shift all losses alike"
            )
            return [words] if self.whole_test else []
        share = self.shares.get("test")
        part = "" if share is None else f", {share:.0%} of the variance"
        return [f"test sample alone, part of the sample: standard deviation {self.test}{part}"]


FEWEST = 5
"""Finite losses a spread takes."""


def analyse(
    *,
    init: Sequence[float],
    draw: Sequence[float],
    both: Sequence[float],
    crossed: ArrayLike,
    test: Sequence[Sequence[float]],
    rng: np.random.Generator,
    confidence: float = 0.95,
    n_resamples: int = 4000,
    whole_test: bool = False,
) -> VarianceResult:
    """Return what the losses say.

    Raises `StatisticsError` if an experiment has fewer than five finite losses.

    Parameters
    ----------
    init, draw, both
        Losses [n] of the three experiments; empty for none. +inf = diverged or failed.
    crossed
        Losses [draws, inits, replicates]; empty for none.
    test
        Groups of losses that differ in their test sample alone.
    rng, n_resamples
        Of every bootstrap.
    confidence
        Of every interval.
    whole_test
        Whether every instance is measured on the whole test half.
    """
    given: dict[Source, Sequence[float]] = {"init": init, "draw": draw, "both": both}
    boot = _Bootstrap(rng, confidence, n_resamples)
    experiments = tuple(boot.experiment(*one) for one in given.items() if len(one[1]))
    ratio = boot.ratio(_finite(draw), _finite(init)) if len(init) and len(draw) else None
    within, freedom = deviation_within(test, confidence)
    found, shares, total = boot.crossed(np.asarray(crossed, np.float64))
    if total is None:
        total = boot.total(_finite(both))
    if total is not None and within is not None:
        shares["test"] = boot.test_share(within.estimate**2, freedom, *total)
    return VarianceResult(experiments, found, within, ratio, shares, whole_test)


def deviation_within(
    groups: Sequence[Sequence[float]], confidence: float = 0.95
) -> tuple[Interval | None, int]:
    """Return the standard deviation within groups, pooled, and its degrees of freedom.

    A test loss is a function of the mean over many test examples, so within a group it is nearly
    normal and ``df s^2 / sigma^2`` nearly chi-square, df = sum(n - 1), which gives the interval.
    None without two finite losses in a group.
    """
    many = [losses for losses in map(_finite, groups) if losses.size > 1]
    freedom = sum(losses.size - 1 for losses in many)
    if not freedom:
        return None, 0
    from scipy import special

    square = float(sum(((losses - losses.mean()) ** 2).sum() for losses in many))
    tail = (1.0 - confidence) / 2.0
    low, high = (math.sqrt(square / special.chdtri(freedom, p)) for p in (tail, 1.0 - tail))
    warning = f"only {freedom} degrees of freedom" if freedom < FEW else ""
    estimate = math.sqrt(square / freedom)
    return Interval(low, high, estimate, confidence, None, warning), freedom


Total = tuple[float, Floats]
"""The variance of one retraining with everything drawn anew, and its resamples."""


@dataclass(frozen=True)
class _Bootstrap:
    rng: np.random.Generator
    confidence: float
    n_resamples: int

    def experiment(self, source: Source, losses: Sequence[float]) -> Experiment:
        finite = _finite(losses)
        if finite.size < FEWEST:
            raise StatisticsError(
                f"{NAMES[source]}: {finite.size} of {len(losses)} instances finished; "
                f"a spread takes {FEWEST}"
            )
        drawn = np.sqrt(self._variances(finite))
        sd = resampled_interval(drawn, float(finite.std(ddof=1)), self.confidence)
        iqr = spread_interval(
            finite, "iqr", self.confidence, rng=self.rng, n_resamples=self.n_resamples
        )
        return Experiment(source, np.asarray(losses, np.float64), sd, iqr)

    def ratio(self, first: Floats, second: Floats) -> Interval | None:
        """Return the ratio of two standard deviations, None when the second is 0."""
        below = float(second.std(ddof=1))
        if not below > 0.0:
            return None
        drawn = np.sqrt(self._variances(first) / self._variances(second))
        return resampled_interval(drawn, float(first.std(ddof=1)) / below, self.confidence)

    def crossed(self, cube: Floats) -> tuple[Crossed | None, dict[str, Interval], Total | None]:
        """Return the crossed design's variances, the sources' shares and the total they are of."""
        whole = np.isfinite(cube).all(axis=(1, 2)) if cube.size else np.zeros(0, bool)
        if whole.sum() < 2:
            return None, {}, None
        found = resampled_components(cube[whole], rng=self.rng, n_resamples=self.n_resamples)
        intervals = found.intervals(self.confidence)
        crossed = Crossed(cube, found.estimate, intervals, int((~whole).sum()))
        total = found.estimate.total
        if not total > 0.0:
            return crossed, {}, None
        return crossed, found.shares(self.confidence), (total, found.totals)

    def total(self, both: Floats) -> Total | None:
        """Return the total without a crossed design: the variance with everything drawn anew."""
        if both.size < FEWEST or not both.var() > 0.0:
            return None
        return float(both.var(ddof=1)), self._variances(both)

    def test_share(self, square: float, freedom: int, total: float, totals: Floats) -> Interval:
        """Return the test sample's share; its variance varies as its chi-square does."""
        drawn = square * freedom / self.rng.chisquare(freedom, self.n_resamples)
        shares = np.minimum(1.0, drawn / np.maximum(totals, 1e-12 * total))
        return resampled_interval(shares, min(1.0, square / total), self.confidence)

    def _variances(self, losses: Floats) -> Floats:
        return resampled_variance(losses, rng=self.rng, n_resamples=self.n_resamples)


def _finite(losses: Sequence[float] | Floats) -> Floats:
    values = np.asarray(losses, dtype=np.float64)
    return values[np.isfinite(values)]
