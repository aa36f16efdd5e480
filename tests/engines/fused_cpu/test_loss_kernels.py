from __future__ import annotations

import numba as nb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.engines.fused_cpu import loss_kernels
from surefoot.learning.losses import Loss

REGRESSION = ["relative_rmse", "stochastic_rmse", "rmse", "mse", "mae", "huber"]
output_loss = nb.njit(loss_kernels.output_loss)
class_loss = nb.njit(loss_kernels.class_loss)
numbers = st.floats(-50, 50, width=32)


@pytest.mark.parametrize("name", REGRESSION)
@given(pairs=st.lists(st.tuples(numbers, st.floats(0.125, 50, width=32)), min_size=1, max_size=4))
def test_regression_losses_and_slopes(name: str, pairs: list[tuple[float, float]]) -> None:
    loss = Loss(name, 0.75)
    prediction, target = np.array(pairs).T
    terms, slopes = np.array([output_loss(loss.code, loss.parameter, *pair) for pair in pairs]).T
    expected = loss.per_example(prediction[None], target[None])[0]
    assert terms.mean() == pytest.approx(expected, rel=1e-12)
    gradient = loss.gradient(prediction[None], target[None])[0]
    np.testing.assert_allclose(slopes / len(pairs), gradient, rtol=1e-12)


@pytest.mark.parametrize("name", ["cross_entropy", "brier", "error_rate"])
@given(logits=st.lists(numbers, min_size=2, max_size=6), code=st.integers(0, 5), scale=st.just(1.0))
def test_classification_losses_and_slopes(
    name: str, logits: list[float], code: int, scale: float
) -> None:
    loss = Loss(name)
    prediction = np.array(logits) * scale
    target = np.array([code % prediction.size], dtype=np.float32)
    slope = np.empty(prediction.size)
    value = class_loss(loss.code, prediction, target[0], slope)
    rows = target[None].astype(np.float64)
    assert value == pytest.approx(loss.per_example(prediction[None], rows)[0], abs=1e-12)
    expected = loss.trained.gradient(prediction[None], rows)[0]
    np.testing.assert_allclose(slope, expected, atol=1e-12)


@pytest.mark.parametrize("name", [*REGRESSION, "cross_entropy", "brier", "error_rate"])
def test_an_explosion_is_never_hidden(name: str) -> None:
    if name in REGRESSION:
        assert np.isnan(output_loss(Loss(name).code, 1.0, np.nan, 1.0)).all()
    else:
        prediction = np.array([np.nan, 1.0])
        assert np.isnan(class_loss(Loss(name).code, prediction, np.float32(1.0), np.empty(2)))
