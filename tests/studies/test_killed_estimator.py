"""A worker killed while it trains an estimator costs one instance, and can be tried again."""

from __future__ import annotations

from pathlib import Path

import surefoot
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.instances import Status
from surefoot.journal import Journal
from surefoot.racing.schedules.rounds import Halving
from surefoot.seeds.ledger import Role
from surefoot.testing import toy_population


def test_a_killed_worker_fails_one_instance_and_a_rerun_retries_it(tmp_path: Path) -> None:
    ridge = EstimatorCandidate("sklearn.linear_model.Ridge", side=True)
    killed = EstimatorCandidate(
        "tests.engines.estimators.KilledOnce", {"marker": str(tmp_path / "marker"), "value": 3.0}
    )

    def select(retry: bool) -> surefoot.Candidate:
        return surefoot.select(
            [ridge, killed],
            toy_population(),
            schedule=Halving(warmup=2),
            certify=0,
            workers=2,
            journal=tmp_path / "race.db",
            retry_failed=retry,
        ).winner

    def statuses() -> list[Status]:
        with Journal.read(tmp_path / "race.db") as journal:
            outcomes = journal.outcomes(Role.RACE, killed.key)
            assert all("SIGKILL" in one.message for one in outcomes if one.loss == float("inf"))
            return sorted(outcome.status for outcome in outcomes)

    assert select(retry=False) == ridge
    assert statuses() == [Status.FAILED, Status.FINISHED]
    assert select(retry=False) == ridge
    assert statuses() == [Status.FAILED, Status.FINISHED]
    assert select(retry=True) == ridge
    assert statuses()[-2:] == [Status.FINISHED, Status.FINISHED]
