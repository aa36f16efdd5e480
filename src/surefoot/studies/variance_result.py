"""What the losses of a variance study say: spreads, variance components and their sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot.errors import StatisticsError
from surefoot.statistics.bootstrap import FEW, sd_interval
from surefoot.statistics.tolerance import Interval
from surefoot.statistics.variance import (
    Components,
    component_intervals,
    components,
    weighted_components,
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
FEWEST = 5
"""Finite losses a spread takes."""


@dataclass(frozen=True, eq=False)
class Experiment:
    """One of the paper's three experiments: all losses [n] and the spread of the finite ones."""

    source: Source
    losses: Floats
    sd: Interval

    @property
    def diverged(self) -> int:
        """Instances that diverged or failed, which the spread leaves out."""
        return int(np.isinf(self.losses).sum())


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
        """Return a source in words; without replicates, chance is part of the interaction."""
        alone = name != "interaction" or self.losses.shape[2] > 1
        return COMPONENTS[name] if alone else f"{COMPONENTS[name]} and chance"

    def deviations(self) -> dict[str, Interval]:
        """Return each source's standard deviation with its interval, in the loss's unit."""
        return {
            name: Interval(
                float(np.sqrt(one.low)),
                float(np.sqrt(one.high)),
                float(np.sqrt(one.estimate)),
                one.confidence,
                None,
                one.warning,
            )
            for name, one in self.intervals.items()
        }


@dataclass(frozen=True, eq=False)
class VarianceResult:
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

    def lines(self) -> list[str]:
        """Return the findings, one sentence each."""
        return [*self._spreads(), *self._ratio(), *self._components(), *self._test()]

    def _spreads(self) -> list[str]:
        said = []
        for one in self.experiments:
            lost = f"; {one.diverged} diverged or failed and are left out" if one.diverged else ""
            said.append(
                f"{NAMES[one.source]}: standard deviation {_value(one.sd)} over "
                f"{len(one.losses)} instances{lost}"
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
        return [f"{verdict}: the sample's spread is {_value(self.ratio)} times the other's"]

    def _components(self) -> list[str]:
        if self.crossed is None:
            return []
        draws, inits, replicates = self.crossed.losses.shape
        size = f"{draws} samples x {inits} initialisations"
        size += f" x {replicates} batch orders" if replicates > 1 else ""
        left = f"; {self.crossed.left_out} samples left out, since instances diverged or failed"
        said = [f"crossed, {size}{left if self.crossed.left_out else ''}, of the variance:"]
        shares = self.shares
        for name in self.crossed.intervals:
            share = _percent(shares[name]) if name in shares else "no variance"
            said += [f"  {self.crossed.source(name)} {share}"]
        return said

    def _test(self) -> list[str]:
        if self.test is None and not self.whole_test:
            return []
        if self.test is None:
            return [
                "test sample: no part of the spread, since every instance is measured on the same "
                "test half; another half can shift all losses alike"
            ]
        share = self.shares.get("test")
        part = "" if share is None else f", {_percent(share)} of the variance, within the sample's"
        return [f"test sample alone: standard deviation {_value(self.test)}{part}"]


def analyse(
    *,
    init: Sequence[float],
    draw: Sequence[float],
    both: Sequence[float],
    crossed: ArrayLike,
    test: Sequence[Sequence[float]],
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 2000,
    whole_test: bool = False,
) -> VarianceResult:
    """Return what the losses say.

    Parameters
    ----------
    init, draw, both
        Losses [n] of the three experiments; empty for none. +inf = diverged or failed.
    crossed
        Losses [draws, inits, replicates]; empty for none.
    test
        Groups of losses that differ in their test sample alone.
    rng
        For the bootstrap.
    confidence
        Of every interval.
    resamples
        Of every bootstrap.
    whole_test
        Whether every instance is measured on the whole test half.

    Raises
    ------
    StatisticsError
        If an experiment has fewer than five finite losses.
    """
    given: list[tuple[Source, Sequence[float]]] = [("init", init), ("draw", draw), ("both", both)]
    boot = _Bootstrap(rng, confidence, resamples)
    experiments = tuple(
        _experiment(source, losses, boot) for source, losses in given if len(losses)
    )
    ratio = None
    if len(init) and len(draw):
        ratio = _ratio(_finite(draw), _finite(init), boot)
    found = _crossed(np.asarray(crossed, np.float64), boot)
    within = deviation_within(test, confidence)
    freedom = sum(max(0, _finite(group).size - 1) for group in test)
    shares = _shares(found, _finite(both), within, freedom, boot)
    return VarianceResult(experiments, found, within, ratio, shares, whole_test)


def deviation_within(
    groups: Sequence[Sequence[float]], confidence: float = 0.95
) -> Interval | None:
    """Return the standard deviation within groups, pooled; None without two finite losses in one.

    A test loss is a function of the mean over many test examples, so within a group it is nearly
    normal and ``df s^2 / sigma^2`` nearly chi-square, df = sum(n - 1), which gives the interval.
    """
    square, freedom = 0.0, 0
    for group in groups:
        losses = _finite(group)
        if losses.size > 1:
            square += float(((losses - losses.mean()) ** 2).sum())
            freedom += losses.size - 1
    if not freedom:
        return None
    from scipy import special

    tail = (1.0 - confidence) / 2.0
    low, high = (np.sqrt(square / special.chdtri(freedom, p)) for p in (tail, 1.0 - tail))
    warning = f"only {freedom} degrees of freedom" if freedom < FEW else ""
    return Interval(
        float(low), float(high), float(np.sqrt(square / freedom)), confidence, None, warning
    )


@dataclass(frozen=True)
class _Bootstrap:
    rng: np.random.Generator
    confidence: float
    resamples: int

    def interval(self, values: Sequence[float] | Floats, estimate: float) -> Interval:
        """Percentile interval of resampled values."""
        tails = [(1.0 - self.confidence) / 2.0, (1.0 + self.confidence) / 2.0]
        low, high = np.quantile(values, tails)
        return Interval(float(low), float(high), estimate, self.confidence)


def _experiment(source: Source, losses: Sequence[float], boot: _Bootstrap) -> Experiment:
    finite = _finite(losses)
    if finite.size < FEWEST:
        raise StatisticsError(
            f"{NAMES[source]}: {finite.size} of {len(losses)} instances finished; "
            f"a spread takes {FEWEST}"
        )
    sd = sd_interval(finite, boot.confidence, rng=boot.rng, resamples=boot.resamples)
    return Experiment(source, np.asarray(losses, np.float64), sd)


def _ratio(first: Floats, second: Floats, boot: _Bootstrap) -> Interval | None:
    """Ratio of two standard deviations with its percentile bootstrap interval."""
    below = float(second.std(ddof=1))
    if below == 0.0:
        return None
    drawn = [
        losses[boot.rng.integers(0, losses.size, (boot.resamples, losses.size))].std(1, ddof=1)
        for losses in (first, second)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = drawn[0] / drawn[1]
    ratios = ratios[np.isfinite(ratios)]
    return boot.interval(ratios, float(first.std(ddof=1)) / below)


def _crossed(cube: Floats, boot: _Bootstrap) -> Crossed | None:
    if not cube.size:
        return None
    whole = np.isfinite(cube).all(axis=(1, 2))
    if whole.sum() < 2:
        return None
    kept = cube[whole]
    return Crossed(
        cube,
        components(kept),
        component_intervals(kept, boot.confidence, rng=boot.rng, resamples=boot.resamples),
        int((~whole).sum()),
    )


def _shares(
    crossed: Crossed | None,
    both: Floats,
    test: Interval | None,
    freedom: int,
    boot: _Bootstrap,
) -> dict[str, Interval]:
    """Shares of the total variance with bootstrap intervals that know the total's error too.

    Draws and initialisations are resampled whole, as for the variances; the test sample's variance
    varies as its chi-square does. Without a crossed design the total is that of ``both``.
    """
    drawn: dict[str, list[float]] = {}
    totals = []
    if crossed is not None:
        kept = crossed.losses[np.isfinite(crossed.losses).all(axis=(1, 2))]
        parts, total = crossed.components.shares(), crossed.components.total
        for _ in range(boot.resamples):
            weights = [np.bincount(boot.rng.integers(0, n, n), minlength=n) for n in kept.shape[:2]]
            if min(np.count_nonzero(w) for w in weights) < 2:
                continue
            one = weighted_components(kept, *weights)
            totals.append(one.total)
            for name, share in one.shares().items():
                drawn.setdefault(name, []).append(share)
    elif both.size > 2:
        parts, total = {}, float(both.var(ddof=1))
        totals = both[boot.rng.integers(0, both.size, (boot.resamples, both.size))].var(1, ddof=1)
    else:
        return {}
    if not total > 0.0:
        return {}
    if test is not None:
        square = test.estimate**2
        moved = square * freedom / boot.rng.chisquare(freedom, len(totals))
        parts["test"] = min(1.0, square / total)
        drawn["test"] = list(np.minimum(1.0, moved / np.maximum(totals, 1e-12 * total)))
    return {name: boot.interval(values, parts[name]) for name, values in drawn.items()}


def _finite(losses: Sequence[float] | Floats) -> Floats:
    values = np.asarray(losses, dtype=np.float64)
    return values[np.isfinite(values)]


def _value(one: Interval) -> str:
    return f"{one.estimate:.3g} ({one.low:.3g} to {one.high:.3g})"


def _percent(one: Interval) -> str:
    return f"{one.estimate:.0%} ({one.low:.0%} to {one.high:.0%})"
