"""Elimination: who leaves after a round, and why, in words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from surefoot.errors import RaceError
from surefoot.racing.criteria import Criterion
from surefoot.racing.table import Floats

Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

MOST = 64
"""`EliminationRule.most` of the rules by test: as many as a certificate takes, and a few more."""


@dataclass(frozen=True)
class Elimination:
    """One candidate's end: in which round (from 1), at which value, and the reason in words."""

    key: str
    round: int
    value: float
    reason: str


@dataclass(frozen=True)
class Contest:
    """A completed round as an elimination rule sees it.

    ``losses`` ``[candidates, instances]`` holds NaN from ``counts[candidate]`` on. ``values`` are
    the criterion's, ``so_far`` the rows from best to worst by them (ties by key), ``keep`` the
    number of candidates the schedule wants to go on with, ``past`` the instances every candidate
    had in each earlier round. ``order`` is ``so_far`` where all have as many instances; else the
    rows by the predicted criterion (`mixed_model`): the best of many means of two
    is luck.
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


class EliminationRule(ABC):
    """Decides who leaves after a round; a pure function of the losses.

    A rule never removes everybody. It may remove fewer than the schedule asks for (a test that
    cannot tell), which the race accepts until nobody may train more than ``most`` instances.
    """

    @property
    def name(self) -> str:
        """What the study file calls it."""
        return type(self).__name__

    @property
    def fixed(self) -> bool:
        """Whether exactly the schedule's number stays, so that a race can be planned exactly."""
        return False

    @property
    def most(self) -> int | None:
        """Instances that no candidate exceeds unless the race says otherwise; None for no end.

        A rule that may find nothing needs one: of true equals nobody would ever leave.
        """
        return None if self.fixed else MOST

    def refusal(self, criterion: Criterion, candidates: int) -> str | None:
        """Return why it cannot judge so many candidates by a criterion; None if it can."""
        return None

    def needs(self, criterion: Criterion, candidates: int) -> int:
        """Return the instances below which nobody of so many candidates can leave."""
        return 1

    @abstractmethod
    def judge(self, contest: Contest) -> Verdict:
        """Return the verdict on a completed round."""


@dataclass(frozen=True)
class ByRank(EliminationRule):
    """The paper's rule: the best ``keep`` by the criterion stay; ties break by key.

    Of candidates with different numbers of instances, which the paper does not have, the best by
    the predicted criterion (see `Contest`).
    """

    name = "rank"
    fixed = True

    def judge(self, contest: Contest) -> Verdict:
        """Remove all ranked behind the schedule's number."""
        rank = np.empty(len(contest), np.int64)
        rank[contest.order] = np.arange(1, len(contest) + 1)

        def reason(row: int) -> str:
            return (
                f"{contest.criterion.name} {contest.values[row]:.4g} over "
                f"{instances(int(contest.counts[row]))} ranks {rank[row]} of {len(contest)}"
                f"{' as predicted' if contest.uneven else ''}; the best {contest.keep} stay"
                f"{ends_with_infinity(contest.values[row])}"
            )

        return Verdict(rank > contest.keep, reason)


def instances(count: int) -> str:
    """Return ``1 instance`` or ``n instances``."""
    return "1 instance" if count == 1 else f"{count} instances"


def ends_with_infinity(value: float) -> str:
    """Return the words that explain an infinite criterion, nothing for a finite one."""
    return " (inf: an instance diverged or failed)" if np.isinf(value) else ""


def evaluate(criterion: Criterion, losses: Floats, counts: Integers) -> Floats:
    """Return the criterion of the first ``counts[candidate]`` losses of every row."""
    values = np.empty(len(losses))
    for count in np.unique(counts):
        if count == 0:
            raise RaceError(f"criterion '{criterion.name}' was asked for before any instance")
        rows = counts == count
        values[rows] = criterion.values(losses[rows, :count])
    return values
