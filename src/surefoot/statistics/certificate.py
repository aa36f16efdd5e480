"""The certificate: what n fresh losses say about the next ones, whatever their distribution.

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
from functools import cached_property

import numpy as np
import numpy.typing as npt

from surefoot import checks
from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.showing import Shown
from surefoot.statistics.intervals import Interval, checked_losses, quantile_interval
from surefoot.statistics.troubles import in_words


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


@dataclass(frozen=True, repr=False)
class Certificate(Shown):
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
    luck
        What every instance had of its own besides its draw, in words; "" for nothing.
    chosen_in
        What the racing value is of: a ``race`` or a ``search``.
    tested
        Examples that each instance was judged on, and those of the test half; None if not known.

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
    tested: tuple[int, int] | None = None
    luck: str = "initialisation and batch order"
    chosen_in: str = "race"

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
    def bound(self) -> Bound:
        """The upper tolerance bound that does what is asked for, or comes nearest."""
        return upper_bound(self.losses, self.content, self.confidence)

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
        return rate_bound(self.diverged, self.n, self.confidence)

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
        own = f", each with its own {self.luck}" if self.luck else ""
        return (
            f"The bound is the {which} loss of {self.n} fresh instances that took no part in the "
            f"selection: independent draws from the same finite pool{own}. It holds for "
            "retrainings from this pool, judged on this test half, and whatever the distribution "
            "of the losses; another pool or another test half can give other losses."
            f"{self._part_of_testing()}"
        )

    def _part_of_testing(self) -> str:
        """Return which part of the losses' spread is the test sample's; empty if not known."""
        if self.tested is None:
            return ""
        sample, half = self.tested
        if sample == half:
            return (
                f" All were judged on the same {half:,} test examples, so none of their spread is "
                "the test sample's."
            )
        return (
            f" Each was judged on its own {sample:,} of the test half's {half:,} examples, so part "
            "of their spread is the test sample's: surefoot variance says how much, and without "
            "test_size it is none."
        )

    def shortfall(self) -> str:
        """Return what is missing when n is too small, else an empty string."""
        if self.reached:
            return ""
        n = needed(self.content, self.confidence)
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
            f"{self.criterion} {self.racing_value:.4g} in the {self.chosen_in}, "
            f"{self.fresh_value:.4g} on fresh instances"
        )
        if self.gap is None:
            return f"Winner's curse: {values}."
        word = "too good" if self.gap >= 0.0 else "too bad"
        gap = f"{abs(self.gap) * 100.0:.1f} % {word}"
        return f"Winner's curse: {values}; the {self.chosen_in}'s value is {gap}."

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


def _check_order(n: int, order: int) -> None:
    if n < 1:
        raise ConfigurationError(f"n = {n} losses say nothing; give at least 1")
    if not 1 <= order <= n:
        raise ConfigurationError(f"order {order} of {n} losses does not exist; give 1 to {n}")
