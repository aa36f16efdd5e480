"""The studies as functions of one call each: the library's front door.

>>> import numpy as np, surefoot                                          # doctest: +SKIP
>>> selection = surefoot.select(candidates, population, loss="rmse")      # doctest: +SKIP
>>> print(selection)                                                      # doctest: +SKIP
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.engines.base import Setting
from surefoot.engines.choose import AUTO
from surefoot.errors import RaceError, SamplingError
from surefoot.executors.base import Executor
from surefoot.executors.local import LocalExecutor
from surefoot.journal import MEMORY
from surefoot.losses import Loss, parse_loss
from surefoot.population import Population, Sampling
from surefoot.racing.criteria import Criterion
from surefoot.racing.elimination import ByRank, EliminationRule
from surefoot.racing.prediction import ByPrediction
from surefoot.racing.schedule import Schedule
from surefoot.racing.screen import Screen
from surefoot.racing.toptwo import default_schedule, within
from surefoot.stopping import Stopping
from surefoot.studies import assess as assessing
from surefoot.studies import select as selecting
from surefoot.studies.assess import Assessment
from surefoot.studies.selection import Selection
from surefoot.studies.study import AssessStudy, SelectStudy
from surefoot.studies.watch import Watcher


def select(
    candidates: Iterable[Candidate],
    population: Population,
    *,
    loss: Loss | str = "rmse",
    sample_size: int | None = None,
    sampling: Sampling | None = None,
    stopping: Stopping | None = None,
    seed: int = 0,
    criterion: Criterion | str = "mean",
    schedule: Schedule | None = None,
    screen: Screen | float | None = None,
    baseline: Candidate | str | None = None,
    rule: EliminationRule | None = None,
    limit: float | None = None,
    most: int | None = None,
    paired: bool = True,
    certify: int = 59,
    content: float = 0.95,
    confidence: float = 0.95,
    journal: str | os.PathLike[str] | None = None,
    engine: str = AUTO,
    workers: int | None = None,
    executor: Executor | None = None,
    watch: Watcher | None = None,
    retry_failed: bool = False,
) -> Selection:
    """Select the candidate that is most robust against retraining, and certify it.

    Parameters
    ----------
    candidates
        A `SearchSpace` or any iterable of candidates.
    population
        The data; half of them only ever measure losses.
    loss
        What is trained on and measured; see `surefoot.losses`.
    sample_size, sampling
        Training examples of an instance (None: as many as the pool holds), drawn as a bootstrap;
        or a whole `Sampling`.
    stopping
        When the training of an instance ends.
    seed
        Decides every random number of the study.
    criterion
        What is compared: ``mean``, ``max``, ``quantile(0.9)``, ``mean+2*sd``, …
    schedule, rule, limit, most
        Rounds, who leaves after one, the trainings allowed in all and of one candidate; the default
        suits the number of candidates.
    screen, baseline
        The candidates whose first loss exceeds the baseline's by more than this share leave.
        ``baseline`` may be the name of a registered candidate.
    paired
        Whether instance i has the same sample and initialisation stream for every candidate.
    certify, content, confidence
        Fresh instances of the winner, and what they are to promise.
    journal
        File that keeps every outcome and from which the same call resumes; None for memory only.
    engine, workers
        Who trains, and how many instances at once; None for one per core.
    executor
        Where instances run, instead of the two.
    watch
        Told of everything as it happens.
    retry_failed
        Train failed instances of the journal again.

    Raises
    ------
    SurefootError
        One of its kinds, with one sentence that says what is wrong and what would be right.
    """
    everyone = tuple(candidates)
    if not everyone:
        raise RaceError("a race needs at least one candidate; none was given")
    study = SelectStudy(
        candidates=everyone,
        setting=_setting(population, loss, sample_size, sampling, stopping, seed),
        seed=seed,
        engine=executor.engine if executor is not None else engine,
        criterion=criterion,
        schedule=schedule or default_schedule(len(everyone), within(limit, len(everyone)), most),
        screen=screen if isinstance(screen, Screen | None) else Screen(float(screen)),
        rule=rule or (ByPrediction() if schedule is None else ByRank()),
        limit=limit,
        most=most,
        baseline=_baseline(baseline),
        paired=paired,
        certify=certify,
        content=content,
        confidence=confidence,
    )
    with study.open(MEMORY if journal is None else journal) as record:
        if executor is not None:
            return selecting.select(study, record, executor, watch, retry_failed=retry_failed)
        with LocalExecutor(workers, engine) as local:
            return selecting.select(study, record, local, watch, retry_failed=retry_failed)


def assess(
    candidate: Candidate,
    population: Population,
    *,
    n: int = 59,
    loss: Loss | str = "rmse",
    sample_size: int | None = None,
    sampling: Sampling | None = None,
    stopping: Stopping | None = None,
    seed: int = 0,
    content: float = 0.95,
    confidence: float = 0.95,
    journal: str | os.PathLike[str] | None = None,
    engine: str = AUTO,
    workers: int | None = None,
    executor: Executor | None = None,
    watch: Watcher | None = None,
    retry_failed: bool = False,
) -> Assessment:
    """Train ``n`` fresh instances of one candidate and certify it; parameters as in `select`."""
    study = AssessStudy(
        candidate=candidate,
        setting=_setting(population, loss, sample_size, sampling, stopping, seed),
        seed=seed,
        engine=executor.engine if executor is not None else engine,
        n=n,
        content=content,
        confidence=confidence,
    )
    with study.open(MEMORY if journal is None else journal) as record:
        if executor is not None:
            return assessing.assess(study, record, executor, watch, retry_failed=retry_failed)
        with LocalExecutor(workers, engine) as local:
            return assessing.assess(study, record, local, watch, retry_failed=retry_failed)


def _setting(
    population: Population,
    loss: Loss | str,
    sample_size: int | None,
    sampling: Sampling | None,
    stopping: Stopping | None,
    seed: int,
) -> Setting:
    if sampling is not None and sample_size is not None:
        raise SamplingError("give sample_size or a whole sampling, not both")
    measured = parse_loss(loss) if isinstance(loss, str) else loss
    population.check_loss(measured)
    return Setting(
        population.split(seed),
        Sampling(sample_size) if sampling is None else sampling,
        measured,
        Stopping() if stopping is None else stopping,
    )


def _baseline(baseline: Candidate | str | None) -> Candidate | None:
    if not isinstance(baseline, str):
        return baseline
    named: Any = registry.lookup("candidates", baseline)
    candidate: Candidate = named()
    return candidate
