"""Search: Optuna proposes candidates of a space one after the other; the best is certified.

An architecture search (paper, appendix 7) inside the draws of every other study: instance i of a
candidate in a search is instance i of the same candidate in a race of the same seed, a trial costs
instances as a round of a race does, and the certificate's instances are those of the race's winner.
So what a search finds can be compared with what a race finds, at equal cost and on the same luck.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Unpack

import numpy as np

from surefoot.candidates.base import Candidate
from surefoot.checks import count, of_kind, share
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError, JournalError, StatisticsError
from surefoot.instances import Instance, Outcome
from surefoot.journal import Journal
from surefoot.racing import Criterion, as_criterion
from surefoot.seeds.ledger import Role, study_generator
from surefoot.studies.base import Run, Study, check_different, with_baseline
from surefoot.studies.description import SearchDescription
from surefoot.studies.options import RunOptions, TrainingOptions, ask, lists_options
from surefoot.studies.search.result import NOTE, Search, proposals, recorded_search
from surefoot.studies.search.samplers import Proposer, check_sampler
from surefoot.studies.search.space import Space
from surefoot.studies.troubles import explained
from surefoot.studies.watch import Watcher

PAPER_TRIALS = (120, 360)
"""Numbers of trials after which the paper took the best of its search."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchStudy(Study[Search]):
    """Which candidate does a sampler find with so many trials, and how good are its retrainings?

    ``trials`` may be several numbers: the best after each is certified. More trials are an
    extension; neither the earlier numbers nor the rival are part of the journal's description.
    """

    candidates: tuple[Candidate, ...]
    trials: int | Sequence[int] = PAPER_TRIALS[0]
    instances: int = 1
    sampler: str = "tpe"
    at_once: int = 1
    criterion: Criterion | str = "mean"
    rival: Candidate | None = None
    rival_trainings: int | None = None
    certify: int = 59
    content: float = 0.95
    confidence: float = 0.95

    def __post_init__(self) -> None:
        super().__post_init__()
        of_kind("a whole number, or a list of them", int, list, tuple, trials=self.trials)
        for number in self.after or (0,):
            count(1, trials=number)
        count(1, instances=self.instances, at_once=self.at_once)
        count(0, certify=self.certify)
        share(content=self.content, confidence=self.confidence)
        check_sampler(self.sampler)
        check_different(self.candidates, "search among")
        if len(self.candidates) < 2:
            raise ConfigurationError(
                f"a search needs two candidates or more, not {len(self.candidates)}"
            )
        if self.instances < (least := self.measured.needs):
            raise ConfigurationError(
                f"instances = {self.instances} of a trial give no {self.measured.name}: give "
                f"{least} or more"
            )

    @cached_property
    def after(self) -> tuple[int, ...]:
        """The numbers of trials after which the best is certified, ascending."""
        given = [self.trials] if isinstance(self.trials, int) else self.trials
        return tuple(sorted(set(given)))

    @property
    def measured(self) -> Criterion:
        """The criterion."""
        return as_criterion(self.criterion)

    @property
    def cost(self) -> int:
        """Trainings of all trials and certificates, at most: two bests may be one candidate."""
        certified = len(self.after) + (self.rival is not None)
        return self.after[-1] * self.instances + self.certify * certified

    @cached_property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidates, and the rival unless it is one of them."""
        return with_baseline(self.candidates, self.rival)

    @cached_property
    def description(self) -> SearchDescription:
        """The candidates, who proposes, and how trials and certificates are judged."""
        return self.described(
            SearchDescription,
            "search",
            self.candidates,
            trials=self.after[-1],
            criterion=self.measured,
        )

    def likely(self) -> list[Instance]:
        """Return as many instances as it costs, of candidates by chance, to estimate the time."""
        order = study_generator(self.seed, Role.SEARCH, self.after[-1])
        places = order.integers(len(self.candidates), size=self.cost).tolist()
        return [self.instance(self.candidates[place].key, Role.RACE, 0) for place in places]

    def asked(self) -> dict[str, Any]:
        """Return the numbers of trials whose best is certified, and the rival."""
        return {
            "after": list(self.after),
            "rival": None if self.rival is None else self.rival.key,
            "rival_trainings": self.rival_trainings,
        }

    def notes(self) -> dict[str, Any]:
        """Return what its journal is to note: also how many instances there are to be."""
        return {**super().notes(), "instances": self.cost}

    def answer(self, run: Run) -> Search:
        """Train the trials and the certificates that the journal lacks; return the search.

        Raises `JournalError` if the journal notes a proposal that is no candidate,
        `StatisticsError` if no trial has a finite value.
        """
        whole = replace(run, watch=_Outcomes(run.watch))
        run.watch.started(len(self.candidates), run.journal.count())
        run.watch.training(max(0, self.cost - run.journal.count()))
        self._try(whole)
        found = recorded_search(run.journal)
        with explained(run.journal, Role.RACE):
            if not np.isfinite(found.value(found.best)):
                raise StatisticsError(f"none of {len(found.trials):,} trials has a finite value")
        keys = {found.best_after(number) for number in found.steps}
        keys |= set() if self.rival is None else {self.rival.key}
        fresh = [
            self.instance(key, Role.CERTIFY, number)
            for key in sorted(keys)
            for number in range(self.certify)
        ]
        whole.train(fresh)
        run.journal.note({"instances": run.journal.count()})
        return recorded_search(run.journal)

    def _try(self, run: Run) -> None:
        """Train all trials, ``at_once`` of them between one proposal and the next."""
        place = {candidate.key: number for number, candidate in enumerate(self.candidates)}
        space = Space((one.family, one.spec()) for one in self.candidates)
        proposer = Proposer(space, self.sampler, self.seed)
        noted, had = proposals(run.journal), Counter[str]()
        if strange := set(noted) - set(place):
            raise JournalError(f"the journal notes a trial of {min(strange)}, no candidate of it")
        for first in range(0, self.after[-1], self.at_once):
            numbers = range(first, min(first + self.at_once, self.after[-1]))
            settled = [place[key] for key in noted[first : numbers.stop]]
            waiting = [*settled, *[None] * (len(numbers) - len(settled))]
            asked = [
                self.candidates[proposer.ask(number, known)].key
                for number, known in zip(numbers, waiting, strict=True)
            ]
            run.journal.note(
                {f"{NOTE}{n}": key for n, key in zip(numbers, asked, strict=True)}
                if len(settled) < len(numbers)
                else {}
            )
            upto = []
            for key in asked:
                had[key] += self.instances
                upto.append((key, had[key]))
            run.train(self._instances(dict(upto)))
            for number, (key, instances) in zip(numbers, upto, strict=True):
                proposer.tell(number, self._value(run.journal, key, instances))

    def _instances(self, upto: dict[str, int]) -> list[Instance]:
        """Return the instances of candidates up to a number of each."""
        return [
            self.instance(key, Role.RACE, number)
            for key, instances in upto.items()
            for number in range(instances)
        ]

    def _value(self, journal: Journal, key: str, instances: int) -> float:
        """Return the criterion over a candidate's first instances."""
        found = {one.instance: one.loss for one in journal.outcomes(Role.RACE, key)}
        losses = np.array([[found[number] for number in range(instances)]])
        return float(self.measured.values(losses)[0])


class _Outcomes(Watcher):
    """Tells another watcher of outcomes alone: how many there are to be it knows already."""

    def __init__(self, told: Watcher) -> None:
        self._told = told

    def outcome(self, outcome: Outcome) -> None:
        """Tell it."""
        self._told.outcome(outcome)


@lists_options(TrainingOptions, RunOptions, used_by=SearchStudy)
def search(
    candidates: Iterable[Candidate],
    population: Population,
    *,
    trials: int | Sequence[int] = PAPER_TRIALS[0],
    instances: int = 1,
    sampler: str = "tpe",
    at_once: int = 1,
    criterion: str = "mean",
    rival: Candidate | None = None,
    certify: int = 59,
    content: float = 0.95,
    confidence: float = 0.95,
    **options: Unpack[TrainingOptions],
) -> Search:
    """Search a space by a sampler of Optuna's, and certify the best it finds.

    Parameters
    ----------
    candidates
        A `SearchSpace` or any iterable of candidates.
    trials
        How many candidates are proposed; of several numbers, the best after each is certified.
    instances
        What a trial costs: so many instances of its candidate. One that is proposed again gets
        as many further ones.
    sampler
        ``tpe``, ``gp``, ``cmaes`` or ``random``.
    at_once
        Trials proposed before the first of them is told, so that they can be trained side by side.
    criterion
        What a trial is judged by, over all instances of its candidate so far.
    rival
        A candidate certified beside the best, such as a race's winner; None for nobody.
    certify, content, confidence
        Fresh instances of the best, 0 for none, and what they are to promise.
    **options

    Raises
    ------
    ConfigurationError
        If there is no such sampler, or a number cannot be.
    MissingExtraError
        Without ``surefoot[optuna]``; ``gp`` takes ``surefoot[torch]`` too.
    JournalMismatchError
        If the journal is of another space, or of another study.
    EngineError
        If no engine trains a candidate.

    Examples
    --------
    >>> import surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> sums = surefoot.SearchSpace.product(
    ...     ScaledSum, window=["full", "3x3", "5x5"], linear=[False, True]
    ... )
    >>> found = surefoot.search(
    ...     sums, photons, trials=8, certify=5, loss="relative_rmse", sample_size=500
    ... )
    >>> len(found.trials), found.trainings, len(found.certificates[found.best].losses)
    (8, 8, 5)
    """
    return ask(SearchStudy, **locals())
