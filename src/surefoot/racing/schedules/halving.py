"""Halving: the paper's schedule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from surefoot.racing.parts import SHARE, key, whole
from surefoot.racing.schedules.base import Schedule, Setup, Standing, Step, share_of


@dataclass(frozen=True)
class Halving(Schedule):
    """``per_round`` instances more of every survivor; the share ``keep`` stays.

    Algorithm 1 of the paper. The first elimination comes after ``warmup`` instances; from then on
    the share ``keep`` of the survivors stays after every round, rounded down, at least one. With
    6,912 candidates and ``warmup=5`` twelve eliminations lead to one, after 41,467 trainings.
    """

    keep: float = key(SHARE, "Share that stays.", 0.5)
    per_round: int = key(whole(), "Instances per round.", 1)
    warmup: int = key(whole(), "Instances before the first cut.", 1)
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
