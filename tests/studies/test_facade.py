from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import surefoot
from surefoot.candidates.space import SearchSpace
from surefoot.errors import DataError, JournalMismatchError, RaceError, SamplingError
from surefoot.executors.local import LocalExecutor
from surefoot.journal import Journal
from surefoot.seeds import Role
from tests.fakes import Fake, fake_loss, fake_setting

POPULATION = fake_setting().halves.population


def test_a_selection_in_one_call(tmp_path: Path) -> None:
    space = SearchSpace.product(Fake, quality=[1.0, 2.0, 3.0], noise=[0.1, 0.2])
    arguments = {"sample_size": 20, "engine": "fake", "seed": 4, "certify": 22, "content": 0.87}
    selection = surefoot.select(space, POPULATION, journal=tmp_path / "r.db", **arguments)
    assert selection.winner.quality == 1.0
    assert selection.certificate is not None
    assert selection.certificate.reached
    again = surefoot.select(space, POPULATION, journal=tmp_path / "r.db", **arguments)
    assert str(again) == str(selection)
    in_memory = surefoot.select(space, POPULATION, **arguments)
    assert in_memory.ranking() == selection.ranking()
    with pytest.raises(JournalMismatchError, match="seed"):
        surefoot.select(space, POPULATION, journal=tmp_path / "r.db", **(arguments | {"seed": 5}))


def test_a_screen_may_be_a_number_and_a_baseline_a_name() -> None:
    candidates = [Fake(quality=1.0 + i, noise=0.05) for i in range(6)]
    selection = surefoot.select(
        candidates, POPULATION, sample_size=20, engine="fake", screen=2.0, baseline="fake"
    )
    assert selection.state.rounds[0].name == "screen"
    assert selection.study.baseline == Fake()


def test_an_executor_of_ones_own_is_used_and_left_open() -> None:
    with LocalExecutor(1, "fake_processes") as executor:
        selection = surefoot.select(
            [Fake(), Fake(quality=2.0)], POPULATION, sample_size=20, executor=executor, certify=2
        )
        assert executor.pool(selection.study.setting).processes


def test_an_assessment_in_one_call(tmp_path: Path) -> None:
    candidate = Fake(noise=0.3)
    arguments = {"n": 30, "sample_size": 20, "engine": "fake", "seed": 9}
    result = surefoot.assess(candidate, POPULATION, journal=tmp_path / "a.db", **arguments)
    setting, study = result.study.setting, result.study
    expected = [
        fake_loss(study.instance(candidate.key, Role.ASSESS, n), setting) for n in range(30)
    ]
    assert result.losses.tolist() == expected
    assert result.certificate.losses == tuple(expected)
    assert result.certificate.gap is None
    assert candidate.label in str(result)
    with Journal.read(tmp_path / "a.db") as journal:
        assert journal.study["kind"] == "assess"


def test_bad_input_is_one_sentence() -> None:
    with pytest.raises(RaceError, match="at least one candidate"):
        surefoot.select([], POPULATION)
    with pytest.raises(SamplingError, match="not both"):
        surefoot.select(
            [Fake()], POPULATION, sample_size=3, sampling=surefoot.Sampling(4), engine="fake"
        )
    with pytest.raises(DataError, match="targets must be positive"):
        surefoot.select([Fake()], POPULATION, loss="relative_rmse", engine="fake")
    with pytest.raises(SamplingError, match="cannot be drawn without replacement"):
        surefoot.select(
            [Fake()], POPULATION, sampling=surefoot.Sampling(1000, "subsample"), engine="fake"
        )
    assert np.isfinite(POPULATION.target).all()
