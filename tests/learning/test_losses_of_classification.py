"""Classification losses against torch (values and gradients) and scikit-learn (values)."""

import numpy as np
import pytest
import sklearn.metrics
import torch
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ConfigurationError, DataError
from surefoot.learning.losses import Loss, log_softmax, logits_of, parse_loss


def examples(seed: int, n: int = 40, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    logits = 3 * generator.standard_normal((n, classes))
    return logits, generator.integers(0, classes, (n, 1)).astype(np.float64)


def torch_value(name: str, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if name == "brier":
        p = torch.softmax(z, dim=1)
        return ((p - torch.nn.functional.one_hot(y, z.shape[1])) ** 2).sum(dim=1)
    return torch.nn.functional.cross_entropy(z, y, reduction="none")


@pytest.mark.parametrize("name", ["cross_entropy", "brier"])
@given(seed=st.integers(0, 10_000), classes=st.integers(2, 7))
def test_values_and_gradients_are_torchs(name: str, seed: int, classes: int) -> None:
    logits, target = examples(seed, 12, classes)
    z = torch.tensor(logits, requires_grad=True)
    expected = torch_value(name, z, torch.tensor(target[:, 0], dtype=torch.int64))
    expected.sum().backward()
    expected = expected.detach()
    loss = Loss(name)
    np.testing.assert_allclose(loss.per_example(logits, target), expected, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(loss.gradient(logits, target), z.grad, rtol=1e-7, atol=1e-11)
    assert loss.value(logits, target) == pytest.approx(float(expected.mean()), rel=1e-11)


def test_the_error_rate_is_scikit_learns_zero_one_loss_and_trains_as_cross_entropy() -> None:
    logits, target = examples(1, 200)
    loss = Loss("error_rate")
    expected = sklearn.metrics.zero_one_loss(target[:, 0], logits.argmax(axis=1))
    assert loss.value(logits, target) == pytest.approx(expected)
    np.testing.assert_array_equal(
        loss.gradient(logits, target), Loss("cross_entropy").gradient(logits, target)
    )
    assert loss.trained == Loss("cross_entropy")
    assert Loss("brier").trained == Loss("brier")


def test_probabilities_of_zero_are_clipped_as_scikit_learn_clips_them() -> None:
    p = np.array([[1, 0, 0], [0.2, 0.8, 0], [0, 0.5, 0.5]], dtype=np.float32)
    target = np.array([[1.0], [1.0], [0.0]])
    expected = sklearn.metrics.log_loss([1, 1, 0], p, labels=[0, 1, 2])
    assert Loss("cross_entropy").value(logits_of(p), target) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(np.exp(log_softmax(logits_of(p))), p, atol=1e-6)


@pytest.mark.parametrize("name", ["cross_entropy", "brier", "error_rate"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_prediction_that_is_not_finite_gives_a_loss_that_is_not_finite(
    name: str, value: float
) -> None:
    logits, target = examples(2, 5)
    logits[3, 1] = value
    assert not np.isfinite(Loss(name).value(logits, target))


def test_large_logits_do_not_overflow() -> None:
    logits = np.array([[5000.0, -5000.0], [800.0, 801.0]], dtype=np.float32)
    target = np.array([[1.0], [1.0]])
    assert Loss("cross_entropy").value(logits, target) == pytest.approx((10_000 + 0.31326) / 2)


def test_codes_continue_the_table_of_losses_and_names_parse() -> None:
    names = ("cross_entropy", "brier", "error_rate")
    assert [Loss(name).code for name in names] == [6, 7, 8]
    assert Loss("huber").code == 5
    assert parse_loss("error_rate") == Loss("error_rate")
    assert all(Loss(name).classification and Loss(name).unit("mm") == "" for name in names)
    assert not Loss("rmse").classification
    with pytest.raises(ConfigurationError, match="did you mean 'cross_entropy'"):
        parse_loss("crossentropy")


def test_targets_that_are_no_class_codes_are_named() -> None:
    with pytest.raises(DataError, match=r"target 0\.5 of example 1 is not a class code"):
        Loss("brier").check_target(np.array([[0.0], [0.5]]))
    with pytest.raises(DataError, match="one column of class codes, not 2"):
        Loss("cross_entropy").check_target(np.zeros((3, 2)))
    Loss("error_rate").check_target(np.array([[0.0], [3.0]]))
