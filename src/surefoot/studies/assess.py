"""Assess: how robust is one candidate? Its losses over n instances, and their certificate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surefoot.engines.base import Outcome
from surefoot.executors.base import Executor
from surefoot.journal import Journal
from surefoot.seeds import Role
from surefoot.statistics.certificate import Certificate
from surefoot.studies.recorded import recorded_certificates
from surefoot.studies.runner import missing, train_missing
from surefoot.studies.study import AssessStudy
from surefoot.studies.watch import Silent, Watcher


@dataclass(frozen=True, eq=False)
class Assessment:
    """The outcomes of a candidate's instances, by number, and what they promise."""

    study: AssessStudy
    outcomes: tuple[Outcome, ...]
    certificate: Certificate

    @property
    def losses(self) -> NDArray[np.float64]:
        """The losses [n]; +inf where an instance diverged or failed."""
        return np.array([outcome.loss for outcome in self.outcomes])

    def __str__(self) -> str:
        return f"{self.study.candidate.label}\n{self.certificate.text()}"


def assess(
    study: AssessStudy,
    journal: Journal,
    executor: Executor,
    watch: Watcher | None = None,
    *,
    retry_failed: bool = False,
) -> Assessment:
    """Run or resume an assessment; parameters and errors are those of `select`."""
    watcher = Silent() if watch is None else watch
    study.check(journal, executor.engine)
    retry = journal.failed() if retry_failed else set()
    watcher.started(1, journal.count())
    key = study.candidate.key
    left = list(missing(study.instances(), study.setting, journal, retry))
    if left:
        watcher.certifying(study.candidate, len(left))
        train_missing(left, study.setting, journal, executor, retry=retry, each=watcher.outcome)
    outcomes = sorted(journal.outcomes(Role.ASSESS), key=lambda outcome: outcome.instance)
    certificate = recorded_certificates(journal, None)[key]
    return Assessment(study, tuple(outcomes), certificate)
