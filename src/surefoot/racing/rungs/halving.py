"""Rungs by rank: successive halving over epochs, and Hyperband, which hedges its first epoch.

At every rung one in ``eta`` stays, the best by the loss there; the next comes after ``eta`` times
as many epochs. These are the classic rules of searches over hyperparameters: cheap, and with no
word about the risk that the best leaves, which is largest where curves cross.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from surefoot.racing.parts import key, whole
from surefoot.racing.rungs.base import RungEvidence, Rungs, RungVerdict, after
from surefoot.racing.table import Booleans, Integers


@dataclass(frozen=True)
class ByRankAtRungs(Rungs):
    """What both share: one in ``eta`` of those judged together stays."""

    eta: int = key(whole(2), "One in so many stays at a rung.", 3)

    @abstractmethod
    def groups(self, evidence: RungEvidence) -> Integers:
        """Return which candidates are judged together, ``[candidates]``; −1 for those that stay."""

    def judge(self, evidence: RungEvidence) -> RungVerdict:
        """Remove all but the best of every group by the loss at the rung; ties go by rank."""
        losses = evidence.curves[0, :, -1]
        groups, count = self.groups(evidence), len(losses)
        places, keeps = np.zeros(count, np.int64), np.full(count, count)
        for group in np.unique(groups[groups >= 0]):
            rows = np.flatnonzero(groups == group)
            order = rows[np.lexsort((evidence.rank[rows], losses[rows]))]
            places[order] = np.arange(len(rows))
            keeps[rows] = max(1, len(rows) // self.eta)
        leave: Booleans = places >= keeps
        none = np.zeros(count, np.bool_)

        def reason(row: int) -> str:
            of = int((groups == groups[row]).sum())
            return (
                f"{after(evidence.epoch)}: loss {losses[row]:.4g} ranks {places[row] + 1} of "
                f"{of}; the best {keeps[row]} stay"
            )

        return RungVerdict(leave, none, np.asarray(losses), reason)


@dataclass(frozen=True)
class ByEpochHalving(ByRankAtRungs):
    """All but one in ``eta`` by the loss at the rung; the next comes after ``eta`` times as many
    epochs.

    Successive halving (Jamieson and Talwalkar 2016) of the first instances, all at once. The first
    rung is after ``first_epoch`` epochs.
    """

    first_epoch: int = key(whole(), "Epochs before the first rung.", 4)
    name = "halving"
    place = 1

    @property
    def words(self) -> str:
        """Who stays."""
        return (
            f"one in {self.eta} stays after {self.first_epoch} epochs, {self.eta} times as many …"
        )

    def at(self, epochs: int) -> tuple[int, ...]:
        """Return ``first_epoch`` times the powers of ``eta``."""
        found, epoch = list[int](), self.first_epoch
        while epoch < epochs:
            found.append(epoch)
            epoch *= self.eta
        return tuple(found)

    def keep(self, entrants: int, number: int, rungs: int) -> int:
        """Return one in ``eta``."""
        return max(1, entrants // self.eta)

    def groups(self, evidence: RungEvidence) -> Integers:
        """Judge all together."""
        return np.zeros(len(evidence.rank), np.int64)


@dataclass(frozen=True)
class ByHyperband(ByRankAtRungs):
    """As ``halving``, in brackets of candidates whose first rungs are after different epochs.

    Hyperband (Li, Jamieson, DeSalvo, Rostamizadeh and Talwalkar 2018) for candidates that are all
    given: with R the epochs of the shortest training and s = ``brackets`` - 1, …, 0, a bracket
    begins to halve after R/eta^s epochs and has a share of the candidates, by lot, proportional to
    eta^s/(s + 1), so that brackets cost about the same. That of s = 0 never halves.
    """

    brackets: int = key(whole(), "Brackets, of which one never halves.", 4)
    name = "hyperband"
    place = 2

    @property
    def words(self) -> str:
        """Who stays."""
        return f"one in {self.eta} stays at a rung, in {self.brackets} brackets"

    def at(self, epochs: int) -> tuple[int, ...]:
        """Return R/eta^s of every bracket, as far as they differ and come before the end."""
        given = (round(epochs / self.eta**s) for s in range(self.brackets - 1, 0, -1))
        return tuple(epoch for epoch in dict.fromkeys(given) if 0 < epoch < epochs)

    def shares(self, rungs: int) -> list[float]:
        """Return the shares of the brackets, that which begins to halve first in front."""
        sizes = [self.eta**s / (s + 1) for s in range(rungs, -1, -1)]
        return [size / sum(sizes) for size in sizes]

    def keep(self, entrants: int, number: int, rungs: int) -> int:
        """Return about how many stay of those who came to a rung, its ``number`` from 0."""
        left = [
            share / float(self.eta) ** max(0, number - place)
            for place, share in enumerate(self.shares(rungs))
        ]
        halved = sum(left[: number + 1]) / sum(left)
        return max(1, round(entrants * (1.0 - halved * (1.0 - 1.0 / self.eta))))

    def groups(self, evidence: RungEvidence) -> Integers:
        """Return the brackets that halve at this rung; −1 for those that begin later."""
        ends = np.cumsum(self.shares(len(evidence.rungs)))[:-1]
        bracket = np.searchsorted(ends, (evidence.rank + 0.5) / evidence.entrants)
        begun = evidence.rungs.index(evidence.epoch)
        return np.where(bracket <= begun, bracket, -1)
