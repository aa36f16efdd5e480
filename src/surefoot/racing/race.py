"""The race: its rules, and the plan of its rounds before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from surefoot.errors import ConfigurationError
from surefoot.racing.criteria import Criterion, as_criterion
from surefoot.racing.replay import Baseline, Replay
from surefoot.racing.rules.base import ByRank, EliminationRule, Integers
from surefoot.racing.schedules.base import Halving, Schedule, Standing, Step, check_progress, idle
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
    most
        Instances that no candidate exceeds. When no further one is allowed and the rule tells
        nobody apart, the race ends and the best so far wins. None is the rule's own `most`: no
        such end by rank, 64 for the tests, which may find nothing between equals.

    Raises
    ------
    ConfigurationError
        If no candidate is given or one is given twice, the rule cannot judge the criterion, or
        ``most`` is fewer than the criterion or the screen needs.

    Nothing here trains: `replay` is a pure function of a `LossTable`, so a race resumes after a
    crash, goes on under a larger budget or is run again under other rules by replaying.
    """

    keys: tuple[str, ...]
    criterion: Criterion | str = "mean"
    schedule: Schedule = field(default_factory=Halving)
    screen: Screen | None = None
    rule: EliminationRule = field(default_factory=ByRank)
    limit: float | None = None
    most: int | None = None

    def __post_init__(self) -> None:
        keys = tuple(self.keys)
        if not keys:
            raise ConfigurationError("a race needs at least one candidate; none was given")
        if len(set(keys)) != len(keys):
            twice = next(key for key in keys if keys.count(key) > 1)
            raise ConfigurationError(
                f"candidate '{twice}' was given twice to the race; keys are unique"
            )
        object.__setattr__(self, "keys", keys)
        if self.most is None:
            object.__setattr__(self, "most", self.rule.most)
        self._check_rule(len(keys) if self.screen is None else min(2, len(keys)))

    def _check_rule(self, judged: int) -> None:
        """Raise `ConfigurationError` if the rule could never remove anybody of so many."""
        refusal = self.rule.refusal(self.statistic, judged)
        if refusal is not None:
            raise ConfigurationError(refusal)
        if self.most is None:
            return
        screen = self.screen
        pilot = 1 + screen.extra if screen is not None and screen.measures_noise else 1
        for whose, least in (
            ("the screen's pilot takes", pilot),
            (f"the criterion '{self.statistic.name}' takes", self.statistic.needs),
            (
                f"rule '{self.rule.name}' can remove nobody of {judged:,} candidates before",
                self.rule.needs(self.statistic, judged),
            ),
        ):
            if self.most < least:
                raise ConfigurationError(
                    f"{whose} {least} instances of each, but most = {self.most}: give a larger "
                    "most, or other rules"
                )

    @cached_property
    def statistic(self) -> Criterion:
        """The criterion as an object."""
        return as_criterion(self.criterion)

    def asked(self, step: Step, counts: Integers) -> Integers:
        """Return the instances each survivor must have after a round, ``[survivors]``.

        As many as the schedule asks for, never fewer than the criterion needs or were judged
        before, never more than ``most``.
        """
        wanted = np.maximum(np.maximum(step.upto, self.statistic.needs), counts)
        return wanted.astype(np.int64) if self.most is None else np.minimum(wanted, self.most)

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
        Raises `ConfigurationError` when every candidate is screened out or has diverged.
        """
        return Replay(self).run(table, baseline, costs)

    def plan(self, cost: float = 1.0) -> list[PlannedRound]:
        """Return the rounds and their trainings as far as they are known before any training.

        Of a rule that decides itself how many leave, nobody is taken to leave: its trainings are
        the most that may be needed, up to ``most`` instances of every candidate.
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
            raced = len(rounds) - (self.screen is not None)
            step = self.schedule.step(
                Standing(
                    counts,
                    entrants,
                    each,
                    self.statistic,
                    rounds=raced,
                    most=self.most,
                    spent=spent,
                )
            )
            if step is None:
                return rounds
            target = self.asked(step, counts)
            trainings = int(np.maximum(target - paid, 0).sum())
            keep = step.keep if self.rule.fixed else len(counts)
            if raced and idle(counts, target) and keep == len(counts):
                check_progress(step, target)
                return rounds
            if self.limit is not None and rounds and (spent + trainings) * cost > self.limit:
                return rounds
            number, upto = len(rounds) + 1, int(target.max())
            stay = keep if self.rule.fixed else None
            rounds.append(PlannedRound(number, "race", len(counts), trainings, upto, stay, exact))
            exact = exact and self.rule.fixed
            spent += trainings
            paid = np.maximum(paid, target)[:keep]
            counts = target[:keep]
