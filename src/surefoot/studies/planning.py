"""Plan: which schedule is worth its price for this study? A small pilot, then simulated races."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from surefoot.candidates.base import Candidate
from surefoot.engines.base import Instance, Outcome
from surefoot.errors import JournalError, RaceError
from surefoot.executors.base import Executor
from surefoot.journal import Journal
from surefoot.journal_schema import differences
from surefoot.racing.criteria import Max
from surefoot.racing.elimination import ByRank, EliminationRule
from surefoot.racing.exact_max import ByMax, ExactMax
from surefoot.racing.planner import FEWEST_CANDIDATES, FEWEST_INSTANCES, Forecast, Pilot, simulate
from surefoot.racing.schedule import FlatBudget, Halving, Schedule
from surefoot.racing.table import LossTable
from surefoot.racing.toptwo import default_schedule
from surefoot.seeds import Role, study_generator
from surefoot.studies.description import describe_setting
from surefoot.studies.runner import missing, train_missing
from surefoot.studies.study import SelectStudy, Study

OWN = "as the study file"


@dataclass(frozen=True, kw_only=True, eq=False)
class PilotStudy(Study):
    """How do candidates of this kind differ, and how noisy are they?

    ``size`` of the candidates, chosen by the study's seed, are trained. The journal's description
    holds neither size nor number of instances: a larger pilot goes on in the same journal.
    """

    candidates: tuple[Candidate, ...]
    size: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size < FEWEST_CANDIDATES:
            raise RaceError(
                f"a pilot of {self.size} candidates says too little: give {FEWEST_CANDIDATES} or "
                "more"
            )
        if len(self.candidates) < FEWEST_CANDIDATES:
            raise RaceError(
                f"a study of {len(self.candidates)} candidates needs no plan; planning takes at "
                f"least {FEWEST_CANDIDATES}"
            )

    @cached_property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidates of the pilot."""
        order = study_generator(self.seed, Role.PILOT).permutation(len(self.candidates))
        return tuple(self.candidates[place] for place in order[: self.size])

    def rules(self) -> dict[str, Any]:
        """Return the candidates it is taken from."""
        return {
            "kind": "pilot",
            "candidates": [candidate.key for candidate in self.candidates],
            "paired": True,
        }

    def instances(self, n: int) -> list[Instance]:
        """Return ``n`` instances of every candidate of the pilot."""
        return [
            self.instance(candidate.key, Role.PILOT, number)
            for number in range(n)
            for candidate in self.everyone
        ]


@dataclass(frozen=True)
class Measured:
    """A pilot's losses and the mean seconds of one training, on one core.

    ``setting`` describes the data, draws, loss and stopping rule it was trained with.
    """

    table: LossTable
    seconds: float
    role: Role
    setting: Mapping[str, Any] = field(default_factory=dict)

    def differences(self, study: SelectStudy) -> list[str]:
        """Return how its setting differs from a study's, as ``what: there -> here``."""
        ours = describe_setting(study.setting)
        return list(differences({name: self.setting.get(name) for name in ours}, ours))


@dataclass(frozen=True)
class PlanRow:
    """A schedule, what it is expected to do, and the seconds it takes on all workers."""

    name: str
    words: str
    forecast: Forecast
    seconds: float


def pilot_study(study: SelectStudy, size: int = 16) -> PilotStudy:
    """Return the pilot of a selection."""
    return PilotStudy(
        setting=study.setting,
        seed=study.seed,
        engine=study.engine,
        candidates=study.candidates,
        size=size,
    )


def train_pilot(
    study: PilotStudy,
    n: int,
    journal: Journal,
    executor: Executor,
    each: Callable[[Outcome], None] | None = None,
    *,
    retry_failed: bool = False,
) -> Measured:
    """Run or resume a pilot of ``n`` instances; ``each`` is told every new outcome.

    Raises
    ------
    RaceError
        If ``n`` is too small.
    JournalMismatchError
        If the journal is of another study.
    EngineError
        If no engine trains a candidate.
    KeyboardInterrupt
        On Ctrl-C, once everything finished is recorded.
    """
    if n < FEWEST_INSTANCES:
        raise RaceError(
            f"a pilot of {n} instances each shows no noise: give {FEWEST_INSTANCES} or more"
        )
    study.check(journal, executor.engine)
    retry = journal.failed(Role.PILOT) if retry_failed else set()
    left = list(missing(study.instances(n), study.setting, journal, retry))
    train_missing(left, study.setting, journal, executor, retry=retry, each=each)
    return measured(journal)


def measured(journal: Journal) -> Measured:
    """Return the losses of a pilot, or the racing losses of a selection's journal.

    Raises
    ------
    JournalError
        If the journal holds neither.
    """
    for role in (Role.PILOT, Role.RACE):
        known = journal.measures(role)
        keys = set(journal.study["candidates"])
        rows = [(m.candidate, m.instance, m.loss) for m in known if m.candidate in keys]
        if rows:
            seconds = float(np.mean([m.seconds for m in known if m.candidate in keys]))
            return Measured(LossTable.from_outcomes(rows), seconds, role, journal.study)
    raise JournalError(
        f"the journal of kind {journal.study.get('kind')!r} holds no racing or pilot instance to "
        "plan from"
    )


def choices(study: SelectStudy) -> dict[str, tuple[Schedule, EliminationRule]]:
    """Return the schedules worth comparing for a selection, by name, the study's own first."""
    n = len(study.candidates)
    known: dict[str, tuple[Schedule, EliminationRule]] = {
        "default": (default_schedule(n), ByRank()),
        "paper": (Halving(), ByRank()),
        "paper, warm-up 5": (Halving(warmup=5), ByRank()),
        "flat, lean": (FlatBudget(max(32.0, n / 16), cap=32), ByRank()),
        "flat, rich": (FlatBudget(max(128.0, n / 2), cap=64), ByRank()),
    }
    if isinstance(study.statistic, Max):
        known["exact max"] = (ExactMax(32), ByMax(32))
    own = (study.schedule, study.rule)
    same = [name for name, choice in known.items() if choice == own]
    if same:
        return {f"{OWN} ({same[0]})": own} | {
            name: choice for name, choice in known.items() if name != same[0]
        }
    simulable = study.rule.fixed and study.cost == "instances" and study.limit is None
    return {OWN: own, **known} if simulable else known


def plan_races(
    study: SelectStudy,
    pilot: Measured,
    workers: int,
    *,
    races: int = 100,
    each: Callable[[], None] | None = None,
) -> list[PlanRow]:
    """Simulate every schedule on populations like the pilot's, as many candidates as the study's.

    ``races`` populations are made, the same for all schedules; ``each`` is called after each.
    Screens are not simulated. Raises `RaceError` if the pilot is too small.
    """
    if races < 1:
        raise RaceError(f"races = {races} simulate nothing: give at least 1")
    compared = choices(study)
    forecasts = simulate(
        Pilot.of(pilot.table),
        len(study.candidates),
        {name: schedule for name, (schedule, _) in compared.items()},
        rng=study_generator(study.seed, Role.STATISTICS, int(Role.PILOT)),
        criterion=study.statistic,
        rules={name: rule for name, (_, rule) in compared.items()},
        races=races,
        each=each,
    )
    return [
        PlanRow(
            one.name,
            in_words(compared[one.name][0]),
            one,
            one.trainings * pilot.seconds / workers,
        )
        for one in forecasts
    ]


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
