"""Losses of fixed instances, as recorded before: no change of layout may change a number.

`fused_cpu` is exact on any processor, and so is what is fitted in one call after its rounding to
float32; torch sums in an order that depends on the processor.
"""

from __future__ import annotations

import numpy as np
import pytest

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.testing import toy_instance, toy_setting
from tests.engines.cases import MODULES, NETS, Line

RIDGE = EstimatorCandidate(
    "sklearn.linear_model.Ridge", {"alpha": 0.5}, steps=["sklearn.preprocessing.StandardScaler"]
)
BOOSTING = EstimatorCandidate(
    "sklearn.ensemble.HistGradientBoostingRegressor",
    {"max_iter": 20, "min_samples_leaf": 5, "max_features": 0.5},
    side=True,
)
PERCEPTRON = EstimatorCandidate(
    "sklearn.neural_network.MLPRegressor",
    {"hidden_layer_sizes": (8,), "max_iter": 10, "early_stopping": True},
)
EXACT: list[tuple[str, Candidate, list[float]]] = [
    ("fused_cpu", NETS["plain"], [0.9498523473739624, 0.8877944350242615, 0.8088818192481995]),
    ("fused_cpu", NETS["side"], [0.1132495105266571, 0.09990573674440384, 0.08376070111989975]),
    ("fused_cpu", NETS["noisy"], [0.9122758507728577, 0.8267828226089478, 0.7278680801391602]),
    ("fused_cpu", NETS["whole"], [0.9445732235908508, 0.9322462677955627, 0.9200171232223511]),
    ("direct", Line(), [0.031978756189346313]),
    ("estimator", RIDGE, [2.4350533485412598]),
    ("estimator", BOOSTING, [0.357092022895813]),
    ("estimator", PERCEPTRON, [1.0188184976577759]),
]
CLOSE: list[tuple[str, Candidate, list[float]]] = [
    ("torch_eager", NETS["noisy"], [0.9122757911682129, 0.8267828226089478, 0.7278680801391602]),
    ("torch_eager", NETS["side"], [0.1132495179772377, 0.09990573674440384, 0.08376070111989975]),
    ("torch_eager", MODULES["dense"], [1.051497220993042, 0.9676520228385925, 0.8680452108383179]),
    ("torch_eager", MODULES["he"], [0.4814886152744293, 0.20820625126361847, 0.5310642123222351]),
]


def curve(engine: str, candidate: Candidate) -> np.ndarray:
    trained = registry.lookup("engines", engine)().train(toy_instance(candidate, 3), toy_setting())
    return trained.outcome.curve


@pytest.mark.parametrize(("engine", "candidate", "losses"), EXACT)
def test_losses_are_those_recorded_before(
    engine: str, candidate: Candidate, losses: list[float]
) -> None:
    np.testing.assert_array_equal(curve(engine, candidate), np.array(losses, np.float32))


@pytest.mark.parametrize(("engine", "candidate", "losses"), CLOSE)
def test_losses_of_torch_are_those_recorded_before(
    engine: str, candidate: Candidate, losses: list[float]
) -> None:
    np.testing.assert_allclose(curve(engine, candidate), np.array(losses, np.float32), rtol=1e-4)
