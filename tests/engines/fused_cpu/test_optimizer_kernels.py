from __future__ import annotations

import numpy as np
import pytest
import torch

from surefoot.engines.fused_cpu.instance import aligned
from surefoot.engines.fused_cpu.optimizer_kernels import update
from surefoot.engines.fused_cpu.training import State
from surefoot.engines.torch.jobs import optimizer_of
from surefoot.learning.optimizers import OPTIMIZERS, OptimizerName, optimizer_code

STEPS = 300


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
        product = update(optimizer_code(name), state, step + 1, 0.01, decay, 1.0, 0.0, product)
    expected = parameter.detach().numpy()
    assert np.abs(expected - start).max() > 0.01
    np.testing.assert_allclose(params, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_numbers_that_no_parameter_uses_stay_zero(name: OptimizerName) -> None:
    state = state_of(32)
    product = 1.0
    for step in range(1, 20):
        product = update(optimizer_code(name), state, step, 0.1, 0.01, 1.0, 0.5, product)
    assert not state.params.any()
    assert not state.averaged.any()
