"""The studies of one candidate as functions of one call each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

from surefoot.candidates.base import Candidate
from surefoot.data.population import Population
from surefoot.errors import StatisticsError
from surefoot.statistics.promise import Promise
from surefoot.studies.assess import run as assessing
from surefoot.studies.assess.run import Assessment
from surefoot.studies.base import AssessStudy
from surefoot.studies.shared import Given, Training, lists_options
from surefoot.studies.sizes import sample_size as sizing
from surefoot.studies.sizes.robust_size import RobustRule, SampleSizeResult
from surefoot.studies.variance import run as varying
from surefoot.studies.variance.result import VarianceResult


@lists_options(Training)
def assess(
    candidate: Candidate,
    population: Population,
    *,
    n: int | None = None,
    content: float = 0.95,
    confidence: float = 0.95,
    promise: float | None = None,
    allowed: int = 0,
    **options: Unpack[Training],
) -> Assessment:
    """Train fresh instances of one candidate and certify it, or test a promise about it.

    Parameters
    ----------
    n
        Instances; None for 59, or as many as the promise takes.
    content, confidence
        What the certificate is to promise.
    promise, allowed
        A loss that at least ``content`` of retrainings are to keep, and how many of the instances
        may exceed it. Instances are trained in their order until the answer is known; a broken
        promise leaves no certificate, because the losses decided how many instances there are. See
        `surefoot.statistics.promise.Promise`.
    **options

    Raises
    ------
    StatisticsError
        If ``n`` is given with a promise, or ``allowed`` without.
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
    if promise is None and allowed:
        raise StatisticsError(f"allowed = {allowed} losses above which promise? give promise too")
    if promise is not None and n is not None:
        raise StatisticsError(f"n = {n} cannot be chosen: a promise decides how many it takes")
    given = Given(population=population, **options)
    study = AssessStudy(
        candidate=candidate,
        setting=given.setting(),
        seed=given.seed,
        engine=given.asked,
        n=59 if n is None else n,
        content=content,
        confidence=confidence,
        promise=None if promise is None else Promise(promise, content, confidence, allowed),
    )
    with given.open(study) as (record, executor):
        return assessing.assess(
            study, record, executor, given.watch, retry_failed=given.retry_failed
        )


@lists_options(Training)
def variance(
    candidate: Candidate,
    population: Population,
    *,
    design: varying.VarianceDesign | None = None,
    confidence: float = 0.95,
    **options: Unpack[Training],
) -> VarianceResult:
    """Find where the spread of one candidate's losses comes from.

    Parameters
    ----------
    design
        How many instances of which kind; None for the usual `VarianceDesign`.
    confidence
        Of the intervals.
    **options

    Raises
    ------
    StatisticsError
        If the design is too small to say anything.
    JournalMismatchError, EngineError
        As for `select`.

    Examples
    --------
    >>> import surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> from surefoot.studies.variance.run import VarianceDesign
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> small = VarianceDesign(alone=5, draws=0, inits=0, tests=0)
    >>> found = surefoot.variance(
    ...     ScaledSum(), photons, loss="relative_rmse", sample_size=500, design=small
    ... )
    >>> float(found.experiments[0].sd.estimate)  # nothing of a formula is initialised
    0.0
    """
    given = Given(population=population, **options)
    study = varying.VarianceStudy(
        candidate=candidate, setting=given.setting(), seed=given.seed, engine=given.asked
    )
    with given.open(study) as (record, executor):
        return varying.variance(
            study,
            varying.VarianceDesign() if design is None else design,
            record,
            executor,
            given.told.outcome,
            confidence=confidence,
            retry_failed=given.retry_failed,
        )


@lists_options(Training)
def sample_size(
    candidate: Candidate,
    population: Population,
    *,
    sizes: Iterable[int] | None = None,
    n: int = 50,
    rule: RobustRule | None = None,
    equal_test: bool = True,
    **options: Unpack[Training],
) -> SampleSizeResult:
    """Find how many training examples one candidate needs to be robust.

    Parameters
    ----------
    sizes
        Numbers of training examples; None for the paper's, as far as the population reaches.
    n
        Instances of every size.
    rule
        When a size counts as robust.
    equal_test
        Whether test samples are as large as training samples (the paper's choice).
    **options

    Raises
    ------
    SamplingError
        If a size is impossible.
    StatisticsError
        If there are too few instances.
    JournalMismatchError, EngineError
        As for `select`.

    Examples
    --------
    >>> import surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> found = surefoot.sample_size(
    ...     ScaledSum(), photons, loss="relative_rmse", sizes=[100, 400], n=29
    ... )
    >>> found.losses.shape
    (2, 29)
    """
    given = Given(population=population, **options)
    study = sizing.SampleSizeStudy(
        candidate=candidate,
        setting=given.setting(),
        seed=given.seed,
        engine=given.asked,
        equal_test=equal_test,
    )
    if sizes is None:
        sizes, _ = sizing.paper_sizes_within(study)
    with given.open(study) as (record, executor):
        return sizing.sample_size(
            study,
            sizes,
            n,
            record,
            executor,
            given.told.outcome,
            rule=rule,
            retry_failed=given.retry_failed,
        )
