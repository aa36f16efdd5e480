"""The race: its rules, and the plan of its rounds before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from surefoot.errors import RaceError
from surefoot.racing.criteria import Criterion, from_name
from surefoot.racing.elimination import ByRank, EliminationRule, Integers
from surefoot.racing.replay import Baseline, Replay, check_progress, instances_asked
from surefoot.racing.schedule import Halving, Schedule, Standing
from surefoot.racing.screen import Screen
from surefoot.racing.state import PlannedRound, RaceState
from surefoot.racing.table import LossTable


@dataclass(frozen=True)
class Race:
    """The rules of a selection; `replay` applies them to what has been trained so far.

    Parameters
    ----------
    keys
        The candidates' keys, all different.
    criterion
        A `Criterion` or its name.
    schedule
        Rounds and numbers; the paper's `Halving` unless given.
    screen
        Compares the first losses with the baseline before the schedule's first round.
    rule
        Who leaves after a round; by rank unless given.
    limit
        A total that the race must not exceed, in the unit of the costs (instances unless `replay`
        is told costs): it ends before the first round it cannot pay, and the best so far wins.
        With a larger limit the same rounds come first, so nothing is repeated.

    Nothing here trains: `replay` is a pure function of a `LossTable`, so a race resumes after a
    crash, goes on under a larger budget or is run again under other rules by replaying.
    """

    keys: tuple[str, ...]
    criterion: Criterion | str = "mean"
    schedule: Schedule = field(default_factory=Halving)
    screen: Screen | None = None
    rule: EliminationRule = field(default_factory=ByRank)
    limit: float | None = None

    def __post_init__(self) -> None:
        keys = tuple(self.keys)
        if not keys:
            raise RaceError("a race needs at least one candidate; none was given")
        if len(set(keys)) != len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise RaceError(f"candidate '{twice}' was given twice to the race; keys are unique")
        object.__setattr__(self, "keys", keys)
        _ = self.statistic

    @cached_property
    def statistic(self) -> Criterion:
        """The criterion as an object."""
        return from_name(self.criterion) if isinstance(self.criterion, str) else self.criterion

    @cached_property
    def key_rank(self) -> Integers:
        """Place of each key in the sorted keys, ``[candidates]``: how ties break."""
        rank = np.empty(len(self.keys), np.int64)
        rank[sorted(range(len(self.keys)), key=self.keys.__getitem__)] = np.arange(len(self.keys))
        return rank

    def replay(
        self,
        table: LossTable,
        baseline: Baseline | None = None,
        costs: LossTable | None = None,
    ) -> RaceState:
        """Return the state of the race on these losses.

        ``baseline`` is the baseline's loss: one number, one per instance ``[instances]`` (NaN
        where not assessed yet), or ``[candidates, instances]`` when every candidate has draws of
        its own. The screen alone uses it. ``costs`` holds the seconds or example-visits of the
        same instances for a race budgeted in those. Candidates outside the race are ignored.
        Raises `RaceError` when every candidate is screened out or has diverged.
        """
        known = None if costs is None else costs.select(self.keys)
        return Replay(self, table.select(self.keys), baseline, known).run()

    def plan(self, cost: float = 1.0) -> list[PlannedRound]:
        """Return the rounds and their trainings as far as they are known before any training.

        ``cost`` is what one instance costs, for schedules and limits in seconds or visits.
        """
        rounds: list[PlannedRound] = []
        entrants = len(self.keys)
        counts = np.zeros(entrants, np.int64)
        paid = counts.copy()
        exact = True
        if self.screen is not None:
            counts[:] = paid[:] = 1
            if self.screen.measures_noise:
                paid[: self.screen.pilot] += self.screen.extra
            rounds.append(
                PlannedRound(1, "screen", entrants, int(paid.sum()), int(paid.max()), None, True)
            )
            exact = False
        spent = int(paid.sum())
        while True:
            each = np.full(len(counts), cost)
            step = self.schedule.step(Standing(counts, entrants, each, self.statistic))
            if step is None:
                return rounds
            target = instances_asked(step, counts, self.statistic)
            trainings = int(np.maximum(target - paid, 0).sum())
            check_progress(trainings, len(counts), step.keep)
            if self.limit is not None and rounds and (spent + trainings) * cost > self.limit:
                return rounds
            number, upto = len(rounds) + 1, int(target.max())
            rounds.append(
                PlannedRound(number, "race", len(counts), trainings, upto, step.keep, exact)
            )
            exact = exact and self.rule.fixed
            spent += trainings
            paid = np.maximum(paid, target)[: step.keep]
            counts = target[: step.keep]
