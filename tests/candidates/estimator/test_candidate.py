from __future__ import annotations

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVR

import surefoot
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.candidates.space import SearchSpace
from surefoot.errors import CandidateError
from surefoot.registry import lookup


def test_a_path_and_a_live_estimator_are_the_same_candidate() -> None:
    live = EstimatorCandidate.of(make_pipeline(StandardScaler(), SVR(C=3.0)))
    written = EstimatorCandidate(
        "sklearn.svm.SVR", {"C": 3.0}, ["sklearn.preprocessing.StandardScaler"]
    )
    assert live == written
    assert hash(live) == hash(written)
    assert live.key == written.key
    assert live.label == "StandardScaler → SVR(C=3)"
    assert live != EstimatorCandidate("sklearn.svm.SVR", {"C": 3.0})


def test_steps_get_the_names_of_make_pipeline() -> None:
    steps = ["sklearn.preprocessing.StandardScaler", MinMaxScaler((0, 2))]
    candidate = EstimatorCandidate("sklearn.svm.SVR", None, [*steps, steps[0]])
    expected = make_pipeline(StandardScaler(), MinMaxScaler(), StandardScaler(), SVR())
    made = candidate.make(np.random.default_rng(0))
    assert [name for name, _ in made.steps] == [name for name, _ in expected.steps]
    assert made.steps[1][1].feature_range == (0, 2)


@pytest.mark.parametrize(
    "candidate",
    [
        EstimatorCandidate("sklearn.svm.SVR", {"C": 3.0}, ["sklearn.preprocessing.Normalizer"]),
        EstimatorCandidate("xgboost.XGBRegressor", {"max_depth": 2}, side=True),
    ],
)
def test_a_spec_gives_the_candidate_back(candidate: EstimatorCandidate) -> None:
    spec = json.loads(json.dumps(candidate.spec()))
    again = EstimatorCandidate.from_spec(spec)
    assert (again, again.key, again.side) == (candidate, candidate.key, candidate.side)
    assert pickle.loads(pickle.dumps(candidate)) == candidate
    assert lookup("candidates", "estimator").from_spec(spec) == candidate


def test_a_spec_may_have_steps_and_a_misspelt_field_is_named() -> None:
    spec = {"class": "sklearn.svm.SVR", "steps": ["sklearn.preprocessing.StandardScaler"]}
    assert EstimatorCandidate.from_spec(spec).label == "StandardScaler → SVR"
    with pytest.raises(CandidateError, match="no field 'step': did you mean 'steps'"):
        EstimatorCandidate.from_spec({"class": "sklearn.svm.SVR", "step": []})
    with pytest.raises(CandidateError, match="names no 'class'"):
        EstimatorCandidate.from_spec({"parameters": {}})


def test_a_spec_is_a_copy() -> None:
    candidate = EstimatorCandidate("sklearn.svm.SVR", {"C": 3.0})
    candidate.spec()["parameters"]["C"] = 4.0
    assert candidate.spec()["parameters"] == {"C": 3.0}


def test_a_builder_fills_a_search_space() -> None:
    scaler = ["sklearn.preprocessing.StandardScaler"]
    build = EstimatorCandidate.builder("sklearn.svm.SVR", scaler, side=True)
    space = SearchSpace.product(build, C=[1.0, 10.0], gamma=["scale", 0.1, 0.01])
    assert len(space) == 6
    assert space.candidates[1].label == "StandardScaler → SVR(C=1, gamma=0.1) +side"


def test_classes_and_text_are_no_live_estimators() -> None:
    for thing in (SVR, "sklearn.svm.SVR"):
        with pytest.raises(CandidateError, match="is not an estimator object"):
            EstimatorCandidate.of(thing)


def test_describing_a_candidate_imports_nothing() -> None:
    program = (
        "import sys; from surefoot import EstimatorCandidate;"
        "c = EstimatorCandidate('sklearn.svm.SVR', {'C': 1.0}); c.key, c.label;"
        "print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"False"


def test_a_table_of_a_study_file_is_a_space() -> None:
    table = {
        "class": "sklearn.neural_network.MLPRegressor",
        "steps": ["sklearn.preprocessing.StandardScaler"],
        "side": True,
        "parameters": {"hidden_layer_sizes": [[20, 20], [50]], "alpha": [0.1, 1.0], "max_iter": 5},
    }
    labels = [candidate.label for candidate in EstimatorCandidate.space(table)]
    assert len(labels) == 4
    assert labels[0] == (
        "StandardScaler → MLPRegressor(alpha=0.1, hidden_layer_sizes=[20, 20], max_iter=5) +side"
    )
    with pytest.raises(CandidateError, match="no field 'parameter': did you mean 'parameters'"):
        EstimatorCandidate.space({"class": "a.B", "parameter": {}})
    assert len(EstimatorCandidate.space({"class": "sklearn.svm.SVR"})) == 1


@pytest.mark.parametrize(
    ("path", "luck"),
    [
        ("sklearn.linear_model.LinearRegression", ""),
        ("sklearn.svm.SVR", ""),
        ("sklearn.neural_network.MLPRegressor", "seed"),
    ],
)
def test_a_certificate_speaks_only_of_luck_that_there_is(path, luck):
    candidate = EstimatorCandidate(path)
    assert candidate.luck == luck
    rng = np.random.default_rng(1)
    data = surefoot.Population(rng.normal(size=(60, 2)), rng.normal(size=60))
    found = surefoot.assess(candidate, data, n=3, sample_size=20, workers=1)
    said = found.certificate.conditions()
    assert ("each with its own seed" in said) == bool(luck)
    assert "initialisation" not in said
