"""Assess as a function of one call."""

from __future__ import annotations

from typing import Unpack

from surefoot.candidates.base import Candidate
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError
from surefoot.statistics.promise import Promise
from surefoot.studies.assess import run as assessing
from surefoot.studies.assess.run import Assessment, AssessStudy
from surefoot.studies.options import RunOptions, TrainingOptions, lists_options, study_and_run


@lists_options(TrainingOptions, RunOptions, used_by=AssessStudy)
def assess(
    candidate: Candidate,
    population: Population,
    *,
    n: int | None = None,
    content: float = 0.95,
    confidence: float = 0.95,
    promise: float | None = None,
    allowed: int = 0,
    **options: Unpack[TrainingOptions],
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
    ConfigurationError
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
        raise ConfigurationError(
            f"allowed = {allowed} losses above which promise? give promise too"
        )
    if promise is not None and n is not None:
        raise ConfigurationError(f"n = {n} cannot be chosen: a promise decides how many it takes")
    made, run = study_and_run(population, options)
    study = AssessStudy(
        candidate=candidate,
        **made,
        n=59 if n is None else n,
        content=content,
        confidence=confidence,
        promise=None if promise is None else Promise(promise, content, confidence, allowed),
    )
    with run.opened(study) as (record, executor):
        return assessing.assess(study, record, executor, run.watch, retry_failed=run.retry_failed)
