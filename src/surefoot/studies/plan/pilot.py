"""The pilot of a plan: how candidates differ and how noisy they are, from a few trainings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from surefoot.candidates.base import Candidate
from surefoot.checks import count
from surefoot.errors import ConfigurationError, JournalError
from surefoot.instances import Instance
from surefoot.journal import Journal
from surefoot.racing.simulation.pilot import FEWEST_CANDIDATES, FEWEST_INSTANCES, Pilot
from surefoot.racing.table import Floats, LossTable
from surefoot.seeds.ledger import Role, study_generator
from surefoot.studies.base import FixedStudy, with_baseline
from surefoot.studies.description import (
    Description,
    PilotDescription,
    RaceDescription,
    baseline_place,
)
from surefoot.studies.select.study import SelectStudy

NO_LOSSES: Floats = np.empty(0)
WITH_CURVES = 4
"""First instances of each candidate whose curves are simulated."""


@dataclass(frozen=True, eq=False)
class PilotRecord:
    """What a pilot measured: its losses, and what an instance costs.

    ``costs`` are the mean ``seconds`` (on one core) and example-``visits`` of an instance of each
    candidate of the table; ``baseline`` holds the baseline's losses, empty without any, and
    ``baseline_seconds`` their mean time; ``curves`` ``[candidates, instances, epochs]`` are the
    losses after each epoch of the first instances, the last one going on where a training ended.
    ``source`` describes the study they are from.
    """

    table: LossTable
    costs: Mapping[str, Floats]
    role: Role
    baseline: Floats = field(default_factory=lambda: NO_LOSSES)
    baseline_seconds: float = 0.0
    source: Description | None = None
    curves: Floats | None = None

    @property
    def seconds(self) -> float:
        """Mean seconds of one training on one core."""
        return float(np.average(self.costs["seconds"], weights=self.table.counts()))

    @cached_property
    def pilot(self) -> Pilot:
        """What it says about the population; `ConfigurationError` if it is too small."""
        baseline = self.baseline if self.baseline.size else None
        costs = dict(self.costs)
        return Pilot.of(self.table, costs=costs, baseline=baseline, curves=self.curves)

    def differences(self, study: SelectStudy) -> list[str]:
        """Return how its setting differs from a study's, as ``what: there -> here``."""
        return [] if self.source is None else self.source.mismatches(study.setting)


@dataclass(frozen=True, kw_only=True, eq=False)
class PilotStudy(FixedStudy[PilotRecord]):
    """How do candidates of this kind differ, and how noisy are they?

    ``n`` instances of ``size`` of the candidates, chosen by the study's seed, and of the baseline,
    if there is one, are trained on the same draws. The journal's description holds neither number:
    a larger pilot goes on in the same journal.
    """

    candidates: tuple[Candidate, ...]
    size: int = 16
    n: int = 4
    baseline: Candidate | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        count(0, size=self.size, n=self.n)
        if self.size < FEWEST_CANDIDATES:
            raise ConfigurationError(
                f"a pilot of {self.size} candidates says too little: give {FEWEST_CANDIDATES} or "
                "more"
            )
        if self.n < FEWEST_INSTANCES:
            raise ConfigurationError(
                f"a pilot of {self.n} instances each shows no noise: give {FEWEST_INSTANCES} or "
                "more"
            )
        if len(self.candidates) < FEWEST_CANDIDATES:
            raise ConfigurationError(
                f"a study of {len(self.candidates)} candidates needs no plan; planning takes at "
                f"least {FEWEST_CANDIDATES}"
            )

    @cached_property
    def chosen(self) -> tuple[Candidate, ...]:
        """The candidates of the pilot."""
        order = study_generator(self.seed, Role.PILOT).permutation(len(self.candidates))
        return tuple(self.candidates[place] for place in order[: self.size])

    @cached_property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidates of the pilot and the baseline."""
        return with_baseline(self.chosen, self.baseline)

    @cached_property
    def description(self) -> PilotDescription:
        """The candidates it is taken from, and the baseline if it has one."""
        return self.described(PilotDescription, "pilot", self.candidates)

    def instances(self) -> list[Instance]:
        """Return ``n`` instances of everyone."""
        return [
            self.instance(candidate.key, Role.PILOT, number)
            for number in range(self.n)
            for candidate in self.everyone
        ]

    def result(self, journal: Journal) -> PilotRecord:
        """Return what the pilot measured."""
        return recorded_pilot(journal)


def pilot_study(study: SelectStudy, size: int = 16, n: int = 4) -> PilotStudy:
    """Return the pilot of a selection."""
    return PilotStudy(
        setting=study.setting,
        seed=study.seed,
        engine=study.engine,
        name=study.name,
        candidates=study.candidates,
        baseline=study.baseline,
        size=size,
        n=n,
    )


def recorded_pilot(journal: Journal) -> PilotRecord:
    """Return what a pilot measured, or the racing instances of a selection's journal.

    Raises `JournalError` if the journal holds neither.
    """
    study = Description.read(journal.study)
    plannable = isinstance(study, PilotDescription | RaceDescription)
    for role in (Role.PILOT, Role.RACE) if plannable else ():
        known = journal.measures(role)
        place = {key: number for number, key in enumerate(study.candidates)}
        # An unpaired race has more of the baseline, on the draws of every candidate.
        rows = [m for m in known if m.candidate in place and baseline_place(m.instance)[0] < 0]
        # Outcomes are recorded as they end; what is simulated must not depend on who ended first.
        rows.sort(key=lambda m: (place[m.candidate], m.instance))
        base = [m for m in known if m.candidate == study.parts()["baseline"]]
        base.sort(key=lambda m: m.instance)
        if not rows:
            continue
        table = LossTable.from_outcomes((m.candidate, m.instance, m.loss) for m in rows)
        at = {key: number for number, key in enumerate(table.keys)}
        costs = {"seconds": np.zeros(len(at)), "visits": np.zeros(len(at))}
        for m in rows:
            costs["seconds"][at[m.candidate]] += m.seconds
            costs["visits"][at[m.candidate]] += m.sample * max(1, m.epochs)
        return PilotRecord(
            table,
            {unit: total / table.counts() for unit, total in costs.items()},
            role,
            np.array([m.loss for m in base]),
            float(np.mean([m.seconds for m in base])) if base else 0.0,
            study,
            _curves(journal, role, table),
        )
    raise JournalError(
        f"the journal of kind {study.kind!r} holds no racing or pilot instance to plan from"
    )


def _curves(journal: Journal, role: Role, table: LossTable) -> Floats:
    """Return the losses after each epoch of the first instances of a table's candidates."""
    place = {key: row for row, key in enumerate(table.keys)}
    found = [
        one
        for number in range(min(WITH_CURVES, table.instances))
        for one in journal.outcomes(role, instance=number)
        if one.candidate in place
    ]
    width = max((one.epochs for one in found), default=0)
    curves = np.full((len(place), table.instances, width), np.nan)
    for one in found:
        row = curves[place[one.candidate], one.instance]
        row[: one.epochs], row[one.epochs :] = one.curve, one.loss
    return curves
