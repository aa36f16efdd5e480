"""The races worth comparing for a selection, in words and as lines of a study file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from surefoot.errors import ConfigurationError
from surefoot.racing.parts import shown
from surefoot.racing.race import Race
from surefoot.racing.registry import registered
from surefoot.racing.schedules.base import Schedule, Setup
from surefoot.racing.simulation.planner import Scenario
from surefoot.studies.select.study import SelectStudy

OWN = "yours"


@dataclass(frozen=True)
class Choice:
    """A race that could be run, its candidates named by their numbers.

    ``paired`` says whether its draws are, ``changes`` what it changes in the study file's
    ``[race]``.
    """

    name: str
    race: Race
    paired: bool
    changes: tuple[str, ...] = ()

    @property
    def own(self) -> bool:
        """Whether it is the study file's race, or that with a single change."""
        return self.name.startswith(OWN)

    def scenario(self, races: int) -> Scenario:
        """Return it as the planner simulates it, in at most so many populations."""
        slowness = self.race.rule.slowness
        return Scenario(self.race, self.paired, max(min(races, 10), races // slowness))


def choices(study: SelectStudy) -> list[Choice]:
    """Return the races worth comparing for a selection, the study's own first.

    The study's screen, pairing and limit hold for all but those that say otherwise. What its race
    is compared with counts instances; where the study counts something else, its limit does not
    hold for them.
    """
    numbers = tuple(f"{number:08d}" for number in range(len(study.candidates)))
    own = Choice(OWN, replace(study.race, keys=numbers), study.paired)
    others = list(_others(own))
    same = next((other for other in others if other.race == own.race), None)
    if same is not None:
        own = replace(own, name=f"{OWN} ({same.name})")
        others.remove(same)
    return [own, *_variants(own), *others]


def _others(own: Choice) -> Iterator[Choice]:
    """Yield what each schedule offers for so many candidates, where it can judge the criterion."""
    race = own.race
    unit: tuple[str, ...] = ()
    if race.cost != "instances":
        race, unit = replace(race, limit=None, cost="instances"), ('cost = "instances"',)
    for kind in registered("schedules").values():
        for name, schedule, limit in kind.variants(
            Setup(len(race.keys), race.criterion, race.limit)
        ):
            try:
                offered = race.changed(schedule=schedule, rule=None, limit=limit)
            except ConfigurationError:
                continue
            spend = () if limit is None else (f"limit = {limit:.12g}",)
            yield Choice(name, offered, own.paired, (*_lines(schedule), *spend, *unit))


def _lines(schedule: Schedule) -> Iterator[str]:
    """Yield a schedule as lines of a study file."""
    yield f'schedule = "{schedule.name}"'
    for key in schedule.parameters():
        value = getattr(schedule, key.name)
        if value != key.default:
            yield f"{key.name} = {shown(value)}"


def _variants(own: Choice) -> Iterator[Choice]:
    """Yield the study's own race with its screen, its rule or its unpaired draws changed."""
    race = own.race

    def change(what: str, line: str, **rules: Any) -> Choice:
        return Choice(f"{OWN}, {what}", race.changed(**rules), own.paired, (line,))

    if race.screen is not None:
        yield change("no screen", "screen = false", screen=None)
        if race.screen.margin == "none":
            noise = replace(race.screen, margin="noise")
            yield change("noise margin", 'screen_margin = "noise"', screen=noise)
    if not race.rule.fixed and race.schedule.own_rule is None:
        yield change("by rank", 'rule = "rank"', rule="rank")
    if not own.paired:
        yield Choice(f"{OWN}, paired", race, True, ("paired = true",))
