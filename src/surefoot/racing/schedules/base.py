"""Schedules: how many instances the survivors train in the next round, and how many then stay."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from surefoot.errors import ConfigurationError, RaceError
from surefoot.racing.criteria import Criterion
from surefoot.racing.rules.base import Integers
from surefoot.racing.table import Floats


@dataclass(frozen=True)
class Standing:
    """What a schedule may look at before a round.

    ``counts[survivor]`` instances have been judged of each of the survivors, of whom there were
    ``entrants`` at first, in ``rounds`` rounds (a screen is none); the race has come to ``spent``
    trainings, those of candidates that left included. ``cost[survivor]`` is what one
    instance costs: 1, or its mean seconds or example-visits so far when a race is budgeted in
    those. ``losses`` ``[survivors, instances]`` (NaN from ``counts`` on), ``values`` and ``order``
    (rows from best to worst) are None before the first round and while a race is only planned:
    then nothing is known of the losses. No candidate may have more than ``most`` instances.
    """

    counts: Integers
    entrants: int
    cost: Floats
    criterion: Criterion
    losses: Floats | None = None
    values: Floats | None = None
    order: Integers | None = None
    rounds: int = 0
    most: int | None = None
    spent: int = 0

    @property
    def survivors(self) -> int:
        """Number of candidates still in the race."""
        return len(self.counts)

    @property
    def instances(self) -> int:
        """Number of instances every survivor has."""
        return int(self.counts.min())

    def allowed(self, cap: int) -> int:
        """Return the instances a candidate may have where a schedule gives it ``cap``."""
        return cap if self.most is None else min(cap, self.most)


@dataclass(frozen=True)
class Step:
    """A round: train survivors up to ``upto`` instances each, then let about ``keep`` stay.

    ``upto`` is one number for all or ``[survivors]``; a survivor that has as many already trains
    nothing.
    """

    upto: int | Integers
    keep: int


class Schedule(ABC):
    """Says what the next round is; a pure function of the standing."""

    @abstractmethod
    def step(self, standing: Standing) -> Step | None:
        """Return the next round, or None when the race is over."""


@dataclass(frozen=True)
class Halving(Schedule):
    """The paper's schedule (Algorithm 1): every round, ``per_round`` more instances, then the cut.

    The first elimination comes after ``warmup`` instances; from then on the share ``keep`` of the
    survivors stays after every round, rounded down, at least one. With 6,912 candidates and
    ``warmup=5`` twelve eliminations lead to one, after 41,467 trainings.
    """

    keep: float = 0.5
    per_round: int = 1
    warmup: int = 1

    def __post_init__(self) -> None:
        check_schedule("halving", self.keep, self.per_round, self.warmup)

    def step(self, standing: Standing) -> Step | None:
        """Return the next round; None once one candidate is left."""
        if standing.survivors == 1:
            return None
        upto = max(self.warmup, standing.instances + self.per_round)
        return Step(upto, share_of(standing.survivors, self.keep))


@dataclass(frozen=True)
class FlatBudget(Schedule):
    """Every late round costs about the same, so that few survivors get many instances.

    A round gives each survivor ``budget / (cost of one instance of every survivor)`` instances,
    rounded down, at least ``per_round`` and at most ``cap``; then the share ``keep`` stays, until
    ``finalists`` are left. The equal cost per round is that of sequential halving (Karnin, Koren
    and Somekh 2013), except that the first, crowded rounds cost more. After a screen that has
    trained ``warmup`` instances already, the first cut trains nothing. ``budget`` is in instances,
    or in seconds or example-visits when the race is told those costs.
    """

    budget: float
    cap: int = 64
    keep: float = 0.5
    per_round: int = 1
    warmup: int = 1
    finalists: int = 1

    def __post_init__(self) -> None:
        check_schedule("flat budget", self.keep, self.per_round, self.warmup)
        if not self.budget > 0.0 or self.cap < self.per_round or self.finalists < 1:
            raise ConfigurationError(
                f"flat budget: budget = {self.budget:g}, cap = {self.cap} and finalists = "
                f"{self.finalists} must be positive, and cap at least per_round = {self.per_round}"
            )

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


@dataclass(frozen=True)
class Chain(Schedule):
    """One schedule after the other: the next takes over when one has ended."""

    parts: tuple[Schedule, ...]

    def step(self, standing: Standing) -> Step | None:
        """Return the round of the first part that has one."""
        for part in self.parts:
            step = part.step(standing)
            if step is not None:
                return step
        return None


def idle(counts: Integers, target: Integers) -> bool:
    """Whether a round judges nothing that the one before has not judged."""
    return not bool((target > counts).any())


def capped(step: Step, target: Integers) -> bool:
    """Whether a round asks for more than the race allows."""
    return bool((step.upto > target).any())


def check_progress(step: Step, target: Integers) -> None:
    """Raise `RaceError` for an idle round that would change nothing and repeat for ever."""
    if step.keep >= len(target) and not capped(step, target):
        raise RaceError(
            f"the schedule asks for a round that trains nothing and removes none of {len(target)} "
            "candidates; a schedule must end or go on"
        )


def share_of(survivors: int, keep: float) -> int:
    """Return the number that stays of ``survivors``: the share ``keep`` rounded down, from 1 on."""
    return max(1, int(np.floor(survivors * keep + 1e-9)))


def check_schedule(name: str, keep: float, per_round: int, warmup: int) -> None:
    """Raise `RaceError` for numbers no schedule can have."""
    if not 0.0 < keep < 1.0:
        raise ConfigurationError(
            f"{name}: keep = {keep:g} is the share that stays after a round; give one in (0, 1)"
        )
    for word, number in (("per_round", per_round), ("warmup", warmup)):
        if number < 1:
            raise ConfigurationError(f"{name}: {word} = {number} instances; give 1 or more")
