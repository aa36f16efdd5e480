"""A stack's updates are those of torch.optim, each instance with its own rate and decay."""

import pytest
import torch

from surefoot.engines.torch.jobs import optimizer_of
from surefoot.engines.torch.stacked.optimizers import StackedOptimizer
from surefoot.learning.optimizers import OPTIMIZERS, OptimizerName

RATES, DECAYS = (1e-3, 1e-2, 0.1), (0.0, 0.01, 0.1)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_instance_follows_torch(name: OptimizerName) -> None:
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(3, 50, generator=generator)
    stacked, optimizer = start.clone(), StackedOptimizer(name, start)
    rates, decays = (torch.tensor(values, dtype=torch.float64) for values in (RATES, DECAYS))
    own = [torch.nn.Parameter(row.clone()) for row in start]
    references = [
        optimizer_of(name, [one], *numbers)
        for one, *numbers in zip(own, RATES, DECAYS, strict=True)
    ]
    for _ in range(30):
        gradient = torch.randn(3, 50, generator=generator)
        optimizer.update(stacked, gradient, rates, decays)
        for one, reference, row in zip(own, references, gradient, strict=True):
            one.grad = row.clone()
            reference.step()
    torch.testing.assert_close(stacked, torch.stack([one.detach() for one in own]))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_new_instance_starts_afresh(name: OptimizerName) -> None:
    def moved(optimizer: StackedOptimizer, parameters: torch.Tensor) -> torch.Tensor:
        ones = torch.ones(2, dtype=torch.float64)
        optimizer.update(parameters, torch.ones(2, 3), 0.01 * ones, 0.0 * ones)
        return parameters[1].clone()

    parameters = torch.zeros(2, 3)
    optimizer = StackedOptimizer(name, parameters)
    first = moved(optimizer, parameters)
    moved(optimizer, parameters)
    optimizer.restart(1)
    parameters[1] = 0.0
    assert torch.equal(moved(optimizer, parameters), first)
