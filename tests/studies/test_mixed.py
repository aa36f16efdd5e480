"""One race over formulas and estimators, in threads and processes at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import surefoot
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.instances import Status
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.replay import train_recorded
from tests.engines.cases import Mean


def test_each_engine_takes_its_own_on_the_same_draws(tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    x = generator.normal(size=(300, 9))
    population = surefoot.Population(x, x @ np.arange(9) + generator.normal(size=300))
    candidates = [
        Mean(),
        EstimatorCandidate("sklearn.linear_model.LinearRegression"),
        EstimatorCandidate("sklearn.tree.DecisionTreeRegressor", {"max_depth": 2}),
    ]
    selection = surefoot.select(
        candidates, population, sample_size=80, certify=3, seed=1, journal=tmp_path / "r.db"
    )
    assert selection.winner == candidates[1]
    with Journal.read(tmp_path / "r.db") as journal:
        first = [o for o in journal.outcomes(Role.RACE) if o.instance == 0]
        assert {o.engine for o in first} == {"direct", "estimator"}
        assert {o.status for o in first} == {Status.FINISHED}
        setting = selection.study.setting
        recorded, training = train_recorded(journal, setting, candidates[2].key, 0)
        assert recorded.loss == training.outcome.loss
        draw = selection.study.instance(candidates[0].key, Role.RACE, 0).draw(setting)
        mean = population.target[draw.train].mean()
        expected = float(np.sqrt(((population.target[draw.test] - mean) ** 2).mean()))
        losses = {o.candidate: o.loss for o in first}
        assert losses[candidates[0].key] == pytest.approx(expected, rel=1e-5)
        design = np.c_[x[draw.train], np.ones(80)]
        solution = np.linalg.lstsq(design, population.target[draw.train], rcond=None)[0]
        predicted = np.c_[x[draw.test], np.ones(len(draw.test))] @ solution
        expected = float(np.sqrt(((population.target[draw.test] - predicted) ** 2).mean()))
        assert losses[candidates[1].key] == pytest.approx(expected, rel=1e-4)
