"""The races worth comparing for a selection, in words and as lines of a study file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from surefoot.racing.by_interval import BySwaps
from surefoot.racing.criteria import Max
from surefoot.racing.elimination import ByRank, EliminationRule
from surefoot.racing.exact_max import ByMax, ExactMax
from surefoot.racing.planner import Contest
from surefoot.racing.prediction import ByPrediction
from surefoot.racing.race import Race
from surefoot.racing.schedule import FlatBudget, Halving, Schedule
from surefoot.racing.toptwo import default_schedule
from surefoot.studies.study import Cost, SelectStudy

OWN = "yours"
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

    The study's screen and pairing hold for all but those that say otherwise. The schedules that are
    compared with the study's count instances and remove by rank; where the study counts something
    else, its limit does not hold for them.
    """
    numbers = tuple(f"{number:08d}" for number in range(len(study.candidates)))
    own = Choice(OWN, replace(study.race, keys=numbers), study.cost, study.paired)
    others = [_other(own, *known) for known in _schedules(study)]
    same = next((other for other in others if _alike(own, other)), None)
    if same is not None:
        own = replace(own, name=f"{OWN} ({same.name})")
        others.remove(same)
    return [own, *_variants(own), *others]


def _schedules(
    study: SelectStudy,
) -> list[tuple[str, Schedule, EliminationRule, tuple[str, ...]]]:
    """Return name, schedule, rule and lines of the schedules that suit the number of candidates."""
    n, rank = len(study.candidates), ByRank()
    lean, rich = max(32, n // 16), max(128, n // 2)
    halving, flat = 'schedule = "halving"', 'schedule = "flat_budget"'
    known: list[tuple[str, Schedule, EliminationRule, tuple[str, ...]]] = [
        ("default", default_schedule(n), ByPrediction(), ('schedule = "default"',)),
        ("paper", Halving(), rank, (halving,)),
        ("paper, warm-up 5", Halving(warmup=5), rank, (halving, "warmup = 5")),
        ("flat, lean", FlatBudget(lean, 32), rank, (flat, f"budget = {lean}", "cap = 32")),
        ("flat, rich", FlatBudget(rich, 64), rank, (flat, f"budget = {rich}", "cap = 64")),
    ]
    if isinstance(study.statistic, Max):
        known.append(("exact max", ExactMax(32), ByMax(32), ('schedule = "exact_max"',)))
    return known


def _other(
    own: Choice, name: str, schedule: Schedule, rule: EliminationRule, lines: tuple[str, ...]
) -> Choice:
    limit = own.race.limit
    if own.cost != "instances":
        limit, lines = None, (*lines, 'cost = "instances"')
    if rule == ByRank() != own.race.rule:
        lines = (*lines, 'rule = "rank"')
    race = replace(own.race, schedule=schedule, rule=rule, limit=limit, most=None)
    return Choice(name, race, "instances", own.paired, lines)


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
        case ExactMax():
            return f"out as soon as one loss exceeds the best maximum of {schedule.complete}"
    parts = getattr(schedule, "parts", ())
    if parts:
        return f"{in_words(parts[0])}, then the last {getattr(parts[0], 'finalists', 1)} in pairs"
    return type(schedule).__name__
