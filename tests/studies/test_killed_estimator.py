"""A worker killed while it trains an estimator counts against nobody."""

from __future__ import annotations

from pathlib import Path

import surefoot
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.instances import Status
from surefoot.journal import Journal
from surefoot.racing.schedules.rounds import Halving
from surefoot.seeds.ledger import Role
from surefoot.testing import toy_population


def test_an_instance_whose_worker_is_killed_is_trained_again(tmp_path: Path) -> None:
    ridge = EstimatorCandidate("sklearn.linear_model.Ridge", side=True)
    killed = EstimatorCandidate(
        "tests.engines.estimators.KilledOnce", {"marker": str(tmp_path / "marker"), "value": 3.0}
    )

    winner = surefoot.select(
        [ridge, killed],
        toy_population(),
        schedule=Halving(warmup=2),
        certify=0,
        workers=2,
        journal=tmp_path / "race.db",
    ).winner
    assert winner == ridge
    assert (tmp_path / "marker").exists()
    with Journal.read(tmp_path / "race.db") as journal:
        outcomes = journal.outcomes(Role.RACE, killed.key)
    assert [outcome.status for outcome in outcomes] == [Status.FINISHED] * 2
