"""Losses of regression: values by hand, gradients against torch in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import DataError
from surefoot.learning.losses import Loss, parse_loss

NAMES = ["relative_rmse", "stochastic_rmse", "rmse", "mse", "mae", "huber(0.8)"]

TORCH = {
    "relative_rmse": lambda p, y: (((p - y) / y) ** 2).mean(dim=1),
    "stochastic_rmse": lambda p, y: ((p - y) ** 2 / y).mean(dim=1),
    "rmse": lambda p, y: torch.nn.functional.mse_loss(p, y, reduction="none").mean(dim=1),
    "mse": lambda p, y: torch.nn.functional.mse_loss(p, y, reduction="none").mean(dim=1),
    "mae": lambda p, y: torch.nn.functional.l1_loss(p, y, reduction="none").mean(dim=1),
    "huber(0.8)": lambda p, y: torch.nn.functional.huber_loss(
        p, y, reduction="none", delta=0.8
    ).mean(dim=1),
}


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 20), outputs=st.integers(1, 4))
def test_terms_and_gradients_are_those_of_torch(name: str, seed: int, n: int, outputs: int) -> None:
    generator = np.random.default_rng(seed)
    prediction = generator.normal(2.0, 3.0, (n, outputs))
    target = generator.uniform(0.5, 5.0, (n, outputs))
    loss = parse_loss(name)
    p = torch.tensor(prediction, requires_grad=True)
    terms = TORCH[name](p, torch.tensor(target))
    terms.sum().backward()
    np.testing.assert_allclose(loss.per_example(prediction, target), terms.detach(), rtol=1e-12)
    np.testing.assert_allclose(loss.gradient(prediction, target), p.grad, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["mae", "huber(0.8)", "mse"])
def test_the_gradient_at_the_target_is_zero(name: str) -> None:
    y = np.array([[2.0, 3.0]])
    np.testing.assert_array_equal(parse_loss(name).gradient(y, y), 0.0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relative_rmse", np.sqrt((0.5**2 + 0.25**2) / 2)),
        ("stochastic_rmse", np.sqrt((1 / 2 + 1 / 4) / 2)),
        ("rmse", 1.0),
        ("mse", 1.0),
        ("mae", 1.0),
        ("huber(0.5)", 0.5 * (1 - 0.25)),
        ("huber(3)", 0.5),
    ],
)
def test_values_by_hand(name: str, expected: float) -> None:
    prediction, target = np.array([[3.0], [3.0]]), np.array([[2.0], [4.0]])
    assert parse_loss(name).value(prediction, target) == pytest.approx(expected, rel=1e-14)


def test_values_are_summed_in_double_precision() -> None:
    """A float32 sum of 2²⁵ + 1, +1, … would lose every 1."""
    target = np.zeros((1025, 1), dtype=np.float32)
    prediction = np.ones((1025, 1), dtype=np.float32)
    prediction[0] = 2.0**25
    assert Loss("mae").value(prediction, target) == (2.0**25 + 1024) / 1025


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_prediction_that_is_not_finite_makes_the_value_not_finite(name: str, bad: float) -> None:
    prediction = np.array([[1.0], [bad]], dtype=np.float32)
    assert not np.isfinite(parse_loss(name).value(prediction, np.ones((2, 1), dtype=np.float32)))


@given(st.floats(0.01, 10), st.lists(st.floats(0.5, 5), min_size=1, max_size=8))
def test_the_relative_loss_has_no_unit(scale: float, values: list[float]) -> None:
    y = np.array(values)[:, None]
    p = y[::-1] + 0.1
    relative = Loss("relative_rmse")
    assert relative.value(scale * p, scale * y) == pytest.approx(relative.value(p, y), rel=1e-9)


def test_units() -> None:
    units = {name: parse_loss(name).unit("GeV") for name in NAMES}
    assert units == {
        "relative_rmse": "",
        "stochastic_rmse": "√GeV",
        "rmse": "GeV",
        "mse": "GeV²",
        "mae": "GeV",
        "huber(0.8)": "GeV²",
    }
    assert {parse_loss(name).unit("") for name in NAMES} == {""}


def test_codes_are_rows_of_the_table() -> None:
    assert [parse_loss(name).code for name in NAMES] == list(range(6))
    assert [parse_loss(name).rooted for name in NAMES] == [True, True, True, False, False, False]


@pytest.mark.parametrize("name", ["relative_rmse", "stochastic_rmse"])
@pytest.mark.parametrize("bad", [0.0, -2.5])
def test_targets_that_a_loss_divides_by_must_be_positive(name: str, bad: float) -> None:
    target = np.array([[1.0], [bad], [3.0]])
    with pytest.raises(DataError, match=rf"target {bad:g} of example 1 .* {name}, which divides"):
        Loss(name).check_target(target)
    Loss("rmse").check_target(target)
