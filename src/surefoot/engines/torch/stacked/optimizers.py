"""The seven optimisers on a stack: element-wise updates of all instances' parameters at once.

Formulas and constants are those of `surefoot.learning.optimizers`; learning rate, decay and step
belong to each instance.
"""

from __future__ import annotations

import torch
from torch import Tensor

from surefoot.learning.optimizers import (
    ADADELTA_EPSILON,
    ADADELTA_RHO,
    ADAGRAD_EPSILON,
    BETA1,
    BETA2,
    EPSILON,
    NADAM_MOMENTUM_DECAY,
    RMSPROP_ALPHA,
    OptimizerName,
    state_vectors,
)


class StackedOptimizer:
    """Updates parameters [stack, P] in place.

    ``state`` holds the optimiser's vectors [stack, P], ``steps`` [stack] the updates each instance
    has had and ``products`` [stack] NAdam's products of momenta; `restart` makes them new for one
    instance. All arithmetic stays on the device.
    """

    def __init__(self, name: OptimizerName, parameters: Tensor) -> None:
        self.name = name
        stack, device = len(parameters), parameters.device
        self.state = [torch.zeros_like(parameters) for _ in range(state_vectors(name))]
        self.steps = torch.zeros(stack, dtype=torch.int64, device=device)
        self.products = torch.ones(stack, dtype=torch.float64, device=device)

    def restart(self, place: int) -> None:
        """Begin a new instance at a place of the stack."""
        for vector in self.state:
            vector[place] = 0.0
        self.steps[place] = 0
        self.products[place] = 1.0

    def update(self, parameters: Tensor, gradient: Tensor, rate: Tensor, decay: Tensor) -> None:
        """Make one step; ``rate`` and ``decay`` are [stack], float64."""
        self.steps += 1
        if self.name == "adamw":
            parameters *= column(1.0 - rate * decay)
            g = gradient
        else:
            g = gradient + column(decay) * parameters
        match self.name:
            case "sgd":
                parameters -= column(rate) * g
            case "adam" | "adamw" | "nadam":
                self._adaptive(parameters, g, rate)
            case "adagrad":
                (total,) = self.state
                total.addcmul_(g, g)
                parameters -= column(rate) * g / (total.sqrt() + ADAGRAD_EPSILON)
            case "rmsprop":
                (square,) = self.state
                square.mul_(RMSPROP_ALPHA).addcmul_(g, g, value=1.0 - RMSPROP_ALPHA)
                parameters -= column(rate) * g / (square.sqrt() + EPSILON)
            case "adadelta":
                square, moved = self.state
                square.mul_(ADADELTA_RHO).addcmul_(g, g, value=1.0 - ADADELTA_RHO)
                step = (moved + ADADELTA_EPSILON).sqrt() / (square + ADADELTA_EPSILON).sqrt() * g
                moved.mul_(ADADELTA_RHO).addcmul_(step, step, value=1.0 - ADADELTA_RHO)
                parameters -= column(rate) * step

    def _adaptive(self, parameters: Tensor, g: Tensor, rate: Tensor) -> None:
        """Adam, AdamW and NAdam, which differ in how the two moments make a step."""
        first, second = self.state
        first.lerp_(g, 1.0 - BETA1)
        second.mul_(BETA2).addcmul_(g, g, value=1.0 - BETA2)
        t = self.steps.to(torch.float64)
        size = second.sqrt() / column((1.0 - BETA2**t).sqrt()) + EPSILON
        if self.name != "nadam":
            parameters -= column(rate / (1.0 - BETA1**t)) * (first / size)
            return
        momentum, following = (
            BETA1 * (1.0 - 0.5 * 0.96 ** (n * NADAM_MOMENTUM_DECAY)) for n in (t, t + 1.0)
        )
        self.products *= momentum
        now = rate * (1.0 - momentum) / (1.0 - self.products)
        ahead = rate * following / (1.0 - self.products * following)
        parameters -= column(now) * (g / size) + column(ahead) * (first / size)


def column(values: Tensor) -> Tensor:
    """Return [stack] as a float32 column [stack, 1]."""
    return values.to(torch.float32).unsqueeze(1)
