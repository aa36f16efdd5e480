"""What a stack trains: the arrays of many instances of one model, and how these predict."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from surefoot.data.population import Matrix, Rows
from surefoot.instances import Instance, Predictor


class StackedModel(ABC):
    """Places for instances of one model.

    ``parameters`` are what is trained, [stack, P]; ``leaves`` are the parts of it by torch's names,
    [stack, *shape], and ``buffers`` all other arrays, such as the running averages of batch
    normalisation. ``shares`` [stack] are by what training losses are multiplied.

    Parameters
    ----------
    size
        Number of places.
    shapes
        Shape of each parameter by name.
    buffers
        One instance's other arrays by name.
    device
        Where all arrays are.
    """

    def __init__(
        self,
        size: int,
        shapes: Mapping[str, tuple[int, ...]],
        buffers: Mapping[str, Tensor],
        device: torch.device,
    ) -> None:
        sizes = [torch.Size(shape).numel() for shape in shapes.values()]
        self.parameters = torch.zeros(size, sum(sizes), device=device)
        parts = zip(shapes.items(), torch.split(self.parameters, sizes, dim=1), strict=True)
        self.leaves = {
            name: part.view(size, *shape).detach().requires_grad_() for (name, shape), part in parts
        }
        self.buffers = {
            name: one.detach().to(device).repeat(size, *[1] * one.dim())
            for name, one in buffers.items()
        }

        self.shares = torch.ones(size, device=device)

    @abstractmethod
    def start(self, place: int, instance: Instance, rows: Rows) -> None:
        """Give a place to an instance, as the ledger says it starts; ``rows`` are its sample's."""

    @abstractmethod
    def train(self, features: Tensor, side: Tensor | None, steps: Tensor) -> Tensor:
        """Return predictions [stack, n, outputs] in training, for features [stack, n, F].

        ``side`` are [stack, n, S] or None, ``steps`` [stack] the numbers of the instances' steps.
        """

    @abstractmethod
    def predict(self, features: Tensor, side: Tensor | None, momentum: float | None) -> Tensor:
        """Return predictions as of `train`, but of trained instances.

        With a momentum, batch normalisation goes by the batch, and its running averages follow.
        """

    @abstractmethod
    def predictor(self, place: int) -> Predictor:
        """Return what an instance has become, on the CPU."""

    @property
    @abstractmethod
    def has_statistics(self) -> bool:
        """Whether there are running averages of batch normalisation."""

    @torch.no_grad()
    def adopt(self, place: int, other: StackedModel) -> None:
        """Take over what another stack of the same model has at a place."""
        self.parameters[place] = other.parameters[place]
        for name, values in self.buffers.items():
            values[place] = other.buffers[name][place]

    def arrays(self, place: int) -> dict[str, Matrix]:
        """Return copies of an instance's arrays by torch's names."""
        named = {**self.leaves, **self.buffers}
        return {name: a[place].detach().cpu().numpy().copy() for name, a in named.items()}
