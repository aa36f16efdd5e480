"""A failure's message is said at once, everywhere, with its candidate; it is no divergence."""

from __future__ import annotations

import logging
import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

import surefoot
from surefoot.errors import EngineError, RaceError, StatisticsError
from surefoot.journal import Journal
from surefoot.studies.duration import example_steps
from surefoot.studies.options import make_setting
from surefoot.studies.select.selection import recorded_selection
from surefoot.studies.select.study import SelectStudy
from surefoot.studies.sizes.sample_size import SampleSizeStudy
from surefoot.studies.troubles import troubles_of
from tests.fakes import Fake, fake_setting


@surefoot.candidate
def broken(draw: Any, seed: int, *, depth: int = 1) -> Any:
    import no_such_package  # noqa: F401


@surefoot.candidate
def sound(draw: Any, seed: int, *, shrink: float = 1.0) -> Any:
    mean = shrink * draw.target.mean(axis=0)
    return lambda features: np.tile(mean, (len(features), 1))


MESSAGE = "ModuleNotFoundError: No module named 'no_such_package'"
HERE = {"executor": surefoot.InlineExecutor()}


@pytest.fixture
def data() -> surefoot.Population:
    rng = np.random.default_rng(1)
    return surefoot.Population(rng.normal(size=(60, 2)), rng.normal(size=60))


def test_a_race_of_which_everyone_fails_says_why(data, tmp_path):
    everyone = [broken.candidate(depth=depth) for depth in (1, 2)]
    with pytest.raises(RaceError) as caught:
        surefoot.select(everyone, data, journal=tmp_path / "r.db", **HERE)
    assert f"broken(depth=1), race instance 0, failed: {MESSAGE}" in str(caught.value)
    with (
        Journal.read(tmp_path / "r.db") as journal,
        pytest.raises(RaceError, match="no_such_package"),
    ):
        recorded_selection(journal)


def test_a_candidate_that_fails_beside_others_is_told_of_at_once_and_in_the_result(data, caplog):
    with caplog.at_level(logging.WARNING, "surefoot"):
        found = surefoot.select(
            [broken.candidate(), sound.candidate(), sound.candidate(shrink=0.5)],
            data,
            certify=3,
            **HERE,
        )
    assert found.winner.label.startswith("sound")
    assert [record.message for record in caplog.records] == [
        f"broken, race instance 0, failed: {MESSAGE}"
    ]
    assert f"broken, race instance 0, failed: {MESSAGE}" in " ".join(str(found).split())
    assert found.troubles.diverged == 0 < found.troubles.failed


def test_an_assessment_never_says_diverged_of_a_failure(data):
    found = surefoot.assess(broken.candidate(), data, n=5, **HERE)
    text = str(found)
    assert f"broken, assess instance 0, failed: {MESSAGE}" in text
    assert "5 of the instances recorded failed" in text
    assert "diverged" not in text


@pytest.mark.parametrize("question", [surefoot.sample_size, surefoot.variance])
def test_a_study_of_failures_alone_is_an_error_that_says_why(data, question):
    sizes = {"sizes": [10, 20], "n": 3} if question is surefoot.sample_size else {}
    with pytest.raises(StatisticsError, match="no_such_package"):
        question(broken.candidate(), data, **sizes, **HERE)


def test_divergences_and_failures_are_counted_apart(tmp_path):
    setting = fake_setting()
    everyone = (
        Fake(1.0),
        Fake(2.0, fate="diverge", when=(0,)),
        Fake(3.0, fate="raise", when=(0,)),
    )
    study = SelectStudy(
        candidates=everyone, setting=setting, engine="fake", certify=0, schedule="halving"
    )
    with study.open(tmp_path / "r.db") as journal:
        study.run(journal, executor=surefoot.InlineExecutor("fake"))
        found = troubles_of(journal)
    assert (found.diverged, found.failed) == (1, 1)
    assert found.lines()[0].startswith("1 of the instances recorded diverged and 1 failed")
    assert len(found.messages) == 1
    assert "fake 3raise, race instance 0, failed: ValueError" in found.messages[0]


def test_no_size_is_robust_where_losses_are_infinite(data):
    setting = fake_setting()
    study = SampleSizeStudy(
        candidate=Fake(1.0, fate="diverge", when=tuple(range(40))),
        setting=setting,
        engine="fake",
        sizes=[10, 20],
        n=40,
    )
    found = study.run(executor=surefoot.InlineExecutor("fake"))
    assert found.robust is None
    assert "robust size: none; 40 of 40 instances" in str(found)


def test_an_example_step_of_every_kind_tells_which_cannot_be_trained(data):
    setting = make_setting(data)
    found = example_steps([broken.candidate(), sound.candidate()], setting)
    assert found == [f"broken fails: {MESSAGE}"]
    with pytest.raises(EngineError, match="no_such_package"):
        example_steps([broken.candidate()], setting)


NOTEBOOK = """
import numpy as np
import surefoot
from sklearn.linear_model import Ridge

@surefoot.candidate
def train(draw, seed, *, shrink=1.0):
    mean = shrink * draw.target.mean(axis=0)
    return lambda features: np.tile(mean, (len(features), 1))

class Mine(Ridge):
    pass

rng = np.random.default_rng(0)
data = surefoot.Population(rng.normal(size=(60, 2)), rng.normal(size=60))
mine = surefoot.EstimatorCandidate.of(Mine())
for workers in (1, 2):
    found = surefoot.select([train.candidate(shrink=0.5), mine], data, certify=2, workers=workers)
    print(found.troubles.failed, found.value)
"""


def test_what_a_notebook_defines_trains(tmp_path):
    done = subprocess.run(
        [sys.executable, "-"],
        input=textwrap.dedent(NOTEBOOK),
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    one, two = done.stdout.splitlines()
    assert one == two
    assert one.startswith("0 ")
