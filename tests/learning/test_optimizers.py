"""The formulas of `surefoot.learning.optimizers`, written in NumPy, against ``torch.optim``."""

import numpy as np
import pytest
import torch

from surefoot.learning import optimizers
from surefoot.learning.optimizers import (
    ADADELTA_EPSILON,
    ADADELTA_RHO,
    ADAGRAD_EPSILON,
    BETA1,
    BETA2,
    EPSILON,
    NADAM_MOMENTUM_DECAY,
    OPTIMIZERS,
    RMSPROP_ALPHA,
    state_vectors,
)

RATE, STEPS = 0.01, 250


def gradients(theta: np.ndarray, t: int) -> np.ndarray:
    """The gradient of a bowl whose bottom wanders, so that every average has work to do."""
    return np.array([1.0, 10.0, 0.1]) * (theta - np.sin(0.3 * t + np.arange(3.0)))


def by_formula(name: str, decay: float) -> np.ndarray:
    """Follow the module's table for `STEPS` steps from (1, −1, 2); return the whole path."""
    theta, path = np.array([1.0, -1.0, 2.0]), []
    m = v = s = u = np.zeros(3)
    product = 1.0
    for t in range(1, STEPS + 1):
        g = gradients(theta, t)
        if name == "adamw":
            theta = (1 - RATE * decay) * theta
        else:
            g = g + decay * theta
        m, v_adam = BETA1 * m + (1 - BETA1) * g, BETA2 * v + (1 - BETA2) * g**2
        match name:
            case "sgd":
                theta = theta - RATE * g
            case "adam" | "adamw":
                v = v_adam
                step = RATE / (1 - BETA1**t)
                theta = theta - step * m / (np.sqrt(v) / np.sqrt(1 - BETA2**t) + EPSILON)
            case "adagrad":
                s = s + g**2
                theta = theta - RATE * g / (np.sqrt(s) + ADAGRAD_EPSILON)
            case "rmsprop":
                v = RMSPROP_ALPHA * v + (1 - RMSPROP_ALPHA) * g**2
                theta = theta - RATE * g / (np.sqrt(v) + EPSILON)
            case "adadelta":
                v = ADADELTA_RHO * v + (1 - ADADELTA_RHO) * g**2
                d = np.sqrt(u + ADADELTA_EPSILON) / np.sqrt(v + ADADELTA_EPSILON) * g
                u = ADADELTA_RHO * u + (1 - ADADELTA_RHO) * d**2
                theta = theta - RATE * d
            case "nadam":
                v = v_adam
                mu, mu_next = (
                    BETA1 * (1 - 0.5 * 0.96 ** (NADAM_MOMENTUM_DECAY * k)) for k in (t, t + 1)
                )
                product *= mu
                d = np.sqrt(v / (1 - BETA2**t)) + EPSILON
                theta = theta - RATE * (1 - mu) / (1 - product) * g / d
                theta = theta - RATE * mu_next / (1 - product * mu_next) * m / d
        path.append(theta)
    return np.array(path)


def by_torch(name: str, decay: float) -> np.ndarray:
    kinds = {
        "sgd": torch.optim.SGD,
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "adagrad": torch.optim.Adagrad,
        "rmsprop": torch.optim.RMSprop,
        "adadelta": torch.optim.Adadelta,
        "nadam": torch.optim.NAdam,
    }
    theta = torch.tensor([1.0, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
    optimizer = kinds[name]([theta], lr=RATE, weight_decay=decay)
    path = []
    for t in range(1, STEPS + 1):
        theta.grad = torch.from_numpy(gradients(theta.detach().numpy(), t))
        optimizer.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_the_formulas_are_those_of_torch(name: str, decay: float) -> None:
    path = by_torch(name, decay)
    assert np.ptp(path, axis=0).min() > 0.005
    np.testing.assert_allclose(by_formula(name, decay), path, rtol=1e-8, atol=1e-10)


def test_decoupled_decay_is_not_l2() -> None:
    assert np.abs(by_formula("adamw", 0.1) - by_formula("adam", 0.1)).max() > 1e-3
    np.testing.assert_array_equal(by_formula("adamw", 0.0), by_formula("adam", 0.0))


def test_codes_and_states() -> None:
    assert OPTIMIZERS == ("sgd", "adam", "adamw", "adagrad", "rmsprop", "adadelta", "nadam")
    assert [state_vectors(name) for name in OPTIMIZERS] == [0, 2, 2, 1, 1, 2, 2]
    assert all(f"\n{name} " in (optimizers.__doc__ or "") for name in OPTIMIZERS)
