"""What paired losses of several candidates at several sample sizes say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import StatisticsError
from surefoot.statistics.certificate import Certificate
from surefoot.statistics.comparison import shortlist, wins_next
from surefoot.statistics.intervals import Interval, quantile
from surefoot.statistics.tolerance import content_reached

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Losses of every candidate at every size, paired by instance, and what follows from them.

    Parameters
    ----------
    names
        Names of the k candidates.
    sizes
        Numbers of training examples, ascending.
    losses
        [k, sizes, n]; +inf where an instance diverged or failed. Entry i of every candidate has
        the same draw and the same streams.
    reference
        Place of the candidate that the others are to beat, such as the baseline; None for none.
    content, confidence
        What the certificates are to promise.
    unit
        Unit of the loss.

    Raises
    ------
    StatisticsError
        If the shapes do not agree.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    losses: Floats
    reference: int | None = None
    content: float = 0.95
    confidence: float = 0.95
    unit: str = ""

    def __post_init__(self) -> None:
        expected = (len(self.names), len(self.sizes))
        if self.losses.ndim != 3 or self.losses.shape[:2] != expected:
            raise StatisticsError(
                f"losses of {expected[0]} candidates at {expected[1]} sizes have shape "
                f"{self.losses.shape}: they must be [candidates, sizes, n]"
            )

    @property
    def n(self) -> int:
        """Instances of each candidate at each size."""
        return int(self.losses.shape[2])

    @property
    def medians(self) -> Floats:
        """Medians of the losses [k, sizes]."""
        return self.quantiles(0.5)

    def quantiles(self, level: float) -> Floats:
        """Return a quantile of the losses [k, sizes]; +inf where it rests on a divergence."""
        return quantile(self.losses, level)

    @property
    def spreads(self) -> Floats:
        """Interquartile ranges [k, sizes]; +inf where a quarter or more diverged."""
        third, first = self.quantiles(0.75), self.quantiles(0.25)
        return np.where(np.isfinite(third), third - np.where(np.isfinite(first), first, 0), np.inf)

    def certificate(self, candidate: int, size: int) -> Certificate:
        """Return the certificate of a candidate (by place) at a size (by place)."""
        return Certificate(
            tuple(self.losses[candidate, size]), self.content, self.confidence, unit=self.unit
        )

    def best(self, size: int) -> int:
        """Return the place of the candidate with the lowest median at a size (by place)."""
        return int(np.argmin(self.medians[:, size]))

    def alike(self, size: int) -> list[int]:
        """Return who cannot be told from the best at a size, the best first.

        One-sided paired Wilcoxon tests with Holm's correction at level 1 − confidence.
        """
        best = self.best(size)
        kept = shortlist(self.losses[:, size], best, 1.0 - self.confidence)
        return [best, *(row for row in np.flatnonzero(kept).tolist() if row != best)]

    def wins(self, candidate: int, rival: int, size: int) -> Interval:
        """Return the probability that a candidate loses less than its rival on the next draw."""
        return wins_next(self.losses[candidate, size], self.losses[rival, size], self.confidence)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return who is best, who is steadiest and who beats the reference, size by size."""
        return [self._line(place) for place in range(len(self.sizes))]

    def bound_line(self) -> str:
        """Return what the certificates' bounds mean, with the share that n instances reach."""
        share = min(self.content, content_reached(self.n, self.confidence))
        return (
            f"With {100 * self.confidence:g} % confidence, at least "
            f"{np.floor(1000 * share + 1e-9) / 10:g} % of a candidate's retrainings lose at most "
            "its bound; each bound by itself, on this pool and test half."
        )

    def _line(self, place: int) -> str:
        best, *others = self.alike(place)
        unit = f" {self.unit}" if self.unit else ""
        words = f"{self.sizes[place]:,} examples: {self.names[best]} has the lowest median loss, "
        words += f"{self.medians[best, place]:.4g}{unit}"
        if others:
            named = ", ".join(self.names[row] for row in others)
            words += f"; no test tells {named} from it"
        steady = int(np.argmin(self.spreads[:, place]))
        if np.isfinite(self.spreads[steady, place]):
            words += (
                f"; the steadiest is {self.names[steady]}, with half of its losses within "
                f"{self.spreads[steady, place]:.2g}{unit}"
            )
        return words + "."
