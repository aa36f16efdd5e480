from __future__ import annotations

import numba as nb
import numpy as np
import pytest
import torch

from surefoot.engines.fused_cpu import optimizer_kernels
from surefoot.engines.fused_cpu.instance import aligned
from surefoot.engines.fused_cpu.training import State
from surefoot.engines.torch.jobs import mean_loss, optimizer_of
from surefoot.learning.averaging import ema_gain
from surefoot.learning.losses import Loss
from surefoot.learning.optimizers import OPTIMIZERS, OptimizerName

STEPS = 300
gradient_scale = nb.njit(optimizer_kernels.gradient_scale)
move = nb.njit(optimizer_kernels.move)
update = nb.njit(optimizer_kernels.update)


def state_of(n: int) -> State:
    """Return zeros: n parameters and all that belongs to them."""
    params, grads, first, second, averaged = (aligned(n) for _ in range(5))
    return State(params, grads, first, second, aligned(0), aligned(16), averaged, aligned(0))


@pytest.mark.parametrize("decay", [0.0, 0.02])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_three_hundred_steps_follow_torch(name: OptimizerName, decay: float) -> None:
    generator = np.random.default_rng(3)
    n = 80
    start = generator.standard_normal(n).astype(np.float32)
    # gradients of a noisy quadratic bowl, so that both walk the same way down
    curvature = generator.uniform(0.1, 3.0, n).astype(np.float32)
    noise = generator.standard_normal((STEPS, n)).astype(np.float32)

    parameter = torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = optimizer_of(name, iter([parameter]), 0.01, decay)
    state = state_of(n)
    params, grads = state.params, state.grads
    params[:] = start
    product = 1.0
    for step in range(STEPS):
        gradient = curvature * parameter.detach().numpy() + noise[step]
        parameter.grad = torch.from_numpy(gradient)
        optimizer.step()
        grads[:] = curvature * params + noise[step]
        product = update(OPTIMIZERS.index(name), state, step + 1, 0.01, decay, 1.0, 0.0, product)
    expected = parameter.detach().numpy()
    assert np.abs(expected - start).max() > 0.01
    np.testing.assert_allclose(params, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_numbers_that_no_parameter_uses_stay_zero(name: OptimizerName) -> None:
    state = state_of(32)
    product = 1.0
    for step in range(1, 20):
        product = update(OPTIMIZERS.index(name), state, step, 0.1, 0.01, 1.0, 0.5, product)
    assert not state.params.any()
    assert not state.averaged.any()


def test_the_average_of_parameters_that_stand_still_is_the_parameters() -> None:
    state = state_of(32)
    state.params[:] = np.random.default_rng(1).standard_normal(32)
    for step in range(1, 50):
        update(OPTIMIZERS.index("sgd"), state, step, 0.1, 0.0, 1.0, ema_gain(step, 20.0), 1.0)
    np.testing.assert_array_equal(state.averaged, state.params)


def test_the_average_follows_the_parameters_of_every_step() -> None:
    state, generator = state_of(48), np.random.default_rng(2)
    seen = []
    for step in range(1, 60):
        state.grads[:] = generator.standard_normal(48)
        update(OPTIMIZERS.index("adam"), state, step, 0.1, 0.0, 1.0, ema_gain(step, 10.0), 1.0)
        seen.append(state.params.copy())
    weights = 0.9 ** np.arange(len(seen))[::-1]
    np.testing.assert_allclose(state.averaged, np.average(seen, 0, weights), rtol=1e-4, atol=1e-6)


def test_a_mean_is_that_of_what_it_was_moved_by() -> None:
    values = np.random.default_rng(3).standard_normal((7, 16)).astype(np.float32)
    averaged = aligned(16)
    for number, value in enumerate(values, start=1):
        move(averaged, value, 1.0 / number)
    np.testing.assert_allclose(averaged, values.mean(axis=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("clip", [1e-3, 0.5, 100.0])
@pytest.mark.parametrize("rooted", [False, True])
def test_gradients_are_clipped_as_in_torch(clip: float, rooted: bool) -> None:
    grads = aligned(64)
    grads[:] = np.random.default_rng(4).standard_normal(64)
    loss = 0.16
    parameter = torch.nn.Parameter(torch.zeros(64))
    factor = np.float32(0.5 / np.sqrt(loss) if rooted else 1.0)
    parameter.grad = torch.from_numpy(grads * factor)
    torch.nn.utils.clip_grad_norm_([parameter], clip)
    found = grads * gradient_scale(grads, loss, rooted, clip)
    np.testing.assert_allclose(found, parameter.grad.numpy(), rtol=1e-5)


@pytest.mark.parametrize("mean", [0.0, 1e-39, 1e-30, 4.0])
def test_the_root_of_nothing_has_no_gradient(mean: float) -> None:
    """Nor has it in the reference, where infinity times 0 would be NaN."""
    prediction = torch.full((3, 1), 1.0, dtype=torch.float64) + np.sqrt(mean)
    prediction.requires_grad_()
    target = torch.ones((3, 1), dtype=torch.float64)
    loss = mean_loss(Loss("rmse", objective="root"))(prediction, target)
    torch.autograd.backward(loss)
    assert prediction.grad is not None
    exact = ((prediction - target) ** 2).mean().item()
    slope = 2 * (prediction - target).detach().numpy() / 3
    expected = slope * gradient_scale(aligned(16), exact, True, 0.0)
    np.testing.assert_allclose(prediction.grad.numpy(), expected, rtol=1e-9)
    assert (expected == 0).all() == (exact < 1.2e-38)
