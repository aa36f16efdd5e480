"""Rungs: epochs at which a race judges trainings that have not ended, and who leaves there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from surefoot.racing.criteria import Criterion
from surefoot.racing.parts import Part
from surefoot.racing.table import Booleans, Floats, Integers


@dataclass(frozen=True)
class RungField:
    """The candidates still in the race, and what of theirs was trained to the end.

    ``losses`` ``[candidates, instances]`` are NaN where it was not. ``recipes`` are numbers, alike
    where candidates are trained alike; ties go by ``rank``, the place of the key among those of
    all ``entrants``, with whom the race began.
    """

    criterion: Criterion
    losses: Floats
    recipes: Integers
    rank: Integers
    entrants: int


@dataclass(frozen=True)
class RungEvidence(RungField):
    """A rung, to which the first instance of every candidate has come, or ended before.

    It is after ``epoch`` epochs, one of ``rungs``. ``curves`` ``[instances, candidates, epoch]``
    are losses after each epoch, NaN where a training has not come to yet. ``learners`` are those
    that `Rungs.learning` had trained to the end, ``kept`` those that an earlier rung wanted to
    drop.
    """

    epoch: int
    rungs: tuple[int, ...]
    curves: Floats
    learners: Booleans
    kept: Booleans


@dataclass(frozen=True)
class RungVerdict:
    """Who leaves at a rung, and who would but is trained on to measure the risk, ``[candidates]``.

    ``values`` are the losses at the end as predicted, ``reason(row)`` says in words why one leaves.
    """

    leave: Booleans
    reserve: Booleans
    values: Floats
    reason: Callable[[int], str]


@dataclass(frozen=True)
class Rungs(Part, ABC):
    """Decides who leaves after some epochs of the first instance; a pure function of the curves.

    ``judges`` says which criteria it can judge.
    """

    judges: ClassVar[str] = "any"

    @property
    def stated_risk(self) -> float | None:
        """The probability stated that all as good as the best leave; None if none is."""
        return None

    @property
    def as_good(self) -> float:
        """The share above the best's criterion that is as good as the best."""
        return 0.0

    @property
    def words(self) -> str:
        """What it does, in a few words."""
        return self.name

    @abstractmethod
    def at(self, epochs: int) -> tuple[int, ...]:
        """Return the epochs of the rungs, ascending, of trainings of at least so many epochs."""

    def instances(self, criterion: Criterion) -> int:
        """Return how many instances those have at most that it learns from."""
        return 1

    def learning(self, field: RungField) -> Integers:
        """Return how many instances of each are to be trained to the end before the first rung.

        Asked again with what it asked for, it may ask for more.
        """
        return np.zeros(len(field.losses), np.int64)

    def active(self, field: RungField) -> bool:
        """Say whether there are rungs at all for the candidates with whom a race begins."""
        return True

    def keep(self, entrants: int, number: int, rungs: int) -> int:
        """Return how many of so many a plan reckons to stay at one of the ``rungs``, from 0."""
        return max(1, entrants // 2)

    @abstractmethod
    def judge(self, evidence: RungEvidence) -> RungVerdict:
        """Return the verdict on a rung; one of the candidates stays at least."""


def after(epoch: int) -> str:
    """Return ``after 1 epoch`` or ``after n epochs``."""
    return "after 1 epoch" if epoch == 1 else f"after {epoch} epochs"


def leader_of(field: RungField, learners: Integers) -> int:
    """Return the row of the learner with the smallest first loss: its others do not flatter it.

    One that never diverged, if there is any; ties go by rank.
    """
    broken = np.isposinf(field.losses[learners]).any(axis=1)
    order = np.lexsort((field.rank[learners], field.losses[learners, 0], broken))
    return int(learners[order[0]])


@dataclass(frozen=True)
class RungCheck:
    """The risk of the rungs as the running race measures it.

    Of those who were to leave, ``reserve`` were trained on, and ``better`` of them ended as well as
    the best of those that the rungs learnt from, or within the share ``as_good`` of it; ``left``
    are gone. ``risk`` is the one stated that all as good as the best left, None if none is. Unless
    ``climbed``, there were no rungs, since by plan they would have spared too little.
    """

    left: int
    reserve: int
    better: int
    risk: float | None
    as_good: float = 0.0
    climbed: bool = True

    def __str__(self) -> str:
        """Return it as a sentence."""
        if not self.climbed:
            return "no rungs: of so few candidates they would spare too little by plan"
        said = f"the rungs removed {self.left:,}"
        if self.risk is not None:
            all_good = (
                f"all within {100 * self.as_good:.3g} % of the best" if self.as_good else "the best"
            )
            said += f", at a stated risk of {self.risk:.3g} that {all_good} left"
        if not self.reserve:
            return said
        ended = self.better or "none"
        more = f"of {self.reserve} more that were trained on"
        return f"{said}; {more}, {ended} ended as well as the leader"
