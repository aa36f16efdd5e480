"""The race: its rules, and the plan of its rounds before anything is trained."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from types import NoneType
from typing import Any, Literal, get_args

import numpy as np

from surefoot import checks
from surefoot.errors import ConfigurationError, RaceError
from surefoot.racing import registry
from surefoot.racing.criteria import Criterion, as_criterion
from surefoot.racing.rules.base import EliminationRule
from surefoot.racing.rungs.base import RungField, Rungs
from surefoot.racing.schedules.base import Schedule, Setup, Standing, Step
from surefoot.racing.screen import Screen
from surefoot.racing.state import PlannedRound
from surefoot.racing.table import Floats, Integers, repeated

_CELLS = 200_000_000
"""Losses that a round may have: memory for a table of them is taken at once."""
SPARED = 0.2
"""Share of the trainings that rungs must spare by plan, or there are none."""
Cost = Literal["instances", "seconds", "visits"]
"""What schedules and limits count: instances, seconds trained, or examples seen in training."""


@dataclass(frozen=True, init=False)
class Race:
    """The rules of a selection; `Replay` applies them to what has been trained so far.

    Parameters
    ----------
    keys
        The candidates' keys, all different.
    criterion
        A `Criterion` or its name.
    schedule
        Rounds and numbers: a `Schedule` or its name; the one that suits the number of candidates
        unless given.
    screen
        Compares the first losses with the baseline before the schedule's first round; a number is
        its tolerance.
    rule
        Who leaves after a round: an `EliminationRule` or its name; the schedule's usual one unless
        given.
    limit
        A total that the race must not exceed, in the unit of ``cost``: it ends before the first
        round it cannot pay, and the best so far wins. With a larger limit the same rounds come
        first, so nothing is repeated.
    max_instances
        Instances that no candidate exceeds. When no further one is allowed and the rule tells
        nobody apart, the race ends and the best so far wins. None is the rule's own: no such end by
        rank, 64 for the tests, which may find nothing between equals.
    cost
        What budgets and the limit count.
    rungs
        Who leaves before the first instance of each is trained to the end: `Rungs` or their name;
        nobody unless given.
    epochs
        Epochs of the shortest training, where there are rungs.
    recipes
        Numbers, alike where candidates are trained alike; empty if all are.

    Raises
    ------
    ConfigurationError
        If no candidate is given or one is given twice, a name is unknown, the rule cannot judge the
        criterion, or ``max_instances`` is fewer than the criterion or the screen needs.

    Nothing here trains: a `Replay` is a pure function of a `LossTable`, so a race resumes after a
    crash, goes on under a larger budget or is run again under other rules by replaying.
    """

    keys: tuple[str, ...]
    criterion: Criterion
    schedule: Schedule
    screen: Screen | None
    rule: EliminationRule
    limit: float | None
    max_instances: int | None
    cost: Cost
    rungs: Rungs | None
    epochs: int = field(compare=False)
    recipes: tuple[int, ...] = field(compare=False)

    def __init__(
        self,
        keys: Iterable[str],
        criterion: Criterion | str = "mean",
        schedule: Schedule | str | None = None,
        screen: Screen | float | None = None,
        rule: EliminationRule | str | None = None,
        limit: float | None = None,
        max_instances: int | None = None,
        cost: Cost = "instances",
        rungs: Rungs | str | None = None,
        epochs: int = 1,
        recipes: Iterable[int] = (),
    ) -> None:
        checks.of_kind(
            "a schedule or its name such as 'halving'", str, Schedule, NoneType, schedule=schedule
        )
        checks.of_kind(
            "a rule or its name such as 'rank'", str, EliminationRule, NoneType, rule=rule
        )
        checks.one_of("cost", cost, get_args(Cost))
        checks.positive(limit=limit)
        checks.at_least(1, max_instances=max_instances)
        names, judged = tuple(keys), as_criterion(criterion)
        if not names:
            raise ConfigurationError("a race needs at least one candidate; none was given")
        for twice in repeated(names):
            raise ConfigurationError(
                f"candidate '{twice}' was given twice to the race; keys are unique"
            )
        if screen is not None and not isinstance(screen, Screen):
            checks.finite(screen=screen)
            screen = Screen(float(screen))
        chosen: Schedule = registry.make("schedules", schedule or "default")
        leaving: EliminationRule = registry.make("rules", rule or chosen.usual_rule)
        total = limit if cost == "instances" else None
        if rungs is None:
            chosen = chosen.suited(Setup(len(names), judged, total, max_instances))
        self.__dict__.update(
            keys=names,
            criterion=judged,
            schedule=chosen,
            screen=screen,
            rule=leaving,
            limit=limit,
            max_instances=leaving.max_instances if max_instances is None else max_instances,
            cost=cost,
            rungs=None if rungs is None else registry.make("rungs", rungs),
            epochs=epochs,
            recipes=tuple(recipes),
        )
        self._check_rule(len(names) if screen is None else min(2, len(names)))

    @classmethod
    def of(cls, keys: Iterable[str], rules: Any, **others: Any) -> Race:
        """Return the race of the rules that an object has as attributes, but for ``others``."""
        names = (one.name for one in fields(cls) if one.name not in ("keys", *others))
        return cls(keys, **{name: getattr(rules, name) for name in names}, **others)

    def _check_rule(self, judged: int) -> None:
        """Raise `ConfigurationError` if the rule could never remove anybody of so many."""
        refusal = self.rule.refusal(self.criterion, judged)
        if refusal is not None:
            raise ConfigurationError(refusal)
        if self.max_instances is None:
            return
        screen, rungs = self.screen, self.rungs
        pilot = 1 + screen.extra if screen is not None and screen.measures_noise else 1
        for whose, least in (
            ("the screen's pilot takes", pilot),
            (f"the criterion '{self.criterion.name}' takes", self.criterion.needs),
            ("the rungs learn from", 1 if rungs is None else rungs.instances(self.criterion)),
            (
                f"rule '{self.rule.name}' can remove nobody of {judged:,} candidates before",
                self.rule.needs(self.criterion, judged),
            ),
        ):
            if self.max_instances < least:
                raise ConfigurationError(
                    f"{whose} {least} instances of each, but max_instances = "
                    f"{self.max_instances}: give a larger one, or other rules"
                )

    def changed(self, **rules: Any) -> Race:
        """Return the race with some of its rules changed; what is not given stays as it is.

        Another rule brings its own ``max_instances``. Another schedule brings its usual rule,
        unless the race's is a test, which goes with any.
        """
        if "schedule" in rules and "rule" not in rules:
            schedule = registry.make("schedules", rules["schedule"] or "default")
            if self.rule.fixed or self.schedule.own_rule or schedule.own_rule:
                rules["rule"] = None
        if "rule" in rules:
            rules.setdefault("max_instances", None)
        return replace(self, **rules)

    @property
    def words(self) -> str:
        """What its rungs, if any, and its schedule do, in a few words."""
        schedule = self.schedule.suited(Setup(len(self.keys), self.criterion)).words
        return schedule if self.rungs is None else f"{self.rungs.words}; then {schedule}"

    def check_limit(self) -> None:
        """Raise `ConfigurationError` if the limit is less than the first round's trainings."""
        if self.limit is None or self.cost != "instances" or self.rungs is not None:
            return
        first = next(iter(self.plan(stop_after=1)), None)
        if first is not None and self.limit < first.trainings:
            raise ConfigurationError(
                f"limit = {self.limit:g} trainings do not pay for the first round, which takes "
                f"{first.trainings:,} of {first.survivors:,} candidates: give as many or more"
            )

    def asked(self, step: Step, counts: Integers) -> Integers:
        """Return the instances each survivor must have after a round, ``[survivors]``.

        As many as the schedule asks for, never fewer than the criterion needs or were judged
        before, never more than ``max_instances``. Raises `ConfigurationError` if they are more than
        memory holds.
        """
        wanted = np.maximum(np.maximum(step.upto, self.criterion.needs), counts)
        most = np.inf if self.max_instances is None else self.max_instances
        target = np.minimum(wanted, most).astype(np.int64)
        if len(target) * int(target.max()) > _CELLS:
            raise ConfigurationError(
                f"{int(target.max()):,} instances of each of {len(target):,} candidates are more "
                f"than a race can hold ({_CELLS:,} in all): ask for fewer"
            )
        return target

    def standing(
        self, counts: Integers, cost: Floats, rounds: int, spent: int, **known: Any
    ) -> Standing:
        """Return the `Standing` of survivors after some rounds, with what is ``known`` of them."""
        return Standing(
            counts,
            known.pop("entrants", len(self.keys)),
            cost,
            self.criterion,
            rounds=rounds,
            max_instances=self.max_instances,
            spent=spent,
            **known,
        )

    @property
    def untrained(self) -> RungField:
        """The candidates as rungs see them before anything is trained."""
        nothing = np.empty((len(self.keys), 0))
        recipes = np.array(self.recipes or [0] * len(self.keys), np.int64)
        return RungField(self.criterion, nothing, recipes, self.key_rank, len(self.keys))

    @cached_property
    def key_rank(self) -> Integers:
        """Place of each key in the sorted keys, ``[candidates]``: how ties break."""
        return np.argsort(sorted(range(len(self.keys)), key=self.keys.__getitem__))

    def plan(self, cost: float = 1.0, *, stop_after: float = math.inf) -> list[PlannedRound]:
        """Return the rounds and their trainings as far as they are known before any training.

        Of a rule that decides itself how many leave, nobody is taken to leave: its trainings are
        the most that may be needed, up to ``max_instances`` instances of every candidate.
        ``cost`` is what one instance costs, for schedules and limits in seconds or visits. After
        ``stop_after`` rounds no further one is planned.
        """
        rounds, spent, entrants = list[PlannedRound](), 0.0, len(self.keys)
        if self.climbs:
            rounds, spent, entrants = self._planned_rungs()
        before, counts = len(rounds), np.zeros(entrants, np.int64)
        paid = counts.copy()
        if self.screen is not None:
            counts[:] = paid[:] = 1
            if self.screen.measures_noise:
                paid[: self.screen.pilot] += self.screen.extra
            trained, most = int(paid.sum()), int(paid.max())
            rounds.append(
                PlannedRound(before + 1, "screen", entrants, trained, most, None, not before)
            )
        exact, own = not rounds, int(paid.sum())
        while len(rounds) < stop_after:
            raced = len(rounds) - before - (self.screen is not None)
            standing = self.standing(
                counts,
                np.full(len(counts), cost),
                raced,
                own,
                **self._entry(entrants, spent * cost),
            )
            step = self.schedule.step(standing)
            if step is None:
                return rounds
            target = self.asked(step, counts)
            trainings = int(np.maximum(target - paid, 0).sum())
            keep = step.keep if self.rule.fixed else len(counts)
            if raced and not (target > counts).any() and keep == len(counts):
                check_progress(step, target)
                return rounds
            total = (spent + own + trainings) * cost
            if self.limit is not None and counts.any() and total > self.limit:
                return rounds
            number, upto = len(rounds) + 1, int(target.max())
            stay = keep if self.rule.fixed else None
            rounds.append(PlannedRound(number, "race", len(counts), trainings, upto, stay, exact))
            exact = exact and self.rule.fixed
            own += trainings
            paid = np.maximum(paid, target)[:keep]
            counts = target[:keep]
        return rounds

    def _entry(self, entrants: int, spent: float) -> dict[str, Any]:
        """Return what a schedule is told of those who enter its rounds after the rungs.

        ``spent`` is the price of those who do not, in the race's unit.
        """
        if self.rungs is None:
            return {}
        left = None if self.limit is None or self.cost != "instances" else self.limit - spent
        return {"entrants": entrants, "limit": left}

    @cached_property
    def climbs(self) -> bool:
        """Whether its rungs, if any, judge anybody: by plan they spare a share `SPARED` at least.

        They do anyway where that is not known, as a rule decides itself how many leave, or where
        the limit does not pay for a training of each.
        """
        if self.rungs is None or not self.rungs.active(self.untrained):
            return False
        few = self.limit is not None and self.cost == "instances" and self.limit < len(self.keys)
        if few or not self.rule.fixed:
            return True
        _, spent, entrants = self._planned_rungs()
        off: dict[str, Any] = {"rungs": None, "limit": None, "cost": "instances", "recipes": ()}
        whole, rest = (
            sum(one.trainings for one in replace(self, keys=keys, **off).plan())
            for keys in (self.keys, self.keys[:entrants])
        )
        return spent + rest <= (1.0 - SPARED) * whole

    def _planned_rungs(self) -> tuple[list[PlannedRound], float, int]:
        """Return the rungs, what they cost beyond those who stay, in trainings, and how many stay.

        Who leaves may not be known before: then half of those it does not learn from at each.
        """
        rounds, spent, entrants = list[PlannedRound](), 0.0, len(self.keys)
        if self.rungs is None:
            return rounds, spent, entrants
        learners = int(np.count_nonzero(self.rungs.learning(self.untrained)))
        rungs = self.rungs.at(self.epochs)
        for number, epoch in enumerate(rungs, start=1):
            keep = learners + self.rungs.keep(entrants - learners, number - 1, len(rungs))
            left = entrants - keep
            rounds.append(PlannedRound(number, "rung", entrants, left, 1, keep, False, epoch))
            spent += left * epoch / self.epochs
            entrants = keep
        return rounds, spent, entrants


def check_progress(step: Step, target: Integers) -> None:
    """Raise `RaceError` for an idle round that would change nothing and repeat for ever."""
    if step.keep >= len(target) and not (step.upto > target).any():
        raise RaceError(
            f"the schedule asks for a round that trains nothing and removes none of {len(target)} "
            "candidates; a schedule must end or go on"
        )
