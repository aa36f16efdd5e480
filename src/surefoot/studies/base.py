"""The studies' questions: what is asked of which candidates, on which data, with which seed."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from surefoot.candidates.base import Candidate
from surefoot.engines.choose import AUTO, Chooser
from surefoot.errors import ConfigurationError, JournalMismatchError, nearest
from surefoot.instances import Instance, Setting
from surefoot.journal import Journal
from surefoot.journal.descriptions import canonical, mismatches
from surefoot.racing.criteria import Criterion, as_criterion
from surefoot.racing.race import Race
from surefoot.racing.rules.base import ByRank, EliminationRule
from surefoot.racing.schedules.base import Halving, Schedule
from surefoot.racing.screen import Screen
from surefoot.seeds.ledger import Role, check_study_seed
from surefoot.statistics.promise import Promise
from surefoot.studies.description import (
    AssessDescription,
    Cost,
    DescribedPromise,
    DescribedSetting,
    Description,
    RaceDescription,
)
from surefoot.studies.extension import extension_or_why_not


@dataclass(frozen=True, kw_only=True, eq=False)
class Study(ABC):
    """What every study shares.

    Parameters
    ----------
    setting
        Data, sampling, loss and stopping rule of all instances.
    seed
        Seed of the study, 0 … 2⁶⁴ − 1.
    engine
        Engine asked for; a journal holds the outcomes of one choice only.
    """

    setting: Setting
    seed: int = 0
    engine: str = AUTO

    def __post_init__(self) -> None:
        check_study_seed(self.seed)
        self.setting.halves.check(self.setting.sampling)

    @property
    @abstractmethod
    def everyone(self) -> tuple[Candidate, ...]:
        """Every candidate that may be trained, each once."""

    @cached_property
    @abstractmethod
    def description(self) -> Description:
        """Everything that decides results."""

    def common(self) -> dict[str, Any]:
        """Return the parts of its description that every kind of study has."""
        setting = DescribedSetting.of(self.setting).parts()
        return {"seed": self.seed, "engine": self.engine, **setting}

    @cached_property
    def known(self) -> dict[str, Candidate]:
        """`everyone` by key."""
        return {candidate.key: candidate for candidate in self.everyone}

    def instance(self, key: str, role: Role, number: int) -> Instance:
        """Return an instance of a candidate, with the luck that the study's seed gives it."""
        return Instance(self.known[key], self.description.instance_seed(key, role, number))

    def open(self, path: str | os.PathLike[str]) -> Journal:
        """Create or resume the study's journal, also that of a study which this one extends.

        Errors are those of `Journal.open`. It is noted where the population came from, if that is
        known.
        """
        origin = self.setting.halves.population.origin
        notes = {} if origin is None else {"population": dict(origin)}
        return Journal.open(
            path, self.description.json(), self.everyone, notes, extension_or_why_not
        )

    def check(self, journal: Journal, engine: str) -> None:
        """Check that journal and executor are this study's and every candidate has an engine.

        Raises
        ------
        JournalMismatchError
            If the journal is of another study.
        EngineError
            If the executor was made for another engine, or no engine trains a candidate.
        """
        if engine != self.engine:
            raise ConfigurationError(
                f"the study asks for engine {self.engine!r} but its executor for {engine!r}: "
                "make them agree"
            )
        found = mismatches(journal.study, self.description.json())
        if found:
            raise JournalMismatchError(
                "the journal given belongs to another study (journal -> now): "
                + "; ".join(found[:8])
            )
        chooser = Chooser(self.engine)
        for candidate in self.everyone:
            chooser.choose(candidate, self.setting)


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectStudy(Study):
    """Which of these candidates is the most robust?

    Parameters
    ----------
    candidates
        Those that race, all different.
    criterion
        The statistic of losses that is compared, or its name.
    schedule, screen, rule, limit, most
        Rules of the race; see `surefoot.racing.race.Race`.
    baseline
        Assessed on the candidates' draws, for the screen.
    paired
        Whether instance i shares its luck between candidates; false is the paper's.
    cost
        What schedule and limit count.
    certify
        Fresh instances of the winner for its certificate; 0 for none.
    certify_best_of
        Name of a field of the candidates' `spec`, such as ``side``: the best candidate of each of
        its values is certified, not only the winner. "" for the winner alone.
    content, confidence
        What the certificate is to promise.

    Raises
    ------
    ConfigurationError
        If no candidate is given, one is given twice, or a screen lacks its baseline.
    """

    candidates: tuple[Candidate, ...]
    criterion: Criterion | str = "mean"
    schedule: Schedule = field(default_factory=Halving)
    screen: Screen | None = None
    rule: EliminationRule = field(default_factory=ByRank)
    limit: float | None = None
    most: int | None = None
    baseline: Candidate | None = None
    paired: bool = True
    cost: Cost = "instances"
    certify: int = 59
    certify_best_of: str = ""
    content: float = 0.95
    confidence: float = 0.95

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "candidates", tuple(self.candidates))
        if self.certify < 0:
            raise ConfigurationError(f"certify = {self.certify} instances must not be negative")
        if self.screen is not None and self.baseline is None:
            raise ConfigurationError(
                "a screen compares with a baseline, but the study has none: give a baseline "
                "or leave the screen out"
            )
        _ = self.race
        self.groups(self.candidates)

    @cached_property
    def race(self) -> Race:
        """The rules of the race."""
        return Race(
            tuple(candidate.key for candidate in self.candidates),
            self.statistic,
            self.schedule,
            self.screen,
            self.rule,
            self.limit,
            self.most,
        )

    @cached_property
    def statistic(self) -> Criterion:
        """The criterion as an object."""
        return as_criterion(self.criterion)

    @property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidates and the baseline."""
        if self.baseline is None or self.baseline.key in {c.key for c in self.candidates}:
            return self.candidates
        return (*self.candidates, self.baseline)

    @cached_property
    def description(self) -> RaceDescription:
        """The candidates and the rules of race and certificate."""
        race = self.race
        return RaceDescription(
            kind="select",
            candidates=race.keys,
            criterion=self.statistic,
            schedule=race.schedule,
            screen=race.screen,
            rule=race.rule,
            limit=race.limit,
            most=race.most,
            baseline=None if self.baseline is None else self.baseline.key,
            paired=self.paired,
            cost=self.cost,
            certify=self.certify,
            certify_best_of=self.certify_best_of,
            content=self.content,
            confidence=self.confidence,
            **self.common(),
        )

    def groups(self, ranked: Iterable[Candidate]) -> tuple[Candidate, ...]:
        """Return the first candidate of every value of ``certify_best_of``, in the order given."""
        name = self.certify_best_of
        if not name:
            return tuple(ranked)[:1]
        first: dict[str, Candidate] = {}
        for candidate in ranked:
            spec = candidate.spec()
            if name not in spec:
                raise ConfigurationError(
                    f"certify_best_of = {name!r} is no field of {candidate.label}: "
                    + nearest(name, spec)
                )
            first.setdefault(canonical({name: spec[name]}), candidate)
        return tuple(first.values())


@dataclass(frozen=True, kw_only=True, eq=False)
class AssessStudy(Study):
    """How robust is this candidate? ``n`` fresh instances, their distribution and certificate.

    With a ``promise``, ``n``, ``content`` and ``confidence`` are the promise's, and fewer instances
    may do.
    """

    candidate: Candidate
    n: int = 59
    content: float = 0.95
    confidence: float = 0.95
    paired: bool = True
    promise: Promise | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.promise is not None:
            object.__setattr__(self, "n", self.promise.instances)
            object.__setattr__(self, "content", self.promise.content)
            object.__setattr__(self, "confidence", self.promise.confidence)
        if self.n < 1:
            raise ConfigurationError(
                f"n = {self.n} instances cannot assess anything: give at least 1"
            )

    @property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidate."""
        return (self.candidate,)

    def instances(self) -> list[Instance]:
        """Return its instances in their order."""
        return [self.instance(self.candidate.key, Role.ASSESS, number) for number in range(self.n)]

    @cached_property
    def description(self) -> AssessDescription:
        """The candidate and what its certificate is to promise."""
        promise, promised = self.promise, None
        if promise is not None:
            promised = DescribedPromise(promise.limit, promise.max_exceedances)
        return AssessDescription(
            kind="assess",
            candidates=(self.candidate.key,),
            paired=self.paired,
            n=self.n,
            content=self.content,
            confidence=self.confidence,
            promise=promised,
            **self.common(),
        )
