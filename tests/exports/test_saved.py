from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

import surefoot
from surefoot.candidates import trust
from surefoot.candidates.base import Candidate
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.data.population import Population, Sampling
from surefoot.engines.estimator.engine import EstimatorEngine
from surefoot.errors import (
    CandidateError,
    DataError,
    ExportError,
    SurefootError,
    UntrustedError,
)
from surefoot.executors.inline import InlineExecutor
from surefoot.exports.saved import load, save
from surefoot.learning.stopping import Stopping
from surefoot.racing.schedules.rounds import Halving
from surefoot.seeds.ledger import Role
from surefoot.studies.select.selection import Selection
from surefoot.testing import toy_population
from tests.engines import estimators
from tests.engines.cases import MODULES, PLAIN, species

FOREST = EstimatorCandidate(
    "sklearn.ensemble.RandomForestRegressor", {"n_estimators": 4}, side=True
)
PIPED = EstimatorCandidate(
    "sklearn.linear_model.Ridge", {"alpha": 0.5}, ["sklearn.preprocessing.StandardScaler"]
)
SVC = EstimatorCandidate("sklearn.svm.SVC", {"C": 2.0}, ["sklearn.preprocessing.MinMaxScaler"])


def selected(candidate: Candidate, population: Population, loss: str, **changes: Any) -> Selection:
    fields: dict[str, Any] = {"certify": 5, "schedule": Halving(), "executor": InlineExecutor()}
    return surefoot.select([candidate], population, loss=loss, seed=5, **{**fields, **changes})


@pytest.mark.parametrize(
    "candidate",
    [
        FOREST,
        PIPED,
        EstimatorCandidate("sklearn.ensemble.HistGradientBoostingRegressor", {"max_iter": 3}),
        EstimatorCandidate("sklearn.neighbors.KNeighborsRegressor", {"algorithm": "kd_tree"}),
    ],
    ids=lambda candidate: candidate.label[:20],
)
def test_an_estimator_comes_back_with_its_predictions(candidate: Candidate, tmp_path: Path) -> None:
    population = toy_population()
    selection = selected(candidate, population, "rmse")
    folder = save(selection, tmp_path / "winner", instance=2)
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "model.json",
        "model.skops",
    ]
    model = load(folder)
    assert model.candidate == candidate
    training = selection.train(2)
    assert training.predictor is not None
    expected = training.predictor.predict(population.features, population.side)
    np.testing.assert_array_equal(
        model.predict(population.features, population.side), expected[:, 0]
    )
    assert model.record["loss"] == training.outcome.loss
    assert b"pickle" not in (folder / "model.skops").read_bytes()


def test_a_classifier_gives_labels(tmp_path: Path) -> None:
    population = species()
    selection = selected(
        SVC, population, "error_rate", sampling=Sampling(60, stratify=True, test_size=40)
    )
    model = load(save(selection, tmp_path / "svc"))
    predicted = model.predict(population.features)
    assert set(predicted) <= {"kaon", "muon", "pion"}
    assert model.classes == ("kaon", "muon", "pion")
    truth = np.array(model.classes)[population.target[:, 0].astype(int)]
    assert (predicted == truth).mean() > 0.5


def test_everything_is_a_fit_to_all_examples(tmp_path: Path) -> None:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    population = toy_population()
    folder = save(selected(PIPED, population, "rmse"), tmp_path / "all", refit="everything")
    x, y = population.features.astype(np.float64), population.target[:, 0].astype(np.float64)
    expected = make_pipeline(StandardScaler(), Ridge(0.5)).fit(x, y).predict(x)
    np.testing.assert_allclose(load(folder).predict(population.features), expected, rtol=1e-5)
    card = (folder / "README.md").read_text()
    assert "fitted to all 240 examples; no loss of this fit is known" in card
    assert "so it is not one of them" in card


def test_a_networks_weights_come_back(tmp_path: Path) -> None:
    population = toy_population()
    selection = selected(
        PLAIN,
        population,
        "rmse",
        certify=1,
        stopping=Stopping(2),
        engine="torch_eager",
        executor=InlineExecutor("torch_eager"),
    )
    folder = save(selection, tmp_path / "net")
    model = load(folder)
    training = selection.train(0)
    assert training.predictor is not None
    expected = training.predictor.predict(population.features, population.side)[:, 0]
    np.testing.assert_allclose(model.predict(population.features), expected, rtol=1e-5)
    images = population.features.reshape(-1, 15, 15)
    np.testing.assert_allclose(model.predict(images), expected, rtol=1e-5)


def test_a_torch_module_comes_back_with_its_side_features(tmp_path: Path) -> None:
    population, candidate = toy_population(), MODULES["he"]
    selection = selected(candidate, population, "rmse", certify=1, stopping=Stopping(2))
    model = load(save(selection, tmp_path / "module"))
    assert model.candidate == candidate
    training = selection.train(0)
    assert training.predictor is not None
    expected = training.predictor.predict(population.features, population.side)[:, 0]
    found = model.predict(population.features, population.side)
    np.testing.assert_array_equal(found, expected)


def test_the_card_says_what_how_and_what_is_certified(tmp_path: Path) -> None:
    population = toy_population()
    selection = selected(PIPED, population, "rmse", certify=59)
    card = (save(selection, tmp_path / "winner") / "README.md").read_text()
    assert card.startswith("# StandardScaler → Ridge(alpha=0.5)\n")
    assert population.fingerprint in card
    assert '"class": "sklearn.linear_model.Ridge"' in card
    assert "instance 0: a bootstrap sample of 120 examples of the pool; rmse" in card
    assert selection.certificate is not None
    assert selection.certificate.sentence() in card
    assert "scikit-learn " in card
    loss = selection.study.instance(PIPED.key, Role.CERTIFY, 0)
    outcome = EstimatorEngine().train(loss, selection.study.setting).outcome
    assert f"{outcome.loss:.6g} on its test sample" in card


def test_what_cannot_be_saved_or_read_is_said(tmp_path: Path) -> None:
    selection = selected(estimators.measured.candidate(), toy_population(), "rmse", certify=0)
    with pytest.raises(CandidateError, match=r"left no model to save.*returns its loss alone"):
        save(selection, tmp_path / "function")
    with pytest.raises(CandidateError, match="cannot be fitted to everything"):
        save(selection, tmp_path / "function", refit="everything")
    with pytest.raises(CandidateError, match="has no weights to save: only estimators"):
        save(selected(estimators.line.candidate(), toy_population(), "rmse"), tmp_path / "line")
    good = selected(PIPED, toy_population(), "rmse", certify=0)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes").write_text("mine")
    with pytest.raises(SurefootError, match="exists and is not an empty folder"):
        save(good, tmp_path / "full")
    with pytest.raises(SurefootError, match="holds no saved model"):
        load(tmp_path / "full")
    assert not (tmp_path / "function").exists()


def test_a_file_with_foreign_types_is_not_read_unless_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "_named", set())
    constant = EstimatorCandidate("tests.engines.estimators.Constant", {"value": 3.0})
    folder = save(selected(constant, toy_population(), "rmse", certify=0), tmp_path / "constant")
    monkeypatch.setattr(trust, "_given", set())
    with pytest.raises(UntrustedError, match=r"'tests\.engines\.estimators\.Constant'.*--trust"):
        load(folder)
    model = load(folder, trust="tests.engines.estimators")
    assert model.predict(np.zeros((2, 225))).tolist() == [3.0, 3.0]
    record = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**record, "format": 99}))
    with pytest.raises(SurefootError, match="has format 99; this reads 1"):
        load(folder)


def test_a_frame_is_read_by_the_names_of_its_columns(tmp_path):
    rng = np.random.default_rng(2)
    frame = pandas.DataFrame(rng.normal(size=(50, 3)), columns=["a", "b", "c"])
    frame["y"] = frame @ [1.0, 10.0, 100.0]
    data = surefoot.Population.from_frame(frame, "y", side=["c"])
    candidate = EstimatorCandidate("sklearn.linear_model.Ridge", {"alpha": 1e-6}, side=True)
    found = surefoot.select([candidate], data, certify=1, executor=surefoot.InlineExecutor())
    model = surefoot.load(surefoot.save(found, tmp_path / "model"))
    plain = model.predict(frame[["a", "b"]].to_numpy(), frame[["c"]].to_numpy())
    np.testing.assert_allclose(plain, frame["y"], rtol=1e-3, atol=1e-2)
    turned = frame.assign(other=5.0)[["other", "c", "y", "b", "a"]]
    np.testing.assert_array_equal(model.predict(turned), plain)
    np.testing.assert_array_equal(model.predict(turned[["b", "a"]], turned[["c"]]), plain)
    with pytest.raises(DataError, match="no column 'b'"):
        model.predict(frame[["a", "c"]])
    with pytest.raises(DataError, match="features have 3 columns, but the model takes 2"):
        model.predict(frame[["a", "b", "c"]].to_numpy(), frame[["c"]].to_numpy())
    with pytest.raises(DataError, match="masked"):
        model.predict(np.ma.masked_greater(frame[["a", "b"]], 0.0), frame[["c"]])
    with pytest.raises(DataError, match="nan in row 0"):
        model.predict(frame[["a", "b"]] * np.nan, frame[["c"]])


def test_on_a_full_disk_no_half_of_a_folder_stays(
    tmp_path: Path, full_disk: Callable[[], None]
) -> None:
    selection = selected(PIPED, toy_population(), "rmse", certify=1)
    full_disk()
    with pytest.raises(ExportError, match="winner cannot be written: File too large"):
        save(selection, tmp_path / "winner")
    assert list(tmp_path.iterdir()) == []
