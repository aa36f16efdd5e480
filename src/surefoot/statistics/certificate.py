"""The certificate: what fresh instances promise about a candidate's retrainings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from surefoot.errors import ConfigurationError
from surefoot.statistics import tolerance
from surefoot.statistics.intervals import Interval, quantile_interval
from surefoot.statistics.tolerance import percent
from surefoot.statistics.troubles import in_words


@dataclass(frozen=True)
class Certificate:
    """A distribution-free statement from the losses of fresh instances.

    Parameters
    ----------
    losses
        Losses of n independent instances of a role no selection has seen; +inf = diverged/failed.
    content, confidence
        What is asked for: at least ``content`` of retrainings lose at most the bound.
    criterion
        Name of the criterion of the two values below.
    racing_value, fresh_value
        The criterion over the winner's racing losses, and over the fresh losses of as many
        instances where that matters; None when the candidate was not selected by a race.
    unit
        Unit of the loss, such as ``cm``; empty for a relative loss.
    failed
        How many of the infinite losses are those of failed instances; the others diverged.

    Raises `StatisticsError` when there are no losses or one is NaN.
    """

    losses: tuple[float, ...]
    content: float = 0.95
    confidence: float = 0.95
    criterion: str = "mean"
    racing_value: float | None = None
    fresh_value: float | None = None
    unit: str = ""
    failed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "losses", tuple(float(loss) for loss in self.losses))
        if (self.racing_value is None) != (self.fresh_value is None):
            raise ConfigurationError(
                "a certificate compares racing_value with fresh_value: give both"
            )
        _ = self.bound

    @property
    def n(self) -> int:
        """Number of fresh instances."""
        return len(self.losses)

    @cached_property
    def bound(self) -> tolerance.Bound:
        """The upper tolerance bound that does what is asked for, or comes nearest."""
        return tolerance.upper_bound(self.losses, self.content, self.confidence)

    @property
    def reached(self) -> bool:
        """Whether n is large enough for what is asked."""
        return self.bound.content >= self.content - 1e-12

    @property
    def kept(self) -> str:
        """Share of retrainings that is known to keep the bound: what is asked for, or less."""
        return percent(self.content if self.reached else self.bound.content)

    @property
    def diverged(self) -> int:
        """Number of fresh instances that diverged or failed."""
        return int(np.isinf(self.losses).sum())

    @property
    def lost(self) -> str:
        """How many fresh instances diverged and how many failed, in words."""
        return in_words(self.diverged - self.failed, self.failed, f"{self.n} fresh instances")

    @property
    def divergence_bound(self) -> float:
        """Upper bound of the divergence rate at the confidence (Clopper-Pearson)."""
        return tolerance.rate_bound(self.diverged, self.n, self.confidence)

    @property
    def median(self) -> Interval:
        """Median of the losses with its interval by order statistics."""
        return quantile_interval(self.losses, 0.5, self.confidence)

    @property
    def gap(self) -> float | None:
        """Winner's curse: by what share the racing value flatters, (fresh - racing) / fresh.

        Positive when the race saw the winner better than it is. None without a finite racing
        value, or when the fresh value is infinite or 0.
        """
        if self.racing_value is None or self.fresh_value is None:
            return None
        if not np.isfinite([self.racing_value, self.fresh_value]).all() or self.fresh_value == 0.0:
            return None
        return (self.fresh_value - self.racing_value) / self.fresh_value

    def sentence(self) -> str:
        """Return the guarantee in one sentence, with the content that n reaches."""
        if np.isinf(self.bound.value):
            which = "the largest" if self.bound.order == 1 else f"number {self.bound.order}"
            return (
                f"No bound: {self.lost}, so "
                f"{which} of their losses, on which the bound rests, is infinite."
            )
        limit = f"{self.bound.value:.4g} {self.unit}".rstrip()
        trust = f"With {percent(self.confidence)} confidence, at least {self.kept} of retrainings"
        return f"{trust} of this candidate lose at most {limit}."

    def conditions(self) -> str:
        """Return the conditions without which the sentence does not hold."""
        which = "largest" if self.bound.order == 1 else f"{_ordinal(self.bound.order)} largest"
        return (
            f"The bound is the {which} loss of {self.n} fresh instances that took no part in the "
            "selection: independent draws from the same finite pool, each with its own "
            "initialisation and batch order. It holds for retrainings from this pool, judged on "
            "this test half, and whatever the distribution of the losses; another pool or "
            "another test half can give other losses."
        )

    def shortfall(self) -> str:
        """Return what is missing when n is too small, else an empty string."""
        if self.reached:
            return ""
        n = tolerance.needed(self.content, self.confidence)
        return (
            f"{percent(self.content)} was asked for, which takes {n} fresh instances; "
            f"{self.n} reach {percent(self.bound.content)}."
        )

    def divergence(self) -> str:
        """Return what diverged and failed with the bound of its rate, in one sentence."""
        return (
            f"{self.lost}: with "
            f"{percent(self.confidence)} confidence at most "
            f"{percent(self.divergence_bound, up=True)} of retrainings do."
        )

    def winners_curse(self) -> str:
        """Return how the racing value compares with the fresh one; empty without a race."""
        if self.racing_value is None or self.fresh_value is None or np.isnan(self.racing_value):
            return ""
        values = (
            f"{self.criterion} {self.racing_value:.4g} in the race, "
            f"{self.fresh_value:.4g} on fresh instances"
        )
        if self.gap is None:
            return f"Winner's curse: {values}."
        word = "too good" if self.gap >= 0.0 else "too bad"
        return (
            f"Winner's curse: {values}; the race's value is {abs(self.gap) * 100.0:.1f} % {word}."
        )

    def __str__(self) -> str:
        lines = [
            self.sentence(),
            self.shortfall(),
            self.divergence(),
            f"The next retraining stays at or below the largest of the {self.n} losses with "
            f"a probability of at least {self.n}/{self.n + 1}.",
            self.winners_curse(),
            self.conditions(),
        ]
        return "\n".join(line for line in lines if line)


def _ordinal(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
