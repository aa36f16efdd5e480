"""The result of a variance study: spreads, variance components, shares and their sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from surefoot.statistics.intervals import Interval
from surefoot.statistics.variance import Components

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
            name: Interval(
                float(np.sqrt(one.low)),
                float(np.sqrt(one.high)),
                float(np.sqrt(one.estimate)),
                one.confidence_level,
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

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return the findings, one sentence each."""
        said = [*self._spreads(), *self._ratio(), *self._components(), *self._test()]
        return [*said, *self._brackets()]

    def _brackets(self) -> list[str]:
        known = [*(one.sd for one in self.experiments), *self.shares.values()]
        return [f"in brackets: {known[0].confidence_level:.0%} intervals"] if known else []

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
        if self.test is None and not self.whole_test:
            return []
        if self.test is None:
            return [
                "test sample: no part of the spread, since every instance is measured on the same "
                "test half; another half can shift all losses alike"
            ]
        share = self.shares.get("test")
        part = "" if share is None else f", {share:.0%} of the variance"
        return [f"test sample alone, part of the sample: standard deviation {self.test}{part}"]
