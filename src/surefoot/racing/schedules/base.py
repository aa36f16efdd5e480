"""Schedules: how many instances the survivors train in the next round, and how many then stay."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from surefoot.racing.criteria import Criterion
from surefoot.racing.parts import Part
from surefoot.racing.rules.base import EliminationRule
from surefoot.racing.rules.rank import ByRank
from surefoot.racing.table import Floats, Integers


@dataclass(frozen=True)
class Standing:
    """What a schedule may look at before a round.

    ``counts[survivor]`` instances have been judged of each of the survivors, of whom there were
    ``entrants`` at first, in ``rounds`` rounds (a screen is none); the race has come to ``spent``
    trainings, those of candidates that left included. ``cost[survivor]`` is what one
    instance costs: 1, or its mean seconds or example-visits so far when a race is budgeted in
    those. ``losses`` ``[survivors, instances]`` (NaN from ``counts`` on), ``values`` and ``order``
    (rows from best to worst) are None before the first round and while a race is only planned:
    then nothing is known of the losses. No candidate may have more than ``max_instances``. After
    rungs, ``entrants`` and ``spent`` are of those who came through, and ``limit`` is what is left
    for them of a limit in trainings.
    """

    counts: Integers
    entrants: int
    cost: Floats
    criterion: Criterion
    losses: Floats | None = None
    values: Floats | None = None
    order: Integers | None = None
    rounds: int = 0
    max_instances: int | None = None
    spent: int = 0
    limit: float | None = None

    @property
    def survivors(self) -> int:
        """Number of candidates still in the race."""
        return len(self.counts)

    @property
    def instances(self) -> int:
        """Number of instances every survivor has."""
        return int(self.counts.min())

    def at_most(self, cap: int) -> int:
        """Return the instances a candidate may have where a schedule gives it ``cap``."""
        return cap if self.max_instances is None else min(cap, self.max_instances)


@dataclass(frozen=True)
class Step:
    """A round: train survivors up to ``upto`` instances each, then let about ``keep`` stay.

    ``upto`` is one number for all or ``[survivors]``; a survivor that has as many already trains
    nothing.
    """

    upto: int | Integers
    keep: int


@dataclass(frozen=True)
class Setup:
    """What is known of a race before it begins: its ``candidates``, by number, and its bounds.

    ``limit`` is in trainings; None where the race has none, or counts something else.
    """

    candidates: int
    criterion: Criterion
    limit: float | None = None
    max_instances: int | None = None


@dataclass(frozen=True)
class Schedule(Part, ABC):
    """Says what the next round is; a pure function of the standing.

    ``own_rule`` is the one rule that goes with it, None where any does; ``stages`` are schedules
    that only it is made of, which a journal may name.
    """

    own_rule: ClassVar[type[EliminationRule] | None] = None
    stages: ClassVar[tuple[type[Schedule], ...]] = ()

    @property
    def usual_rule(self) -> EliminationRule:
        """The rule unless another is named."""
        return ByRank()

    @property
    def words(self) -> str:
        """What it does, in a few words."""
        return self.name

    @abstractmethod
    def step(self, standing: Standing) -> Step | None:
        """Return the next round, or None when the race is over."""

    def suited(self, setup: Setup) -> Schedule:
        """Return it with all that it takes from the race; itself unless it is made of others."""
        return self

    @classmethod
    def variants(cls, setup: Setup) -> Iterator[tuple[str, Schedule, float | None]]:
        """Yield what a planner compares for a race: a name, the schedule and the limit."""
        if not any(one.needed for one in cls.parameters()):
            yield cls.name.replace("_", " "), cls(), setup.limit
