"""Select: which of these candidates is the most robust? A race, then the winner's certificate.

The race is a replay of the journal: its state follows from the outcomes recorded, and it trains
what that state lacks, until nothing is lacking. A study killed at any moment therefore goes on
where it was, with the same winner and the same losses as if it had never stopped.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Unpack

from surefoot.candidates.base import Candidate
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError, EngineError, nearest
from surefoot.executors.base import Executor
from surefoot.instances import Instance
from surefoot.journal import Identity, Journal, identity
from surefoot.journal.descriptions import canonical
from surefoot.racing.criteria import Criterion
from surefoot.racing.race import Cost, Race
from surefoot.racing.rules.base import EliminationRule
from surefoot.racing.schedules.base import Schedule
from surefoot.racing.screen import Screen
from surefoot.racing.state import RaceState
from surefoot.seeds.ledger import Role
from surefoot.studies.base import Study
from surefoot.studies.description import RaceDescription
from surefoot.studies.options import (
    RaceOptions,
    Run,
    RunOptions,
    SelectOptions,
    TrainingOptions,
    lists_options,
    study_and_run,
)
from surefoot.studies.race_record import RaceRecord
from surefoot.studies.runner import missing, train_missing
from surefoot.studies.select.selection import Selection
from surefoot.studies.watch import Watcher


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectStudy(Study):
    """Which of these candidates is the most robust?

    Study files, `select` and `RobustSelector` all make one of these, so all have its defaults.

    Parameters
    ----------
    candidates
        Those that race, all different.
    criterion
        The statistic of losses that is compared, or its name.
    schedule, screen, rule, limit, max_instances
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
    schedule: Schedule | str | None = None
    screen: Screen | float | None = None
    rule: EliminationRule | str | None = None
    limit: float | None = None
    max_instances: int | None = None
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
            (candidate.key for candidate in self.candidates),
            self.criterion,
            self.schedule,
            self.screen,
            self.rule,
            self.limit,
            self.max_instances,
            self.cost,
        )

    @property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidates and the baseline."""
        if self.baseline is None or self.baseline.key in self.race.keys:
            return self.candidates
        return (*self.candidates, self.baseline)

    @cached_property
    def description(self) -> RaceDescription:
        """The candidates and the rules of race and certificate."""
        race = self.race
        return RaceDescription(
            kind="select",
            candidates=race.keys,
            criterion=race.criterion,
            schedule=race.schedule,
            screen=race.screen,
            rule=race.rule,
            limit=race.limit,
            max_instances=race.max_instances,
            baseline=None if self.baseline is None else self.baseline.key,
            paired=self.paired,
            cost=race.cost,
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

    def run(
        self,
        journal: Journal | str | os.PathLike[str] | None = None,
        *,
        workers: int | None = None,
        executor: Executor | None = None,
        watch: Watcher | None = None,
        retry_failed: bool = False,
    ) -> Selection:
        """Run or resume the selection.

        Parameters
        ----------
        journal
            The file that keeps every outcome, or the open journal of this study; None for memory
            only.
        workers, executor
            How many instances are trained at once, None for one per core; or where they run.
        watch
            Told of everything once it is recorded.
        retry_failed
            Train instances again that are recorded as failed, once, where the race needs them.

        Raises
        ------
        RaceError
            If every candidate is screened out (the message says by how much the best missed the
            bar), or all diverge.
        JournalMismatchError
            If the journal is of another study.
        EngineError
            If no engine trains a candidate.
        KeyboardInterrupt
            On Ctrl-C, once everything finished is recorded.
        """
        return _run(self, Run(journal, workers, executor, watch, retry_failed))


@lists_options(TrainingOptions, RaceOptions, RunOptions, SelectOptions, used_by=SelectStudy)
def select(
    candidates: Iterable[Candidate],
    population: Population,
    *,
    certify: int = 59,
    certify_best_of: str = "",
    content: float = 0.95,
    confidence: float = 0.95,
    **options: Unpack[SelectOptions],
) -> Selection:
    """Select the candidate that is most robust against retraining, and certify it.

    Parameters
    ----------
    candidates
        A `SearchSpace` or any iterable of candidates.
    population
        The data; a share of them only ever measures losses.
    certify, content, confidence
        Fresh instances of the winner, and what they are to promise.
    certify_best_of
        Name of a field such as ``side``: the best candidate of each of its values is certified.
    **options

    Returns
    -------
    Selection
        The winner, its certificate and where every candidate left.

    Raises
    ------
    ConfigurationError
        If there are no candidates, or the rules do not fit together.
    JournalMismatchError
        If the journal is of another study.
    EngineError
        If no engine trains a candidate.

    Examples
    --------
    >>> import surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> sums = surefoot.SearchSpace.product(ScaledSum, window=["full", "3x3"])
    >>> found = surefoot.select(sums, photons, loss="relative_rmse", sample_size=500, certify=5)
    >>> found.winner.label, len(found.certificate.losses)
    ('scaled sum', 5)
    """
    made, run = study_and_run(population, options)
    study = SelectStudy(
        candidates=tuple(candidates),
        certify=certify,
        certify_best_of=certify_best_of,
        content=content,
        confidence=confidence,
        **made,
    )
    return _run(study, run)


def _run(study: SelectStudy, run: Run) -> Selection:
    watch = run.watcher
    with run.opened(study) as (journal, executor):
        study.check(journal, executor.engine)
        retry = journal.failed() if run.retry_failed else set()
        watch.started(len(study.candidates), journal.count())
        record, state = _race(study, journal, executor, watch, retry)
        _certify(study, journal, executor, watch, retry, state)
        selection = Selection.of(journal, record, state, study)
    watch.finished(selection)
    return selection


def _race(
    study: SelectStudy,
    journal: Journal,
    executor: Executor,
    watch: Watcher,
    retry: set[Identity],
) -> tuple[RaceRecord, RaceState]:
    record = RaceRecord(study.description, study.race)
    record.add(m for m in journal.measures(Role.RACE) if identity(m) not in retry)
    told = 0
    while True:
        state = record.state()
        for finished in state.rounds[told:]:
            watch.round_finished(finished)
        told = len(state.rounds)
        if state.over or state.current is None:
            return record, state
        todo = _instances(study, record, state)
        watch.round_started(state.current, len(todo))
        new = train_missing(todo, study.setting, journal, executor, retry=retry, each=watch.outcome)
        if not new:
            raise EngineError(f"the executor left no outcome of {len(todo)} instances to train")
        record.add(new)


def _instances(study: SelectStudy, record: RaceRecord, state: RaceState) -> list[Instance]:
    """Return what the race waits for, long trainings first so that no core idles at the end."""
    pairs = dict.fromkeys(state.need)
    key = study.description.baseline
    if key is not None:
        pairs |= dict.fromkeys((key, number) for number in record.baseline_needs(state))
    instances = [study.instance(key, Role.RACE, number) for key, number in pairs]
    return sorted(instances, key=lambda one: -getattr(one.candidate, "flops", 0))


def _certify(
    study: SelectStudy,
    journal: Journal,
    executor: Executor,
    watch: Watcher,
    retry: set[Identity],
    state: RaceState,
) -> None:
    """Train the fresh instances of the winner and of the best of every other group."""
    for candidate in study.groups(study.known[key] for key in state.ranking):
        todo = [study.instance(candidate.key, Role.CERTIFY, n) for n in range(study.certify)]
        left = list(missing(todo, study.setting, journal, retry))
        if left:
            watch.certifying(candidate, len(left))
            train_missing(left, study.setting, journal, executor, retry=retry, each=watch.outcome)
