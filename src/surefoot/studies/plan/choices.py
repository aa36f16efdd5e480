"""The races worth comparing for a selection, in words and as lines of a study file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from surefoot.racing.criteria import Max
from surefoot.racing.prediction.mixed_model import ByPrediction
from surefoot.racing.race import Race
from surefoot.racing.rules.base import ByRank, EliminationRule
from surefoot.racing.rules.by_interval import BySwaps
from surefoot.racing.rules.exact_max import ByMax, ExactMax
from surefoot.racing.schedules.base import FlatBudget, Halving, Schedule
from surefoot.racing.schedules.closest import Closest
from surefoot.racing.schedules.default import default_schedule, within
from surefoot.racing.simulation.planner import Contest
from surefoot.studies.description import Cost
from surefoot.studies.select.study import SelectStudy

OWN = "yours"
TIMES = (0.5, 1.0, 2.0, 4.0)
"""Budgets of the default schedule, as multiples of the study's limit or of its own."""
SLOW = 10
"""A race by swaps takes seconds: it is simulated in so many times fewer populations."""


@dataclass(frozen=True)
class Choice:
    """A race that could be run, its candidates named by their numbers.

    ``cost`` is what its budgets and its limit count, ``paired`` whether its draws are, ``changes``
    what it changes in the study file's ``[race]``.
    """

    name: str
    race: Race
    cost: Cost
    paired: bool
    changes: tuple[str, ...] = ()

    @property
    def own(self) -> bool:
        """Whether it is the study file's race, or that with a single change."""
        return self.name.startswith(OWN)

    @property
    def words(self) -> str:
        """Its schedule in a few words."""
        return in_words(self.race.schedule)

    def contest(self, races: int) -> Contest:
        """Return it as the planner simulates it, in at most so many populations."""
        rule = self.race.rule
        few = max(min(races, 10), races // SLOW) if isinstance(rule, BySwaps) else races
        return Contest(self.race, self.cost, self.paired, few)


def choices(study: SelectStudy) -> list[Choice]:
    """Return the races worth comparing for a selection, the study's own first.

    The study's screen, pairing and limit hold for all but those that say otherwise. What its race
    is compared with counts instances; where the study counts something else, its limit does not
    hold for them.
    """
    numbers = tuple(f"{number:08d}" for number in range(len(study.candidates)))
    own = Choice(OWN, replace(study.race, keys=numbers), study.cost, study.paired)
    others = _others(own, study)
    same = next((other for other in others if _alike(own, other)), None)
    if same is not None:
        own = replace(own, name=f"{OWN} ({same.name})")
        others.remove(same)
    return [own, *_variants(own), *others]


def _others(own: Choice, study: SelectStudy) -> list[Choice]:
    """Return the races that suit the number of candidates; the default with several budgets."""
    n, limit = len(study.candidates), own.race.limit
    unit: tuple[str, ...] = ()
    if own.cost != "instances":
        limit, unit = None, ('cost = "instances"',)
    found = []

    def offer(
        name: str, schedule: Schedule, rule: EliminationRule, limit: float | None, *lines: str
    ) -> None:
        race = replace(own.race, schedule=schedule, rule=rule, limit=limit, most=None)
        spend = () if limit is None else (f"limit = {limit:.12g}",)
        found.append(Choice(name, race, "instances", own.paired, (*lines, *spend, *unit)))

    needs = study.statistic.needs
    schedule = default_schedule(n, needs=needs)
    default = Race(own.race.keys, study.statistic, schedule, rule=ByPrediction())
    usual = within(limit, n) or sum(one.trainings for one in default.plan())
    for times in TIMES:
        budget = int(times * usual)
        if budget < n or (limit is not None and budget > limit):
            continue
        name = "default" if times == 1.0 else f"default x {times:g}"
        top = limit if times == 1.0 else float(budget)
        schedule = default_schedule(n, within(top, n), needs=needs)
        offer(name, schedule, ByPrediction(), top, 'schedule = "default"')
    halving, flat = 'schedule = "halving"', 'schedule = "flat_budget"'
    lean, rich = max(32, n // 16), max(128, n // 2)
    offer("paper", Halving(), ByRank(), limit, halving)
    offer("paper, warm-up 5", Halving(warmup=5), ByRank(), limit, halving, "warmup = 5")
    for name, budget, cap in (("flat, lean", lean, 32), ("flat, rich", rich, 64)):
        lines = (flat, f"budget = {budget}", f"cap = {cap}")
        offer(name, FlatBudget(budget, cap), ByRank(), limit, *lines)
    if isinstance(study.statistic, Max):
        offer("exact max", ExactMax(32), ByMax(32), limit, 'schedule = "exact_max"')
    return found


def _variants(own: Choice) -> list[Choice]:
    """Return the study's own race with its screen, its rule or its unpaired draws changed."""
    race, found = own.race, []

    def change(what: str, line: str, **fields: Any) -> None:
        changed = replace(race, **fields)
        found.append(Choice(f"{OWN}, {what}", changed, own.cost, own.paired, (line,)))

    if race.screen is not None:
        change("no screen", "screen = false", screen=None)
        if race.screen.margin == "none":
            noise = replace(race.screen, margin="noise")
            change("noise margin", 'screen_margin = "noise"', screen=noise)
    if not race.rule.fixed and not isinstance(race.rule, ByMax):
        change("by rank", 'rule = "rank"', rule=ByRank(), most=None)
    if not own.paired:
        paired = Choice(f"{OWN}, paired", race, own.cost, True, ("paired = true",))
        found.append(paired)
    return found


def _alike(one: Choice, other: Choice) -> bool:
    return (one.race, one.cost) == (other.race, other.cost)


def in_words(schedule: Schedule) -> str:
    """Return a schedule in a few words.

    >>> in_words(Halving(warmup=5))
    'half leave after each instance, from the 5th on'
    """
    match schedule:
        case Halving():
            gone = "half" if schedule.keep == 0.5 else f"{1.0 - schedule.keep:.0%}"
            more = "instance" if schedule.per_round == 1 else f"{schedule.per_round} instances"
            start = f", from the {schedule.warmup}th on" if schedule.warmup > 1 else ""
            return f"{gone} leave after each {more}{start}"
        case FlatBudget():
            return f"rounds of about {schedule.budget:,.0f} trainings, {schedule.keep:.0%} stay"
        case Closest():
            return "those closest to the leader train on"
        case ExactMax():
            return f"out as soon as one loss exceeds the best maximum of {schedule.complete}"
    parts = getattr(schedule, "parts", ())
    if parts:
        return f"{in_words(parts[0])}, then the last {getattr(parts[0], 'finalists', 1)} in pairs"
    return type(schedule).__name__
