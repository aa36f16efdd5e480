"""A stack of ConvNets, whose weights and dropout masks come from the ledger."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from surefoot.candidates.convnet.initialization import initial_weights
from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.recipe import trained_loss
from surefoot.data.population import Rows
from surefoot.engines.scaling import loss_share, scaling_names, scaling_of
from surefoot.engines.torch.eager import predictor_of
from surefoot.engines.torch.stacked.model import StackedModel
from surefoot.engines.torch.stacked.network import MOMENTUM, StackedNetwork
from surefoot.engines.torch.stacked.noise import keep_masks
from surefoot.instances import Instance, Predictor, Setting
from surefoot.seeds.ledger import Stream


class StackedConvNets(StackedModel):
    """Instances of one `ConvNet`."""

    def __init__(self, net: ConvNet, setting: Setting, size: int, device: torch.device) -> None:
        running = {
            f"{layer.name}.running_{what}": torch.full(layer.output[:1], start)
            for layer in net.layers
            if layer.kind == "batch_norm"
            for what, start in (("mean", 0.0), ("var", 1.0))
        }
        scaling = {name: torch.zeros(length) for name, length in scaling_names(net).items()}
        shapes = {one.name: one.shape for layer in net.layers for one in layer.parameters}
        super().__init__(size, shapes, running | scaling, device)
        self._net, self._setting, self._fresh = net, setting, running
        averages, constants = (
            {name: self.buffers[name] for name in names} for names in (running, scaling)
        )
        self._network = StackedNetwork(net, self.leaves, averages, constants)
        self._keys = torch.zeros(size, 2, dtype=torch.int64, device=device)

    def start(self, place: int, instance: Instance, rows: Rows) -> None:
        """Give a place to an instance, as the ledger says it starts."""
        scaling = scaling_of(self._net, self._setting.halves.population, rows)
        self.shares[place] = loss_share(trained_loss(self._net, self._setting.loss), scaling)
        weights = initial_weights(self._net, instance.seed)
        self.parameters[place] = torch.from_numpy(weights)
        for name, values in self._fresh.items():
            self.buffers[name][place] = values
        for name, constants in scaling.items():
            self.buffers[name][place] = torch.from_numpy(constants)
        key = np.array(instance.seed.key(Stream.NOISE), dtype=np.uint64).view(np.int64)
        self._keys[place] = torch.from_numpy(key)

    def train(self, features: Tensor, side: Tensor | None, steps: Tensor) -> Tensor:
        """Return predictions in training; see `StackedModel.train`."""

        def masks(layer: int, examples: int, units: int) -> Tensor:
            return keep_masks(self._keys, steps, layer, examples, units, self._net.dropout)

        return self._network(features, side, masks if self._net.dropout else None, MOMENTUM)

    def predict(self, features: Tensor, side: Tensor | None, momentum: float | None) -> Tensor:
        """Return predictions of trained instances; see `StackedModel.predict`."""
        return self._network(features, side, None, momentum)

    def predictor(self, place: int) -> Predictor:
        """Return what an instance has become, on the CPU."""
        return predictor_of(self._net, self.arrays(place))

    @property
    def has_statistics(self) -> bool:
        """Whether there is batch normalisation."""
        return bool(self._fresh)
