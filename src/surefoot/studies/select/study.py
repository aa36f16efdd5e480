"""Select: which of these candidates is the most robust? A race, then the winner's certificate.

The race is a replay of the journal: its state follows from the outcomes recorded, and it trains
what that state lacks, until nothing is lacking. A study killed at any moment therefore goes on
where it was, with the same winner and the same losses as if it had never stopped.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Unpack

from surefoot import checks
from surefoot.candidates.base import Candidate
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError, EngineError, nearest
from surefoot.instances import Instance
from surefoot.journal import identity
from surefoot.journal.descriptions import canonical
from surefoot.racing import Criterion, EliminationRule, Race, RaceState, Rungs, Schedule, Screen
from surefoot.racing.parts import MOST_INSTANCES
from surefoot.racing.race import Cost
from surefoot.seeds.ledger import Role
from surefoot.studies.base import Run, Study, checkpointing, with_baseline
from surefoot.studies.description import RaceDescription, recipes_of, shortest
from surefoot.studies.options import (
    RaceOptions,
    RunOptions,
    SelectOptions,
    TrainingOptions,
    ask,
    lists_options,
)
from surefoot.studies.race_record import RaceRecord, recorded
from surefoot.studies.select.selection import Selection
from surefoot.studies.troubles import explained


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectStudy(Study[Selection]):
    """Which of these candidates is the most robust?

    Study files, `select` and `RobustSelector` all make one of these, so all have its defaults; the
    fields are the parameters of `select`.

    Raises
    ------
    ConfigurationError
        If no candidate is given, one is given twice, or a screen lacks its baseline.
    """

    candidates: tuple[Candidate, ...]
    criterion: Criterion | str = "mean"
    schedule: Schedule | str | None = None
    screen: Screen | float | None = None
    rungs: Rungs | str | None = None
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
        checks.count(0, certify=self.certify)
        checks.at_least(1, most=MOST_INSTANCES, max_instances=self.max_instances)
        checks.share(content=self.content, confidence=self.confidence)
        checks.of_kind("true or false", bool, paired=self.paired)
        checks.of_kind("a field's name", str, certify_best_of=self.certify_best_of)
        if self.screen is not None and self.baseline is None:
            raise ConfigurationError(
                "a screen compares with a baseline, but the study has none: give a baseline "
                "or leave the screen out"
            )
        self.race.check_limit()
        self.groups(self.candidates)

    @cached_property
    def race(self) -> Race:
        """The rules of the race."""
        keys = (candidate.key for candidate in self.candidates)
        described = ((one.family, one.spec()) for one in self.candidates)
        recipes = () if self.rungs is None else recipes_of(described)
        epochs = shortest(self.setting.stopping)
        return Race.of(keys, self, epochs=epochs, recipes=recipes)

    @property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidates and the baseline."""
        return with_baseline(self.candidates, self.baseline)

    @cached_property
    def description(self) -> RaceDescription:
        """The candidates and the rules of race and certificate."""
        return self.described(RaceDescription, "select", self.candidates, **vars(self.race))

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

    def answer(self, run: Run) -> Selection:
        """Race, certify the winner and return both.

        Raises `RaceError` if every candidate is screened out (the message says by how much the best
        missed the bar), or all diverge or fail (and why the first failed).
        """
        run.watch.started(len(self.candidates), run.journal.count())
        with checkpointing(run, self) if self.rungs is not None else nullcontext(run) as run:
            record, state = self._race(run)
        for candidate in self.groups(self.known[key] for key in state.ranking):
            fresh = (self.instance(candidate.key, Role.CERTIFY, n) for n in range(self.certify))
            if left := run.missing(fresh):
                run.watch.certifying(candidate, len(left))
                run.train(left)
        selection = Selection.of(run.journal, record, state, self)
        run.watch.finished(selection)
        return selection

    def _race(self, run: Run) -> tuple[RaceRecord, RaceState]:
        record = RaceRecord(self.description, self.race)
        record.add(m for m in recorded(run.journal, self.race) if identity(m) not in run.retry)
        told = 0
        while True:
            with explained(run.journal, Role.RACE):
                state = record.state()
            for finished in state.rounds[told:]:
                run.watch.round_finished(finished)
            told = len(state.rounds)
            if state.over or state.current is None:
                return record, state
            todo = self._instances(record, state)
            run.watch.round_started(state.current, len(todo))
            new = run.train(todo)
            if not new:
                raise EngineError(f"the executor left no outcome of {len(todo)} instances to train")
            record.add(new)

    def _instances(self, record: RaceRecord, state: RaceState) -> list[Instance]:
        """Return what the race waits for, long trainings first so that no core idles at the end."""
        pairs = dict.fromkeys(state.need)
        key = self.description.baseline
        if key is not None:
            pairs |= dict.fromkeys((key, number) for number in record.baseline_needs(state))
        instances = [
            replace(self.instance(key, Role.RACE, number), until=state.until)
            for key, number in pairs
        ]
        return sorted(instances, key=lambda one: -getattr(one.candidate, "flops", 0))


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
        Fresh instances of the winner, 0 for none, and what they are to promise.
    certify_best_of
        Name of a field of the candidates' `spec`, such as ``side``: the best candidate of each of
        its values is certified, not only the winner. "" for the winner alone.
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
    return ask(SelectStudy, **locals())
