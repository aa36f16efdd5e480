"""Schedules in rounds for all: every survivor trains alike, then a share of them stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from surefoot.errors import ConfigurationError
from surefoot.racing.parts import POSITIVE, SHARE, key, number, trainings, whole
from surefoot.racing.schedules.base import Schedule, Setup, Standing, Step


def share_of(survivors: int, keep: float) -> int:
    """Return the number that stays of ``survivors``: the share ``keep`` rounded down, from 1 on."""
    return max(1, int(np.floor(survivors * keep + 1e-9)))


@dataclass(frozen=True)
class Halving(Schedule):
    """``per_round`` instances more of every survivor; the share ``keep`` stays.

    Algorithm 1 of the paper. The first elimination comes after ``warmup`` instances; from then on
    the share ``keep`` of the survivors stays after every round, rounded down, at least one. With
    6,912 candidates and ``warmup=5`` twelve eliminations lead to one, after 41,467 trainings.
    """

    keep: float = key(SHARE, "Share that stays.", 0.5)
    per_round: int = key(trainings(), "Instances per round.", 1)
    warmup: int = key(trainings(), "Instances before the first cut.", 1)
    name = "halving"
    place = 1

    @property
    def words(self) -> str:
        """How many leave, and when.

        >>> Halving(warmup=5).words
        'half leave after each instance, from the 5th on'
        """
        gone = "half" if self.keep == 0.5 else f"{1.0 - self.keep:.0%}"
        more = "instance" if self.per_round == 1 else f"{self.per_round} instances"
        start = f", from the {self.warmup}th on" if self.warmup > 1 else ""
        return f"{gone} leave after each {more}{start}"

    def step(self, standing: Standing) -> Step | None:
        """Return the next round; None once one candidate is left."""
        if standing.survivors == 1:
            return None
        upto = max(self.warmup, standing.instances + self.per_round)
        return Step(upto, share_of(standing.survivors, self.keep))

    @classmethod
    def variants(cls, setup: Setup) -> Iterator[tuple[str, Schedule, float | None]]:
        """Yield the paper's, and the same with its warm-up of five."""
        yield "paper", cls(), setup.limit
        yield "paper, warm-up 5", cls(warmup=5), setup.limit


@dataclass(frozen=True)
class FlatBudget(Schedule):
    """About ``budget`` trainings, so that few survivors get many; the share ``keep`` stays.

    A round gives each survivor ``budget / (cost of one instance of every survivor)`` instances,
    rounded down, at least ``per_round`` and at most ``cap``; then the share ``keep`` stays, until
    ``finalists`` are left. The equal cost per round is that of sequential halving (Karnin, Koren
    and Somekh 2013), except that the first, crowded rounds cost more. After a screen that has
    trained ``warmup`` instances already, the first cut trains nothing. ``budget`` is in instances,
    or in seconds or example-visits when the race is told those costs.
    """

    budget: float = key(POSITIVE, "Trainings of a flat round.")
    cap: int = key(trainings(), "Most instances of a candidate in a flat round.", 64)
    keep: float = key(SHARE, "Share that stays.", 0.5)
    per_round: int = key(trainings(), "Instances per round.", 1)
    warmup: int = key(trainings(), "Instances before the first cut.", 1)
    finalists: int = number(whole(), 1)
    name = "flat_budget"
    place = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cap < self.per_round:
            raise ConfigurationError(
                f"{self.name}: cap = {self.cap} cannot be used: give at least per_round = "
                f"{self.per_round}"
            )

    @property
    def words(self) -> str:
        """What a round costs, and who stays."""
        return f"rounds of about {self.budget:,.0f} trainings, {self.keep:.0%} stay"

    def step(self, standing: Standing) -> Step | None:
        """Return the next round; None once the finalists are left."""
        if standing.survivors <= self.finalists:
            return None
        keep = max(self.finalists, share_of(standing.survivors, self.keep))
        if standing.rounds == 0 and standing.instances >= self.warmup:
            return Step(standing.counts, keep)
        affordable = int(np.floor(self.budget / float(standing.cost.sum()) + 1e-9))
        more = min(max(self.per_round, affordable), self.cap)
        return Step(max(self.warmup, standing.instances + more), keep)

    @classmethod
    def variants(cls, setup: Setup) -> Iterator[tuple[str, Schedule, float | None]]:
        """Yield rounds of about a sixteenth and of half a training per candidate."""
        yield "flat, lean", cls(max(32, setup.candidates // 16), 32), setup.limit
        yield "flat, rich", cls(max(128, setup.candidates // 2), 64), setup.limit
