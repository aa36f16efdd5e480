"""Assess: how robust is one candidate? ``n`` fresh instances, or as many as a promise takes.

With a promise the instances are trained in their order and training stops as soon as the promise is
broken.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.checks import count, of_kind, share
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError, JournalError
from surefoot.instances import Instance, Outcome, Status
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role, study_generator
from surefoot.showing import Shown
from surefoot.statistics.certificate import Certificate, content_reached, needed, percent
from surefoot.statistics.intervals import spread_interval
from surefoot.statistics.promise import Promise, PromiseResult
from surefoot.studies.base import CandidateStudy, Run
from surefoot.studies.description import AssessDescription, DescribedPromise
from surefoot.studies.options import RunOptions, TrainingOptions, ask, lists_options
from surefoot.studies.race_record import recorded_certificates
from surefoot.studies.troubles import SHOWN, Troubles
from surefoot.studies.watch import failure_words


@dataclass(frozen=True, kw_only=True, eq=False)
class AssessStudy(CandidateStudy["Assessment"]):
    """How robust is this candidate? ``n`` fresh instances, their distribution and certificate.

    With a ``promise``, ``n``, ``content`` and ``confidence`` are the promise's, and fewer instances
    may do.
    """

    renamed = (("allowed", "max_exceedances"),)

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
        count(1, n=self.n)
        share(content=self.content, confidence=self.confidence)
        of_kind("true or false", bool, paired=self.paired)

    def cautions(self) -> list[str]:
        """Say that the certificate's content cannot be reached by so few instances."""
        wanted = needed(self.content, self.confidence)
        if self.promise is not None or self.n >= wanted:
            return []
        reached = percent(content_reached(self.n, self.confidence))
        return [
            f"{self.n} instances cannot certify {percent(self.content)} of retrainings with "
            f"{percent(self.confidence)} confidence, only {reached}: that takes {wanted}"
        ]

    def instances(self) -> list[Instance]:
        """Return its instances in their order."""
        return [self.instance(self.candidate.key, Role.ASSESS, number) for number in range(self.n)]

    @cached_property
    def description(self) -> AssessDescription:
        """The candidate and what its certificate is to promise."""
        asked, promise = self.promise, None
        if asked is not None:
            promise = DescribedPromise(asked.limit, asked.max_exceedances)
        return self.described(AssessDescription, "assess", promise=promise)

    def answer(self, run: Run) -> Assessment:
        """Train the instances; with a promise, only until the answer is known.

        A promise is tested on the losses in the order of their instances, trained as many at a time
        as the executor has workers. Neither their number nor who finishes first changes the answer.
        """
        run.watch.started(1, run.journal.count())
        instances = self.instances()
        if self.promise is None:
            if left := run.missing(instances):
                run.watch.certifying(self.candidate, len(left))
                run.train(left)
            return self.result(run.journal)
        while (found := self.promise.test(self._losses(run))).answer == "open":
            run.watch.certifying(self.candidate, found.needs)
            run.train(instances[found.used : found.used + run.executor.workers])
        return self.result(run.journal)

    def result(self, journal: Journal) -> Assessment:
        """Return what the journal's instances say; a promise is to be kept or broken by them."""
        return replace(recorded_assessment(journal), question=self)

    def _losses(self, run: Run) -> list[float]:
        """Return the recorded losses in order, up to the first instance to be trained (again)."""
        known = {measure.instance: measure.loss for measure in run.journal.measures(Role.ASSESS)}
        there = itertools.takewhile(lambda one: not run.lacks(one), self.instances())
        return [known[one.seed.instance] for one in there]


@dataclass(frozen=True, eq=False, repr=False)
class Assessment(Shown):
    """The outcomes of a candidate's instances, by number, and what they promise.

    Parameters
    ----------
    label, asked
        The candidate's name, and what its study asked for.
    outcomes
        Those the result rests on: all n, or the instances up to the one that broke a promise.
    certificate
        None for a broken promise: its number of instances was decided by their losses, and a
        certificate holds for a number fixed beforehand only.
    promise_result
        The answer to the study's promise and what follows from it; None without a promise.
    recorded
        Instances in the journal. Those trained beside the one that broke the promise are among
        them, but count for nothing.
    question
        The study; None where the assessment was read from a journal.
    """

    label: str
    asked: AssessDescription
    outcomes: tuple[Outcome, ...]
    certificate: Certificate | None
    promise_result: PromiseResult | None = None
    recorded: int = 0
    question: AssessStudy | None = None

    @property
    def study(self) -> AssessStudy:
        """The study, whose setting trains further instances.

        Raises `JournalError` where the assessment was read from a journal, which holds no data.
        """
        if self.question is None:
            raise JournalError(
                "an assessment read from a journal has no data to train on: give the study"
            )
        return self.question

    def troubles(self) -> list[str]:
        """Return what diverged and failed and why, in sentences; none without any trouble."""
        ended = Counter(outcome.status for outcome in self.outcomes)
        found = {
            one.message: failure_words(self.label, one)
            for one in reversed(self.outcomes)
            if one.status is Status.FAILED
        }
        told = tuple(reversed(found.values()))[:SHOWN]
        return Troubles(ended[Status.DIVERGED], ended[Status.FAILED], told).lines()

    @property
    def losses(self) -> NDArray[np.float64]:
        """The losses [n]; +inf where an instance diverged or failed."""
        return np.array([outcome.loss for outcome in self.outcomes])

    @property
    def no_certificate(self) -> str:
        """Why a broken promise leaves no certificate, in words."""
        return (
            "none: it would need a number of instances fixed beforehand, not one that losses decide"
        )

    @property
    def kept(self) -> bool | None:
        """Whether the promise is kept; None without a promise."""
        return None if self.promise_result is None else self.promise_result.answer == "kept"

    @property
    def saved(self) -> int:
        """Trainings that the promise took less than its number of instances."""
        return self.asked.n - self.recorded

    def promised(self) -> list[str]:
        """Return the promise, the answer and its reason in sentences; none without a promise."""
        promise, found = self.asked.promise, self.promise_result
        if promise is None or found is None:
            return []
        saved = f"{self.saved} of {self.asked.n} trainings were saved"
        return [
            f"{found.answer}: at least {100.0 * self.asked.content:.4g} % of retrainings lose at "
            f"most {promise.limit:.4g}",
            f"{found.reason}; {saved}" if self.saved else found.reason,
            found.statement,
        ]

    def quartiles(self) -> str:
        """Return how the finite losses are distributed, in words; "" if there are none."""
        losses = self.losses[np.isfinite(self.losses)]
        if not losses.size:
            return ""
        values = np.quantile(losses, [0.0, 0.25, 0.5, 0.75, 1.0])
        names = ("smallest", "first quartile", "median", "third quartile", "largest")
        words = ", ".join(f"{name} {value:.4g}" for name, value in zip(names, values))
        return f"{len(self.losses)} instances: {words}"

    def spread(self) -> list[str]:
        """Return median, standard deviation and interquartile range with their intervals.

        The median's interval is by order statistics, the others' by BCa bootstrap. None without a
        certificate, whose number of instances they share, and below two instances.
        """
        if self.certificate is None or len(self.losses) < 2:
            return []
        confidence = self.certificate.confidence
        rng = study_generator(self.asked.seed, Role.STATISTICS, int(Role.ASSESS))
        median = self.certificate.median
        sd = spread_interval(self.losses, "sd", confidence, rng=rng)
        iqr = spread_interval(self.losses, "iqr", confidence, rng=rng)
        said = [
            f"median {median}, standard deviation {sd}, interquartile range {iqr}, "
            f"with {100.0 * confidence:.4g} % confidence each"
        ]
        return said + [warning for warning in (median.warning, sd.warning) if warning]

    def __str__(self) -> str:
        lines = [self.label, *self.troubles(), *self.promised(), *self.spread()]
        if self.certificate is not None:
            lines.append(str(self.certificate))
        return "\n".join(lines)


def recorded_assessment(journal: Journal) -> Assessment:
    """Return what a journal's fresh instances say of its candidate, or as far as they go.

    Raises `JournalError` if the journal is of another kind of study, or holds no instance yet.
    """
    asked = AssessDescription.read(journal.study)
    outcomes = sorted(journal.outcomes(Role.ASSESS), key=lambda outcome: outcome.instance)
    if not outcomes:
        raise JournalError("no fresh instance is recorded yet: there is nothing to assess")
    recorded, result, certificate = len(outcomes), None, None
    if asked.promise is not None:
        limit, allowed = asked.promise.limit, asked.promise.allowed
        promise = Promise(limit, asked.content, asked.confidence, allowed)
        result = promise.test([outcome.loss for outcome in outcomes])
        outcomes = outcomes[: result.used]
    (key,) = asked.candidates
    if result is None or result.answer == "kept":
        certificate = recorded_certificates(journal, None)[key]
    label = journal.candidates()[key].label
    return Assessment(label, asked, tuple(outcomes), certificate, result, recorded)


@lists_options(TrainingOptions, RunOptions, used_by=AssessStudy)
def assess(
    candidate: Candidate,
    population: Population,
    *,
    n: int | None = None,
    content: float = 0.95,
    confidence: float = 0.95,
    promise: float | None = None,
    max_exceedances: int = 0,
    **options: Unpack[TrainingOptions],
) -> Assessment:
    """Train fresh instances of one candidate and certify it, or test a promise about it.

    Parameters
    ----------
    n
        Instances; None for 59, or as many as the promise takes.
    content, confidence
        What the certificate is to promise.
    promise, max_exceedances
        A loss that at least ``content`` of retrainings are to keep, and how many of the instances
        may exceed it. Instances are trained in their order until the answer is known; a broken
        promise leaves no certificate, because the losses decided how many instances there are. See
        `surefoot.statistics.promise.Promise`.
    **options

    Raises
    ------
    ConfigurationError
        If ``n`` is given with a promise, or ``max_exceedances`` without.
    JournalMismatchError, EngineError
        As for `select`.

    Examples
    --------
    >>> import surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> found = surefoot.assess(
    ...     ScaledSum(), photons, loss="relative_rmse", sample_size=500, promise=0.001, workers=1
    ... )
    >>> found.kept, len(found.losses), found.saved
    (False, 1, 58)
    """
    return ask(
        AssessStudy,
        population,
        options,
        candidate=candidate,
        n=59 if n is None else n,
        content=content,
        confidence=confidence,
        promise=make_promise(promise, max_exceedances, n, content, confidence),
    )


def make_promise(
    limit: float | None, max_exceedances: int, n: int | None, content: float, confidence: float
) -> Promise | None:
    """Return the promise that parameters of `assess` make; None without a limit."""
    if limit is None and max_exceedances:
        raise ConfigurationError(
            f"max_exceedances = {max_exceedances} losses above which promise? give the promise too"
        )
    if limit is not None and n is not None:
        raise ConfigurationError(f"n = {n} cannot be chosen: a promise decides how many it takes")
    return None if limit is None else Promise(limit, content, confidence, max_exceedances)
