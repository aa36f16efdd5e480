from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from distributed import Client
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import check_estimator

from surefoot.candidates.convnet.network import Conv, ConvNet
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.candidates.space import SearchSpace
from surefoot.errors import CandidateError, DataError, SurefootError
from surefoot.executors.dask.executor import DaskExecutor
from surefoot.racing.schedules.rounds import Halving
from surefoot.selector.selector import RobustSelector

REGRESSORS = [DummyRegressor(), DecisionTreeRegressor(max_depth=2), Ridge(0.01)]
CLASSIFIERS = [DummyClassifier(), make_pipeline(StandardScaler(), LogisticRegression())]


@pytest.fixture(scope="module")
def diabetes() -> tuple[Any, Any]:
    return load_diabetes(return_X_y=True)


@pytest.fixture(scope="module")
def cancer() -> tuple[Any, Any]:
    data = load_breast_cancer()
    return data.data[:, :8], data.target_names[data.target]


def selector(candidates: Any, **changes: Any) -> RobustSelector:
    return RobustSelector(candidates, **{"certify": 0, "random_state": 3, **changes})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "candidates",
    [
        [Ridge(), DecisionTreeRegressor(max_depth=4)],
        [GaussianNB(), DecisionTreeClassifier(max_depth=3)],
    ],
    ids=["regressors", "classifiers"],
)
def test_scikit_learns_checks_pass(candidates: list[Any]) -> None:
    quick = selector(candidates, schedule=Halving(warmup=1), target_among_features=True)
    # a draw of weighted examples is none of repeated ones
    random = "check_sample_weight_equivalence_on_dense_data"
    results = check_estimator(
        quick, on_fail=None, on_skip=None, expected_failed_checks={random: "draws differ"}
    )
    assert len(results) > 50
    assert {one["check_name"] for one in results if one["status"] != "passed"} <= {
        "check_array_api_input",
        random,
    }
    assert not [one for one in results if one["status"] == "failed"]


def test_the_winner_is_refitted_on_everything(diabetes: tuple[Any, Any]) -> None:
    x, y = diabetes
    fitted = selector(REGRESSORS, certify=59).fit(x, y)
    assert fitted.best_candidate_ == EstimatorCandidate.of(Ridge(0.01))
    np.testing.assert_allclose(fitted.predict(x), Ridge(0.01).fit(x, y).predict(x))
    assert fitted.score(x, y) == pytest.approx(Ridge(0.01).fit(x, y).score(x, y))
    assert fitted.certificate_ is not None
    assert fitted.certificate_.n == 59
    assert 50 < fitted.certificate_.bound.value < 75
    assert fitted.ranking_[0]["reason"] == "winner"


def test_the_table_has_the_losses_of_the_race(diabetes: tuple[Any, Any]) -> None:
    fitted = selector(REGRESSORS, schedule=Halving(warmup=5)).fit(*diabetes)
    table = fitted.cv_results_
    assert table["rank_test_score"][fitted.best_index_] == 1
    assert sorted(table["rank_test_score"]) == [1, 2, 3]
    assert table["label"][1:] == ["DecisionTreeRegressor(max_depth=2)", "Ridge(alpha=0.01)"]
    assert table["params"][2] == {
        "class": "sklearn.linear_model.Ridge",
        "alpha": 0.01,
        "side": False,
    }
    assert table["param_max_depth"].mask.tolist() == [True, False, True]
    assert table["param_alpha"][2] == 0.01
    theirs = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=5).fit(*diabetes).cv_results_
    assert theirs.keys() - {"param_alpha"} <= table.keys()
    assert {type(theirs[name]) for name in theirs} >= {type(table[name]) for name in theirs}
    splits = np.stack([table[f"split{i}_test_score"] for i in range(5)])
    np.testing.assert_allclose(splits.mean(axis=0)[0], table["mean_test_score"][0])
    np.testing.assert_allclose(splits.std(axis=0)[0], table["std_test_score"][0])
    assert fitted.best_score_ == table["mean_test_score"].max()
    assert (table["mean_fit_time"] > 0).all()


def test_classes_keep_their_labels_and_probabilities_their_order(cancer: tuple[Any, Any]) -> None:
    x, y = cancer
    fitted = selector(CLASSIFIERS).fit(x, y)
    assert fitted.classes_.tolist() == ["benign", "malignant"]
    assert fitted.best_index_ == 1
    expected = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    assert (fitted.predict(x) == expected.predict(x)).mean() > 0.99
    np.testing.assert_allclose(fitted.predict_proba(x), expected.predict_proba(x), atol=1e-3)
    assert fitted.score(x, y) > 0.9


def test_probabilities_are_offered_where_all_candidates_have_them(cancer: tuple[Any, Any]) -> None:
    sure, unsure = selector(CLASSIFIERS), selector([SVC(), DummyClassifier()])
    assert hasattr(sure, "predict_proba")
    assert not hasattr(unsure, "predict_proba")
    assert not hasattr(selector(REGRESSORS), "predict_proba")
    assert unsure.fit(*cancer).score(*cancer) > 0.6


def test_it_works_in_a_pipeline_is_cloned_and_cross_validated(diabetes: tuple[Any, Any]) -> None:
    piped = make_pipeline(StandardScaler(), selector(REGRESSORS))
    copy = clone(piped)
    assert copy[1].candidates is not piped[1].candidates
    assert copy[1].get_params()["certify"] == 0
    scores = cross_val_score(copy, *diabetes, cv=3)
    assert scores.shape == (3,)
    assert (scores > 0.35).all()
    expected = cross_val_score(make_pipeline(StandardScaler(), Ridge(0.01)), *diabetes, cv=3)
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
    with pytest.raises(NotFittedError):
        copy.predict(diabetes[0])


def test_the_seed_settles_everything_and_processes_change_nothing(
    diabetes: tuple[Any, Any],
) -> None:
    here, again, there, other = (
        selector(REGRESSORS[1:], n_jobs=jobs, random_state=seed).fit(*diabetes)
        for jobs, seed in ((None, 1), (None, 1), (2, 1), (None, 2))
    )
    score = "split0_test_score"
    assert here.cv_results_[score].tolist() == again.cv_results_[score].tolist()
    assert here.cv_results_[score].tolist() == there.cv_results_[score].tolist()
    assert here.cv_results_[score].tolist() != other.cv_results_[score].tolist()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_it_trains_where_it_is_told(diabetes: tuple[Any, Any], threads: Client) -> None:
    score = "split0_test_score"
    here, there = (selector(REGRESSORS[1:], executor=where) for where in (None, threads))
    assert (
        here.fit(*diabetes).cv_results_[score].tolist()
        == clone(there).fit(*diabetes).cv_results_[score].tolist()
    )
    with DaskExecutor(threads, "estimator") as dask:
        copied = clone(make_pipeline(selector(REGRESSORS[1:], executor=dask)))
        copied.fit(*diabetes)
    assert copied[0].executor is dask
    assert copied[0].cv_results_[score].tolist() == here.cv_results_[score].tolist()


def test_processes_and_an_executor_are_one_too_many(diabetes: tuple[Any, Any]) -> None:
    with pytest.raises(SurefootError, match="n_jobs = 2 is for this machine, but an executor"):
        selector(REGRESSORS, n_jobs=2, executor="local:2").fit(*diabetes)


def test_it_is_of_the_kind_of_its_candidates() -> None:
    assert is_regressor(selector(REGRESSORS))
    assert is_classifier(selector(CLASSIFIERS))
    build = EstimatorCandidate.builder("sklearn.svm.SVC")
    assert is_classifier(selector(SearchSpace.product(build, C=[1.0, 2.0])))


def test_several_outputs(diabetes: tuple[Any, Any]) -> None:
    x, y = diabetes
    both = np.stack([y, -y], axis=1)
    fitted = selector([Ridge(), LinearRegression()]).fit(x, both)
    assert fitted.predict(x).shape == both.shape


def test_a_fitted_selector_is_pickled_by_its_user(diabetes: tuple[Any, Any]) -> None:
    fitted = selector(REGRESSORS).fit(*diabetes)
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict(diabetes[0]), fitted.predict(diabetes[0]))


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        ([], "candidates is empty"),
        ("sklearn.svm.SVC", "must be a list of estimators"),
        ([ConvNet((Conv(2),))], "is a convnet, which scikit-learn cannot refit"),
        ([make_pipeline(FunctionTransformer(np.abs), Ridge())], "cannot be written as an import"),
    ],
)
def test_candidates_that_cannot_race_are_named(
    candidates: Any, message: str, diabetes: tuple[Any, Any]
) -> None:
    with pytest.raises(CandidateError, match=message):
        selector(candidates).fit(*diabetes)


def test_mixed_kinds_and_wrong_losses_are_refused(diabetes: tuple[Any, Any]) -> None:
    with pytest.raises(SurefootError, match="SVC is a classifier"):
        selector([Ridge(), SVC()]).fit(*diabetes)
    with pytest.raises(DataError, match="brier is one of classification"):
        selector(REGRESSORS, loss="brier").fit(*diabetes)


def test_an_only_candidate_is_certified_and_refitted(diabetes: tuple[Any, Any]) -> None:
    fitted = selector([Ridge(0.01)], certify=4).fit(*diabetes)
    assert fitted.best_index_ == 0
    assert fitted.certificate_ is not None
    scores = [fitted.cv_results_[f"split{i}_test_score"][0] for i in range(4)]
    assert scores == [-loss for loss in fitted.certificate_.losses]
    assert fitted.best_score_ == pytest.approx(np.mean(scores))
    assert fitted.cv_results_["mean_fit_time"][0] > 0.0
    bare = selector([Ridge(0.01)]).fit(*diabetes)
    assert np.isnan(bare.best_score_)
    assert selector(REGRESSORS, schedule="halving").fit(*diabetes).best_index_ == 2


def test_what_a_selector_cannot_use_is_refused(diabetes: tuple[Any, Any]) -> None:
    for name, value in (("certify", 2.5), ("sample_size", np.nan), ("schedule", 3), ("loss", 3)):
        with pytest.raises(SurefootError):
            selector([Ridge()], **{name: value}).fit(*diabetes)


def test_missing_values_reach_candidates_that_take_them(diabetes: tuple[Any, Any]) -> None:
    x, y = diabetes
    x = np.where(np.random.default_rng(2).random(x.shape) < 0.1, np.nan, x)
    imputed = make_pipeline(StandardScaler(), SimpleImputer(), Ridge(0.01))
    fitted = selector([DecisionTreeRegressor(max_depth=2), imputed]).fit(x, y)
    assert fitted.best_index_ == 1
    np.testing.assert_allclose(fitted.predict(x), clone(imputed).fit(x, y).predict(x))
    with pytest.raises(ValueError, match="contains NaN"):
        selector([DecisionTreeRegressor(max_depth=2), Ridge()]).fit(x, y)


def test_weights_reach_the_race_and_the_winner(diabetes: tuple[Any, Any]) -> None:
    x, y = diabetes
    weights = np.where(y > 150, 50.0, 1.0)
    scaled = make_pipeline(StandardScaler(), Ridge(0.01))
    fitted = selector([DummyRegressor(), scaled], schedule=Halving(warmup=2))
    heavy = fitted.fit(x, y, sample_weight=weights)
    expected = clone(scaled).fit(x, y, ridge__sample_weight=weights)
    np.testing.assert_allclose(heavy.predict(x), expected.predict(x))
    assert heavy.score(x, y, weights) == expected.score(x, y, sample_weight=weights)
    twice = [np.concatenate([one, one]) for one in (x, y)]
    masked = clone(fitted).fit(*twice, sample_weight=np.append(weights, np.zeros(len(y))))
    np.testing.assert_array_equal(masked.predict(x), heavy.predict(x))
    losses = heavy.cv_results_["split0_test_score"]
    plain = clone(fitted).fit(x, y).cv_results_["split0_test_score"]
    assert (losses != plain).all()  # in training and in the test loss


def test_weights_that_cannot_be_used_are_refused(diabetes: tuple[Any, Any]) -> None:
    x, y = diabetes
    neighbours = KNeighborsRegressor(2)
    with pytest.raises(SurefootError, match=r"KNeighbors.*takes no weights of examples"):
        selector([Ridge(), neighbours]).fit(x, y, sample_weight=np.ones(len(y)))
    for wrong, message in (
        (-np.ones(len(y)), "hold -1"),
        (np.zeros(len(y)), "sample_weight hold 0 in example 0"),
        (np.ones(3), "3 entries"),
    ):
        with pytest.raises(DataError, match=message):
            selector([Ridge()]).fit(x, y, sample_weight=wrong)


@pytest.fixture(scope="module")
def houses() -> tuple[pd.DataFrame, Any]:
    generator = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "area": generator.uniform(50, 200, 300),
            "district": generator.choice(["Hill", "Mill", "Valley"], 300),
            "heating": pd.Categorical(generator.choice([7, 11], 300)),
        }
    )
    price = frame["area"] + frame["district"].map({"Hill": 900.0, "Mill": 0.0, "Valley": 400.0})
    return frame, price + 300.0 * (frame["heating"] == 11)


def test_categories_of_a_frame_reach_candidates_that_take_them(
    houses: tuple[pd.DataFrame, Any],
) -> None:
    frame, price = houses
    encoder = OneHotEncoder(handle_unknown="ignore")
    chosen = ColumnTransformer(
        [("encode", encoder, ["district", "heating"])], remainder="passthrough"
    )
    trees = HistGradientBoostingRegressor(max_iter=5, categorical_features="from_dtype")
    linear = make_pipeline(chosen, LinearRegression())
    fitted = selector([trees, linear], schedule=Halving(warmup=2)).fit(frame, price)
    assert fitted.best_index_ == 1
    np.testing.assert_allclose(fitted.predict(frame), price)
    assert fitted.feature_names_in_.tolist() == ["area", "district", "heating"]
    elsewhere = frame.head(3).assign(district="Hill", heating=[7, 11, 13])
    expected = 900.0 + frame["area"].head(3) + [0, 300, 0]
    np.testing.assert_allclose(fitted.predict(elsewhere)[:2], expected[:2])
    alone = selector([trees]).fit(frame, price)
    assert alone.best_estimator_.is_categorical_.tolist() == [False, True, True]
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(frame), fitted.predict(frame))


def test_categories_that_cannot_be_used_are_refused(houses: tuple[pd.DataFrame, Any]) -> None:
    frame, price = houses
    with pytest.raises(SurefootError, match=r"Ridge.*takes no categories"):
        selector([Ridge()]).fit(frame, price)
    fitted = selector([HistGradientBoostingRegressor(max_iter=2)]).fit(frame, price)
    with pytest.raises(
        DataError,
        match=r"no data frame.*fitted \(district, heating",
    ):
        fitted.predict(frame.to_numpy())
    with pytest.raises(ValueError, match="same order"):
        fitted.predict(frame[["district", "area", "heating"]])
