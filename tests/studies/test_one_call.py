from __future__ import annotations

import doctest
import inspect
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import surefoot
from surefoot.candidates.convnet.network import Conv, ConvNet
from surefoot.candidates.space import SearchSpace
from surefoot.errors import (
    ConfigurationError,
    DataError,
    JournalError,
    JournalMismatchError,
    SamplingError,
)
from surefoot.executors.local.executor import LocalExecutor
from surefoot.journal import Journal
from surefoot.racing.schedules.rounds import Halving
from surefoot.seeds.ledger import Role
from surefoot.studies import replay
from surefoot.studies.assess import study as assess_study
from surefoot.studies.grid import study as gridding
from surefoot.studies.options import SelectOptions, TrainingOptions
from surefoot.studies.plan import plan as planning
from surefoot.studies.search import study as searching
from surefoot.studies.select import rerace as reracing
from surefoot.studies.select import study as selecting
from surefoot.studies.sizes import compare, sample_size, transfer
from surefoot.studies.variance import study as varying
from surefoot.study_files import build
from tests.fakes import Fake, Seen, fake_loss, fake_setting

NET = ConvNet((Conv(2, 5),), (3,), input_shape=(1, 8, 8), batch_size=8, average="ema(1 epoch)")


def test_what_averaging_did_stands_in_the_journal(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    images = surefoot.Population(generator.normal(size=(80, 64)), generator.uniform(1, 2, 80))
    stopping = surefoot.Stopping(4, reading="none")
    found = {}
    for curves in (False, True):
        path = tmp_path / f"{curves}.db"
        surefoot.assess(
            NET, images, n=3, stopping=stopping, plain_curves=curves, workers=1, journal=path
        )
        with Journal.read(path) as journal:
            found[curves] = journal.outcomes()
    for last, whole in zip(found[False], found[True], strict=True):
        assert (last.plain.size, whole.plain.size) == (1, 4)
        assert last.plain_loss == whole.plain_loss != last.loss == whole.loss


def test_another_objective_is_another_study(tmp_path: Path) -> None:
    arguments = {"sample_size": 20, "engine": "fake", "journal": tmp_path / "r.db", "certify": 0}
    surefoot.select([Fake(), Fake(quality=2.0)], POPULATION, loss="rmse", **arguments)
    with pytest.raises(JournalMismatchError, match=r'"rmse" -> "rmse\(root\)"'):
        surefoot.select([Fake(), Fake(quality=2.0)], POPULATION, loss="rmse(root)", **arguments)


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
        assert executor.pool(selection.study.setting).setting is selection.study.setting


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


def test_a_promise_in_one_call() -> None:
    arguments = {"sample_size": 20, "engine": "fake", "seed": 9}
    found = surefoot.assess(
        Fake(noise=0.3), POPULATION, promise=0.01, max_exceedances=2, **arguments
    )
    assert (found.kept, len(found.losses), found.certificate) == (False, 3, None)
    kept = surefoot.assess(Fake(noise=0.3), POPULATION, promise=100.0, content=0.9, **arguments)
    assert (kept.kept, kept.saved, len(kept.losses)) == (True, 0, 29)
    with pytest.raises(ConfigurationError, match="n = 7 cannot be chosen"):
        surefoot.assess(Fake(), POPULATION, promise=1.0, n=7, **arguments)
    with pytest.raises(ConfigurationError, match="max_exceedances = 1 "):
        surefoot.assess(Fake(), POPULATION, max_exceedances=1, **arguments)
    with pytest.raises(ConfigurationError, match=r"allowed = 1 .* give max_exceedances"):
        surefoot.assess(Fake(), POPULATION, promise=1.0, allowed=1, **arguments)


def test_a_variance_study_in_one_call(tmp_path: Path) -> None:
    arguments = {"sample_size": 20, "engine": "fake", "journal": tmp_path / "v.db"}
    found = surefoot.variance(
        Fake(noise=0.3), POPULATION, alone=6, draws=2, inits=2, tests=0, **arguments
    )
    assert [len(one.losses) for one in found.experiments] == [6, 6, 6]
    assert "standard deviation" in str(found)
    with Journal.read(tmp_path / "v.db") as journal:
        assert journal.count(Role.VARIANCE) == 16


def test_options_of_former_names_are_refused_with_those_of_today() -> None:
    with pytest.raises(ConfigurationError, match="design = 3 is not known any more: give alone"):
        surefoot.variance(Fake(), POPULATION, design=3, engine="fake")
    with pytest.raises(ConfigurationError, match="rule = None is not known any more: give content"):
        surefoot.sample_size(Fake(), POPULATION, rule=None, engine="fake")


def test_a_sample_size_study_in_one_call() -> None:
    told = Seen()
    found = surefoot.sample_size(
        Fake(noise=0.1), POPULATION, sizes=[10, 40], n=3, engine="fake", watch=told
    )
    assert found.losses.shape == (2, 3)
    assert len(told.outcomes) == 6
    assert str(found).startswith("robust")
    with pytest.raises(SamplingError, match="the paper's sizes begin at 132"):
        surefoot.sample_size(Fake(), POPULATION, engine="fake")


def test_a_plan_in_one_call() -> None:
    candidates = [Fake(quality=1.0 + 0.1 * i, noise=0.1) for i in range(12)]
    arguments = {"sample_size": 20, "engine": "fake", "races": 5}
    found = surefoot.plan(candidates, POPULATION, size=8, n=3, **arguments)
    assert found.pilot.table.losses.shape == (8, 3)
    assert found.advice.row in found.rows
    assert f"take {found.advice.row.choice.name}: " in str(found)
    assert len(str(found).splitlines()) == len(found.rows) + 2
    with pytest.raises(ConfigurationError, match="a study of 3 candidates needs no plan"):
        surefoot.plan(candidates[:3], POPULATION, **arguments)


def test_a_rerace_in_one_call(tmp_path: Path) -> None:
    candidates = [Fake(quality=1.0 + i, noise=0.1) for i in range(4)]
    arguments = {"sample_size": 20, "engine": "fake", "certify": 0, "schedule": Halving()}
    place = tmp_path / "r.db"
    first = surefoot.select(candidates, POPULATION, journal=place, **arguments)
    assert surefoot.rerace(place).state.ranking == first.state.ranking
    other = surefoot.rerace(place, criterion="max", schedule=Halving(0.25))
    assert other.race.criterion.name == "max"
    assert other.state.winner == candidates[0].key
    lacking = surefoot.rerace(place, schedule=Halving(per_round=30))
    assert lacking.state.winner is None
    assert lacking.missing
    with pytest.raises(JournalError, match="the journal has none"):
        surefoot.rerace(place, screen=0.2)


def test_an_unknown_parameter_is_refused_with_the_nearest() -> None:
    for call in (surefoot.assess, surefoot.variance, surefoot.sample_size):
        with pytest.raises(ConfigurationError, match=r"did you mean .sample_size"):
            call(Fake(), POPULATION, sample_sise=3)
    for call in (surefoot.select, surefoot.plan):
        with pytest.raises(ConfigurationError, match=r"did you mean .criterion"):
            call([Fake()], POPULATION, criterium="max")


HOMES = [
    build,
    replay,
    selecting,
    planning,
    reracing,
    assess_study,
    compare,
    gridding,
    searching,
    sample_size,
    transfer,
    varying,
]


@pytest.mark.parametrize("home", HOMES)
def test_the_examples_of_the_docstrings_run(home: ModuleType) -> None:
    done = doctest.testmod(home)
    assert done.attempted >= 3
    assert done.failed == 0


def test_bad_input_is_one_sentence() -> None:
    with pytest.raises(ConfigurationError, match="at least one candidate"):
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


def test_help_lists_every_option_with_its_default() -> None:
    for call in (surefoot.select, surefoot.plan):
        shown = inspect.signature(call).parameters
        assert not [p for p in shown.values() if p.kind is p.VAR_KEYWORD]
        assert set(shown) >= SelectOptions.__annotations__.keys()
        assert (shown["criterion"].default, shown["paired"].default) == ("mean", True)
        assert shown["cost"].default == "instances"
        assert "    schedule, rule, limit, max_instances\n" in call.__doc__
    for call in (surefoot.assess, surefoot.variance, surefoot.sample_size):
        shown = inspect.signature(call).parameters
        assert set(shown) >= set(TrainingOptions.__annotations__)
        assert (shown["loss"].default, shown["engine"].default) == ("rmse", "auto")
        assert "    loss\n        What is trained on" in call.__doc__
        assert "**options" not in call.__doc__


def test_a_limit_is_the_same_limit_as_integer_and_as_float(tmp_path: Path) -> None:
    candidates = [Fake(quality=1.0 + i, noise=0.1) for i in range(4)]
    arguments = {"sample_size": 20, "engine": "fake", "certify": 0, "journal": tmp_path / "l.db"}
    first = surefoot.select(candidates, POPULATION, limit=200, **arguments)
    again = surefoot.select(candidates, POPULATION, limit=200.0, **arguments)
    assert again.state.ranking == first.state.ranking
