"""Plan: which race is worth its price for this study? A small pilot, then simulated races.

Advised is one of the races that nothing beats in both price and outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np

from surefoot.candidates.base import Candidate
from surefoot.checks import count, not_negative
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError
from surefoot.executors.opening import open_executor
from surefoot.racing import Default, Schedule, Setup
from surefoot.racing.parts import shown
from surefoot.racing.registry import registered
from surefoot.racing.simulation.planner import Forecast, Scenario, Spread, simulate
from surefoot.seeds.ledger import Role, study_generator
from surefoot.showing import Shown
from surefoot.studies.options import (
    RaceOptions,
    RunOptions,
    SelectOptions,
    TrainingOptions,
    lists_options,
    prepare,
)
from surefoot.studies.plan.pilot import PilotRecord, pilot_study
from surefoot.studies.select.study import SelectStudy

ACCEPTED_REGRET = 0.005
"""Regret that is accepted unless told otherwise: less than certificates of a few dozen can see."""
OWN = "yours"


@dataclass(frozen=True, kw_only=True)
class Choice(Scenario):
    """A race that could be run, its candidates named by their numbers.

    ``changes`` says what it changes in the study file's ``[race]``.
    """

    name: str
    changes: tuple[str, ...] = ()

    @property
    def own(self) -> bool:
        """Whether it is the study file's race, or that with a single change."""
        return self.name.startswith(OWN)

    def scenario(self, races: int) -> Choice:
        """Return it as the planner simulates it, in at most so many populations."""
        return replace(self, races=max(min(races, 10), races // self.race.rule.slowness))


def choices(study: SelectStudy) -> list[Choice]:
    """Return the races worth comparing for a selection, the study's own first.

    The study's screen, pairing and limit hold for all but those that say otherwise. What its race
    is compared with counts instances; where the study counts something else, its limit does not
    hold for them.
    """
    numbers = tuple(f"{number:08d}" for number in range(len(study.candidates)))
    own = Choice(replace(study.race, keys=numbers), study.paired, name=OWN)
    others = list(_others(own))
    same = next((other for other in others if other.race == own.race), None)
    if same is not None:
        own = replace(own, name=f"{OWN} ({same.name})")
        others.remove(same)
    return [own, *_variants(own), *others]


def _others(own: Choice) -> Iterator[Choice]:
    """Yield what each schedule offers for so many candidates, where it can judge the criterion."""
    race = replace(own.race, rungs=None)
    off = () if own.race.rungs is None else ('rungs = "none"',)
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
            lines = (*_lines(schedule), *spend, *unit)
            yield replace(own, name=name, race=offered, changes=(*lines, *off))
            if isinstance(schedule, Default) and limit == race.limit:
                yield from _climbing(replace(own, name=name, race=offered, changes=lines), schedule)


def _climbing(choice: Choice, schedule: Schedule) -> Iterator[Choice]:
    """Yield a race with the rungs that state their risk, where they can learn from some of so many.

    How often curves cross is more than a pilot of a few candidates can tell, so it does not speak
    for rungs that leave the risk open.
    """
    for name, kind in registered("rungs").items():
        race, part = choice.race.changed(schedule=schedule, rule=None, rungs=kind()), kind()
        stated = part.stated_risk is not None
        if stated and part.at(race.epochs) and race.climbs:
            lines = (*choice.changes, f'rungs = "{name}"')
            yield replace(choice, name=f"{choice.name}, {name} rungs", race=race, changes=lines)


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
        return replace(own, name=f"{OWN}, {what}", race=race.changed(**rules), changes=(line,))

    if race.screen is not None:
        yield change("no screen", "screen = false", screen=None)
        if race.screen.margin == "none":
            noise = replace(race.screen, margin="noise")
            yield change("noise margin", 'screen_margin = "noise"', screen=noise)
    if race.rungs is not None:
        yield change("no rungs", 'rungs = "none"', rungs=None)
    if not race.rule.fixed and race.schedule.own_rule is None:
        yield change("by rank", 'rule = "rank"', rule="rank")
    if not own.paired:
        yield replace(change("paired", "paired = true"), paired=True)


@dataclass(frozen=True)
class PlanRow:
    """A race, what it is expected to do, and the seconds it takes on all workers."""

    choice: Choice
    forecast: Forecast
    seconds: float

    @property
    def risk(self) -> float:
        """The probability that it ends without a winner that never diverges."""
        return self.forecast.lost + self.forecast.unstable

    @property
    def price(self) -> tuple[float, float, float]:
        """Seconds, regret and risk: the less of each, the better."""
        regret = self.forecast.regret
        return self.seconds, np.inf if np.isnan(regret) else regret, self.risk


def plan_races(
    study: SelectStudy,
    pilot: PilotRecord,
    workers: int,
    *,
    races: int = 100,
    each: Callable[[], None] | None = None,
    spread: Spread = map,
) -> list[PlanRow]:
    """Simulate every choice on populations like the pilot's, as many candidates as the study's.

    ``races`` populations are made, the same for all races; ``each`` is called after each, and
    ``spread`` is the map that simulates them. A race by swaps runs in fewer, as `Forecast.races`
    says. The rows are in the order of their price.

    Raises `ConfigurationError` if the pilot is too small, has no baseline for the study's screen,
    or nobody wins a race.
    """
    count(1, races=races)
    if study.screen is not None and not np.isfinite(pilot.baseline).any():
        raise ConfigurationError(
            "the study has a screen, but the pilot holds no loss of its baseline: train a pilot "
            "of this study, or set screen = false"
        )
    compared = {
        choice.name: choice
        for choice in choices(study)
        if choice.race.rungs is None or choice.own or pilot.curves is not None
    }
    forecasts = simulate(
        pilot.pilot,
        len(study.candidates),
        {name: choice.scenario(races) for name, choice in compared.items()},
        rng=study_generator(study.seed, Role.STATISTICS, int(Role.PILOT)),
        races=races,
        each=each,
        spread=spread,
    )
    rows = [_row(compared[one.name], one, study, pilot, workers) for one in forecasts]
    return sorted(rows, key=lambda row: row.seconds)


def _row(
    choice: Choice, forecast: Forecast, study: SelectStudy, pilot: PilotRecord, workers: int
) -> PlanRow:
    seconds = forecast.costs["seconds"]
    if choice.race.screen is not None:
        assessed = 1 if choice.paired else len(study.candidates)
        seconds += pilot.baseline_seconds * assessed
    return PlanRow(choice, forecast, seconds / workers)


@dataclass(frozen=True)
class Advice:
    """The race to take and why, in words."""

    row: PlanRow
    reason: str


def efficient(rows: Sequence[PlanRow]) -> list[PlanRow]:
    """Return the rows than which no other costs less, regrets less and risks less."""
    prices = np.array([row.price for row in rows])
    return [
        row
        for row, one in zip(rows, prices, strict=True)
        if not ((prices <= one).all(axis=1) & (prices < one).any(axis=1)).any()
    ]


def advise(rows: Sequence[PlanRow], regret: float = ACCEPTED_REGRET) -> Advice:
    """Return the cheapest race whose expected regret is at most ``regret``.

    Of those within 2 % of the least risk; its regret plus one standard error counts. If no race
    gets as far, it is the one of the least regret.
    """
    least, accepted = min(row.risk for row in rows), f"{100.0 * regret:.3g} %"
    safe = [row for row in efficient(rows) if row.risk <= least + 0.02]

    def uncertain(one: Forecast) -> float:
        return one.regret + float(np.nan_to_num(one.regret_error))

    good = [row for row in safe if uncertain(row.forecast) <= regret]
    if good:
        row = min(good, key=lambda one: one.seconds)
        return Advice(row, f"the cheapest whose expected regret stays below {accepted}")
    row = min(safe, key=lambda one: (one.forecast.regret, one.seconds))
    return Advice(row, f"the one that regrets least; none stays below {accepted}")


@dataclass(frozen=True, repr=False)
class RacePlan(Shown):
    """What races would cost and find: ``rows`` by price, the ``advice`` and the ``pilot``."""

    rows: tuple[PlanRow, ...]
    advice: Advice
    pilot: PilotRecord

    def __str__(self) -> str:
        head = f"{'race':<24}{'trainings':>10}{'minutes':>9}{'p(best)':>9}{'regret':>9}"
        lines = [
            f"{row.choice.name:<24}{row.forecast.trainings:>10,.0f}{row.seconds / 60.0:>9.1f}"
            f"{row.forecast.p_best:>9.2f}{row.forecast.regret:>9.2%}"
            for row in self.rows
        ]
        return "\n".join(
            [head, *lines, f"take {self.advice.row.choice.name}: {self.advice.reason}"]
        )


@lists_options(TrainingOptions, RaceOptions, RunOptions, SelectOptions, used_by=SelectStudy)
def plan(
    candidates: Iterable[Candidate],
    population: Population,
    *,
    size: int = 16,
    n: int = 4,
    races: int = 100,
    regret: float = ACCEPTED_REGRET,
    **options: Unpack[SelectOptions],
) -> RacePlan:
    """Train a small pilot and simulate what races would cost and how well they would choose.

    The rules given are those of the race that others are compared with; the journal is the pilot's.

    Parameters
    ----------
    candidates, population
        As for `select`.
    size, n
        Candidates of the pilot and instances of each.
    races
        Simulated races of each kind.
    regret
        Expected share by which the winner may lose more than the best.
    **options

    Raises
    ------
    ConfigurationError
        If there are too few candidates or instances for a pilot.
    JournalMismatchError, EngineError
        As for `select`.

    Examples
    --------
    >>> import surefoot
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> networks = surefoot.SearchSpace.product(
    ...     surefoot.convnet,
    ...     channels=[[2], [3]],
    ...     learning_rate=[1e-3, 3e-3, 1e-2, 3e-2],
    ... )
    >>> found = surefoot.plan(
    ...     networks, photons, loss="relative_rmse", n=3, races=5,
    ...     sampling=surefoot.Sampling(200, test_size=200),
    ...     stopping=surefoot.Stopping(max_epochs=2, reading="none"),
    ... )
    >>> len(found.pilot.table.keys), found.advice.row in found.rows
    (8, True)
    """
    study, run = prepare(SelectStudy, population, options, candidates=candidates)
    count(1, races=races)
    not_negative(regret=regret)
    executor, workers = run.pop("executor", None), run.pop("workers", None)
    with open_executor(executor, workers, study.engine) as opened:
        pilot = pilot_study(study, size, n).run(executor=opened, **run)
        rows = plan_races(study, pilot, opened.workers, races=races)
    return RacePlan(tuple(rows), advise(rows, regret), pilot)
