"""Elimination: who leaves after a round, and why, in words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from surefoot.racing.criteria import Criterion
from surefoot.racing.parts import Part
from surefoot.racing.table import Booleans, Floats, Integers

MAX_INSTANCES = 64
"""`EliminationRule.max_instances` of the rules by test: what a certificate takes, and some more."""


@dataclass(frozen=True)
class Evidence:
    """A completed round as an elimination rule sees it.

    ``losses`` ``[candidates, instances]`` holds NaN from ``counts[candidate]`` on. ``values`` are
    the criterion's, ``so_far`` the rows from best to worst by them (ties by key), ``keep`` the
    number of candidates the schedule wants to go on with, ``past`` the instances every candidate
    had in each earlier round. ``order`` is ``so_far`` where all have as many instances; else the
    rows by the predicted criterion (`prediction`): the best of many means of two is luck.
    """

    criterion: Criterion
    losses: Floats
    counts: Integers
    values: Floats
    order: Integers
    so_far: Integers
    keep: int
    past: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    @property
    def uneven(self) -> bool:
        """Whether some candidates have more instances than others."""
        return int(self.counts.min()) < int(self.counts.max())

    def common(self) -> Floats:
        """Return the losses of the instances every candidate has, ``[candidates, n]``."""
        return self.losses[:, : int(self.counts.min())]


@dataclass(frozen=True)
class Verdict:
    """Who leaves, ``leave[candidate]``, and a function from row to its reason in words.

    ``order`` holds the rows from best to worst where the rule ranks them by something else than
    the criterion so far.
    """

    leave: Booleans
    reason: Callable[[int], str]
    order: Integers | None = None


@dataclass(frozen=True)
class EliminationRule(Part, ABC):
    """Decides who leaves after a round; a pure function of the losses that never removes everybody.

    It may remove fewer than the schedule asks for (a test that cannot tell), which the race accepts
    until nobody may train more than ``max_instances``. ``fixed`` says that exactly the schedule's
    number stays, ``judges`` which criteria it can judge, and ``slowness`` in how many times fewer
    populations a planner simulates it.
    """

    fixed: ClassVar[bool] = False
    judges: ClassVar[str] = "any"
    slowness: ClassVar[int] = 1

    @property
    def max_instances(self) -> int | None:
        """Instances that no candidate exceeds unless the race says otherwise; None for no end.

        A rule that may find nothing needs one: of true equals nobody would ever leave.
        """
        return None if self.fixed else MAX_INSTANCES

    def refusal(self, criterion: Criterion, candidates: int) -> str | None:
        """Return why it cannot judge so many candidates by a criterion; None if it can."""
        return None

    def needs(self, criterion: Criterion, candidates: int) -> int:
        """Return the instances below which nobody of so many candidates can leave."""
        return 1

    @abstractmethod
    def judge(self, evidence: Evidence) -> Verdict:
        """Return the verdict on a completed round."""


def nobody(evidence: Evidence) -> Verdict:
    """Return the verdict that all stay."""
    return Verdict(np.zeros(len(evidence), np.bool_), lambda row: "")


def instances(count: int) -> str:
    """Return ``1 instance`` or ``n instances``."""
    return "1 instance" if count == 1 else f"{count} instances"
