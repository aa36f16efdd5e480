"""From an instance's candidate and seed to a module, an optimiser and a loss, ready to train."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from surefoot.candidates.convnet import ConvNet
from surefoot.candidates.initialization import initial_weights, named_weights
from surefoot.engines.base import Instance, Setting
from surefoot.engines.torch_module import ConvModule, load
from surefoot.engines.torch_training import Job, mean_loss, optimizer_of
from surefoot.philox import keep_masks
from surefoot.seeds import InstanceSeed, Stream


@dataclass(slots=True)
class LedgerNoise:
    """Dropout masks of one instance, from the NOISE stream's key, for the current step."""

    key: tuple[int, int]
    probability: float
    step: int = 0

    def set_step(self, step: int) -> None:
        """Say which training step comes next."""
        self.step = step

    def __call__(self, layer: int, examples: int, units: int) -> Tensor:
        """Return the mask [examples, units] of a dropout layer, True to keep."""
        masks = keep_masks(self.key, self.step, layer, examples, units, self.probability)
        return torch.from_numpy(masks)


def job_of(instance: Instance, setting: Setting) -> Job:
    """Return what `train_epochs` needs to train an instance's candidate."""
    candidate = instance.candidate
    if isinstance(candidate, ConvNet):
        return convnet_job(candidate, instance.seed, setting)
    raise TypeError(f"torch_eager cannot train {candidate.family} candidates")


def convnet_job(net: ConvNet, seed: InstanceSeed, setting: Setting) -> Job:
    """Return the training of a `ConvNet` with everything random from the ledger."""
    with torch.random.fork_rng(devices=[]):
        module = ConvModule(net)
    load(module, named_weights(net, initial_weights(net, seed)))
    noise = LedgerNoise(seed.key(Stream.NOISE), net.dropout)
    module.keep = noise
    return Job(
        module,
        optimizer_of(net.optimizer, module.parameters(), net.learning_rate, net.decay),
        mean_loss(net.loss or setting.loss),
        net.batch_size,
        before_step=noise.set_step,
        takes_side=net.side > 0,
    )
