"""The engine of estimators and functions; scikit-learn called by hand is the oracle."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import Conv, ConvNet
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.candidates.function import FunctionCandidate
from surefoot.data.population import Population, Sampling
from surefoot.engines.base import Stopped
from surefoot.engines.estimator.engine import EstimatorEngine, one_thread
from surefoot.instances import Setting, Status, Training
from surefoot.learning.losses import Loss
from surefoot.seeds.ledger import Stream
from surefoot.testing import toy_instance, toy_population, toy_setting
from tests.engines import estimators
from tests.engines.cases import species

HERE = "tests.engines.estimators."
RIDGE = EstimatorCandidate("sklearn.linear_model.Ridge", {"alpha": 0.5})
FOREST = EstimatorCandidate("sklearn.ensemble.RandomForestRegressor", {"n_estimators": 5})
TREE = EstimatorCandidate("sklearn.tree.DecisionTreeClassifier", {"max_depth": 2})


def train(candidate: Candidate, setting: Setting | None = None, number: int = 0) -> Training:
    return EstimatorEngine().train(toy_instance(candidate, number), setting or toy_setting())


def classes_setting(loss: str, population: Population | None = None, **sampling: Any) -> Setting:
    return toy_setting(population or species(), loss=Loss(loss), sampling=Sampling(60, **sampling))


def test_a_ridge_has_the_loss_of_scikit_learns_own() -> None:
    setting = toy_setting(loss=Loss("rmse"))
    draw, population = toy_instance(RIDGE).draw(setting), setting.halves.population
    x, y = population.features.astype(np.float64), population.target[:, 0].astype(np.float64)
    model = Ridge(alpha=0.5).fit(x[draw.train], y[draw.train])
    expected = sklearn.metrics.root_mean_squared_error(y[draw.test], model.predict(x[draw.test]))
    outcome = train(RIDGE, setting).outcome
    assert outcome.loss == pytest.approx(expected, rel=1e-6)
    assert outcome.engine == "estimator"


def test_a_pipeline_of_live_objects_is_trained_as_scikit_learn_trains_it() -> None:
    live = make_pipeline(StandardScaler(), Ridge(alpha=2.0))
    setting = toy_setting(toy_population(outputs=2), loss=Loss("mae"))
    candidate = EstimatorCandidate.of(live)
    draw, population = toy_instance(candidate).draw(setting), setting.halves.population
    x, y = population.features.astype(np.float64), population.target.astype(np.float64)
    expected = np.abs(live.fit(x[draw.train], y[draw.train]).predict(x[draw.test]) - y[draw.test])
    assert train(candidate, setting).outcome.loss == pytest.approx(expected.mean(), rel=1e-5)


def test_the_seed_comes_from_the_ledger_wherever_it_sits() -> None:
    piped = EstimatorCandidate.of(make_pipeline(StandardScaler(), RandomForestRegressor(5)))
    for candidate in (FOREST, piped):
        first, again, other = (train(candidate, number=i).outcome.loss for i in (0, 0, 1))
        assert first == again != other
    setting, instance = toy_setting(), toy_instance(FOREST)
    made = FOREST.make(np.random.default_rng(4))
    assert made.random_state == FOREST.make(np.random.default_rng(4)).random_state
    assert made.random_state != FOREST.make(np.random.default_rng(5)).random_state
    lucky = replace(instance, seed=replace(instance.seed, init=7))
    assert EstimatorEngine().train(lucky, setting).outcome.loss != train(FOREST).outcome.loss


def test_a_seed_alone_changes_the_loss_of_a_noisy_estimator() -> None:
    noisy = EstimatorCandidate(HERE + "Noisy")
    losses = [
        EstimatorEngine().train(toy_instance(noisy, 3, init=i), toy_setting()).outcome.loss
        for i in range(4)
    ]
    assert len(set(losses)) == 4


def test_an_object_without_scikit_learn_is_an_estimator_too() -> None:
    plain = EstimatorCandidate(HERE + "Plain", {"shift": 0.25})
    setting = toy_setting(loss=Loss("mae"))
    training = train(plain, setting)
    draw, target = toy_instance(plain).draw(setting), setting.halves.population.target
    mean = target[draw.train].astype(np.float64).mean() + 0.25
    expected = np.abs(target[draw.test] - mean).mean()
    assert training.outcome.loss == pytest.approx(expected, rel=1e-5)


def test_one_thread_each_unless_told() -> None:
    generator = np.random.default_rng(0)
    assert EstimatorCandidate(HERE + "Noisy").make(generator).n_jobs == 1
    assert EstimatorCandidate(HERE + "Noisy").make(generator, threads=3).n_jobs == 3
    assert EstimatorCandidate(HERE + "Noisy", {"n_jobs": 2}).make(generator).n_jobs == 2
    import threadpoolctl

    with one_thread():
        assert {pool["num_threads"] for pool in threadpoolctl.threadpool_info()} == {1}


@pytest.mark.parametrize(
    ("parameters", "status", "message"),
    [
        ({"mood": "raises"}, Status.FAILED, "ArithmeticError: no solution today"),
        ({"mood": "warns"}, Status.FINISHED, "RuntimeWarning: it did not converge"),
        ({"mood": "none", "value": float("nan")}, Status.DIVERGED, ""),
        ({"mood": "none", "value": 1e300}, Status.DIVERGED, ""),
    ],
)
def test_what_goes_wrong_is_recorded(
    parameters: dict[str, Any], status: Status, message: str
) -> None:
    outcome = train(EstimatorCandidate(HERE + "Moody", parameters)).outcome
    assert (outcome.status, outcome.message) == (status, message)
    assert (outcome.loss == float("inf")) is (status is not Status.FINISHED)


def test_predictions_of_a_wrong_shape_fail() -> None:
    outcome = train(EstimatorCandidate(HERE + "Wide")).outcome
    assert outcome.status is Status.FAILED
    assert outcome.message == "CandidateError: predictions have shape (50, 7); must be [n, 1]"


@pytest.mark.parametrize("mood", ["sleeps", "sleeps deeply"])
def test_a_fit_is_stopped_within_two_seconds(mood: str) -> None:
    stop = np.zeros(1, dtype=np.uint8)
    candidate = EstimatorCandidate(HERE + "Moody", {"mood": mood})
    raised: list[float] = []

    def raise_flag() -> None:
        raised.append(time.perf_counter())
        stop[0] = 1

    threading.Timer(0.1, raise_flag).start()
    with pytest.raises(Stopped):
        EstimatorEngine().train(toy_instance(candidate), toy_setting(), stop)
    assert time.perf_counter() - raised[0] < 2.0


def test_side_features_are_further_columns_only_where_asked_for() -> None:
    setting = toy_setting(loss=Loss("rmse"))
    population = setting.halves.population
    assert population.side is not None
    with_side = train(FunctionCandidate(HERE + "by_side", side=True, version=3), setting)
    draw = toy_instance(FOREST).draw(setting)
    residual = population.side[draw.test] - population.target[draw.test]
    assert with_side.outcome.loss == pytest.approx(float(np.sqrt((residual**2).mean())), rel=1e-5)
    ridge = EstimatorCandidate("sklearn.linear_model.Ridge", {"alpha": 1e-3}, side=True)
    assert train(ridge, setting).predictor.model.n_features_in_ == 226  # type: ignore[union-attr]
    bare = Population(population.features, population.target)
    reason = EstimatorEngine().refusal(ridge, toy_setting(bare))
    assert reason == "Ridge(alpha=0.001) +side takes side features but population has none"


@pytest.mark.parametrize("loss", ["cross_entropy", "brier", "error_rate"])
def test_classifiers_have_scikit_learns_losses(loss: str) -> None:
    setting = classes_setting(loss)
    training, population = train(TREE, setting), setting.halves.population
    draw = toy_instance(TREE).draw(setting)
    model = TREE.make(toy_instance(TREE).seed.generator(Stream.NOISE))
    x, y = population.features.astype(np.float64), population.target[:, 0].astype(int)
    model.fit(x[draw.train], y[draw.train])
    p, truth = model.predict_proba(x[draw.test]).astype(np.float32), y[draw.test]
    expected = {
        "cross_entropy": lambda: sklearn.metrics.log_loss(truth, p, labels=[0, 1, 2]),
        "brier": lambda: float(((p - np.eye(3)[truth]) ** 2).sum(axis=1).mean()),
        "error_rate": lambda: sklearn.metrics.zero_one_loss(truth, model.predict(x[draw.test])),
    }[loss]()
    assert training.outcome.loss == pytest.approx(expected, rel=1e-5)


def test_a_class_that_the_draw_missed_has_probability_zero() -> None:
    labels = ["common", "other"] * 90 + ["rare"] * 4
    population = Population(np.random.default_rng(1).standard_normal((184, 3)), labels)
    setting = toy_setting(population, loss=Loss("brier"), sampling=Sampling(8))
    for number in range(20):
        training = train(TREE, setting, number)
        assert training.outcome.status is Status.FINISHED
        assert training.predictor is not None
        logits = training.predictor.predict(population.features, None)
        assert logits.shape == (184, 3)
        np.testing.assert_allclose(np.exp(logits).sum(axis=1), 1.0, atol=1e-5)


def test_xgboost_sees_classes_without_a_gap() -> None:
    labels = np.arange(120) % 4
    population = Population(
        np.random.default_rng(1).standard_normal((120, 3)), labels, classes=True
    )
    setting = toy_setting(population, loss=Loss("cross_entropy"), sampling=Sampling(4))
    booster = EstimatorCandidate("xgboost.XGBClassifier", {"n_estimators": 2, "max_depth": 2})
    outcomes = [train(booster, setting, i).outcome for i in range(6)]
    assert {outcome.status for outcome in outcomes} == {Status.FINISHED}
    again = train(booster, setting, 3).outcome
    assert again.loss == outcomes[3].loss


def test_the_error_rate_needs_no_probabilities() -> None:
    majority = EstimatorCandidate(HERE + "Majority")
    setting = classes_setting("error_rate")
    outcome = train(majority, setting).outcome
    draw, codes = toy_instance(majority).draw(setting), setting.halves.population.target[:, 0]
    common = np.bincount(codes[draw.train].astype(int)).argmax()
    assert outcome.loss == pytest.approx(float((codes[draw.test] != common).mean()))
    refusal = EstimatorEngine().refusal(majority, classes_setting("brier"))
    assert refusal is not None
    assert "Majority has no predict_proba, which the loss brier needs" in refusal
    assert EstimatorEngine().refusal(EstimatorCandidate.of(SVC()), setting) is None


def test_the_wrong_kind_of_estimator_or_loss_is_refused() -> None:
    refusal = EstimatorEngine().refusal
    assert (
        "Ridge(alpha=0.5) is a regressor, but the target target of species needs a classifier"
        in (str(refusal(RIDGE, classes_setting("error_rate"))))
    )
    assert "is a classifier" in str(refusal(TREE, toy_setting()))
    assert "rmse is one of regression" in str(refusal(TREE, classes_setting("rmse")))
    assert "cross_entropy is one of classification" in str(
        refusal(TREE, toy_setting(loss=Loss("cross_entropy")))
    )
    assert "not convnet" in str(refusal(ConvNet((Conv(2),)), toy_setting()))
    absent = EstimatorCandidate("sklearn.svm.SVRR")
    assert "has no estimator 'SVRR': did you mean 'SVR'" in str(refusal(absent, toy_setting()))
    scaler = EstimatorCandidate("sklearn.preprocessing.StandardScaler")
    assert "has no fit and predict" in str(refusal(scaler, toy_setting()))


def test_functions_return_predictors_or_losses() -> None:
    setting = toy_setting(loss=Loss("rmse"))
    good, shrunk = (train(estimators.line.candidate(shrink=s), setting).outcome for s in (1.0, 0.5))
    assert good.status is Status.FINISHED
    assert good.loss < shrunk.loss
    first, second = (train(estimators.measured.candidate(power=1), setting, i) for i in (0, 1))
    assert first.outcome.status is Status.FINISHED
    assert first.predictor is None
    assert first.outcome.loss != second.outcome.loss
    talks = train(estimators.talks.candidate(), setting).outcome
    assert "returned a str: it must return a loss, a function of features or" in talks.message


def test_a_function_may_return_class_codes() -> None:
    setting = classes_setting("error_rate", stratify=True)
    outcome = train(estimators.nearest_class.candidate(), setting).outcome
    assert outcome.status is Status.FINISHED
    assert 0.05 < outcome.loss < 0.6


def test_only_marked_functions_are_ever_called() -> None:
    refusal = EstimatorEngine().refusal
    for path in (HERE + "unmarked", "os.getcwd"):
        reason = refusal(FunctionCandidate(path), toy_setting())
        assert reason is not None
        assert "must be a function marked with @surefoot.candidate" in reason
