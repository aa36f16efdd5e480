"""From an instance's candidate and seed to a module, an optimiser and a loss, ready to train."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from surefoot.candidates.convnet.initialization import initial_weights, named_weights
from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.fields import is_import_path
from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.candidates.recipe import schedule_of, trained_loss
from surefoot.engines.scaling import Scaling, loss_share, scaling_of
from surefoot.engines.torch.module import ConvModule, load
from surefoot.engines.torch.training import AveragedModule, Job, TorchPredictor
from surefoot.instances import Instance, Setting
from surefoot.learning import optimizers
from surefoot.learning.averaging import parse_average
from surefoot.learning.losses import TERMS, Loss
from surefoot.learning.optimizers import OPTIMIZERS, OptimizerName
from surefoot.learning.schedules import Schedule
from surefoot.seeds.ledger import InstanceSeed, Stream
from surefoot.seeds.philox import keep_masks

_ADAM: dict[str, Any] = {"betas": (optimizers.BETA1, optimizers.BETA2), "eps": optimizers.EPSILON}
_OPTIMIZERS: dict[OptimizerName, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": partial(torch.optim.Adam, **_ADAM),
    "adamw": partial(torch.optim.AdamW, **_ADAM),
    "adagrad": partial(torch.optim.Adagrad, eps=optimizers.ADAGRAD_EPSILON),
    "rmsprop": partial(torch.optim.RMSprop, alpha=optimizers.RMSPROP_ALPHA, eps=optimizers.EPSILON),
    "adadelta": partial(
        torch.optim.Adadelta, rho=optimizers.ADADELTA_RHO, eps=optimizers.ADADELTA_EPSILON
    ),
    "nadam": partial(torch.optim.NAdam, momentum_decay=optimizers.NADAM_MOMENTUM_DECAY, **_ADAM),
}


@dataclass(slots=True)
class LedgerNoise:
    """Dropout masks of one instance, from the NOISE stream's key, for the current step."""

    key: tuple[int, int]
    probability: float
    step: int = 0

    def __call__(self, layer: int, examples: int, units: int) -> Tensor:
        """Return the mask [examples, units] of a dropout layer, True to keep."""
        masks = keep_masks(self.key, self.step, layer, examples, units, self.probability)
        return torch.from_numpy(masks)


def job_of(instance: Instance, setting: Setting) -> Job:
    """Return what `train_epochs` needs to train an instance's candidate."""
    candidate = instance.candidate
    assert isinstance(candidate, (ConvNet, ModuleCandidate))
    if isinstance(candidate, ConvNet):
        rows = instance.draw(setting).train if candidate.scale else np.empty(0, np.int32)
        scaling = scaling_of(candidate, setting.halves.population, rows)
        job = convnet_job(candidate, instance.seed, setting, scaling)
    else:
        job = module_job(candidate, instance.seed, setting)
    epoch_steps = -(-instance.train_size(setting) // job.batch_size)
    epochs = setting.stopping.max_epochs
    job.clip = candidate.clip
    schedule = schedule_of(candidate)
    if schedule != Schedule() or candidate.warmup:
        rates = [group["lr"] for group in job.optimizer.param_groups]

        def set_rates(step: int) -> None:
            share = schedule.factor(step, epochs * epoch_steps, epoch_steps, candidate.warmup)
            for group, rate in zip(job.optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * share

        job.before_step = (*job.before_step, set_rates)
    if candidate.average != "none":
        average = parse_average(candidate.average)
        job.averaged = AveragedModule(job.predictor, average, epoch_steps, epochs)
    return job


def convnet_job(net: ConvNet, seed: InstanceSeed, setting: Setting, scaling: Scaling) -> Job:
    """Return the training of a `ConvNet` with everything random from the ledger."""
    module = ConvModule(net)
    load(module, {**named_weights(net, initial_weights(net, seed)), **scaling}, net.label)
    loss = trained_loss(net, setting.loss)
    noise = LedgerNoise(seed.key(Stream.NOISE), net.dropout)
    module.keep = noise
    return Job(
        TorchPredictor(module, net.side > 0, input_shape=net.input_shape),
        optimizer_of(net.optimizer, module.parameters(), net.learning_rate, net.decay),
        mean_loss(loss, loss_share(loss, scaling)),
        net.batch_size,
        before_step=(partial(setattr, noise, "step"),),
    )


def module_job(candidate: ModuleCandidate, seed: InstanceSeed, setting: Setting) -> Job:
    """Return the training of a `ModuleCandidate`.

    Torch's own random numbers are seeded from the NOISE stream for what it draws in training.
    """
    module = initial_module(candidate, seed)
    torch.manual_seed(int(seed.generator(Stream.NOISE).integers(0, 2**63)))
    module.to(candidate.device)
    optimizer = _optimizer(candidate, module)
    schedule = None
    if is_import_path(candidate.schedule):
        arguments = candidate.arguments("schedule_parameters")
        schedule = candidate.part("schedule")(optimizer, **arguments)
    return Job(
        TorchPredictor(module, candidate.side, candidate.device, candidate.input_shape),
        optimizer,
        module_loss(candidate, setting),
        candidate.batch_size,
        after_epoch=None if schedule is None else schedule.step,
    )


def initial_module(candidate: ModuleCandidate, seed: InstanceSeed) -> nn.Module:
    """Return a candidate's module as an instance begins, on the CPU.

    Torch's own random numbers are seeded from the INIT stream for the factory.
    """
    torch.manual_seed(int(seed.generator(Stream.INIT).integers(0, 2**63)))
    module = candidate.make()
    if candidate.initialization == "he":
        start_as_he(module, seed)
    return module


def start_as_he(module: nn.Module, seed: InstanceSeed) -> None:
    """Draw a module's weights He-normal from the INIT stream and set its biases to 0.

    Arrays of two or more axes, in the order of ``named_parameters``, become N(0, 2/fan_in) with
    fan_in the values per first axis; arrays of one axis named ``bias`` become 0; others stay.
    """
    generator = seed.generator(Stream.INIT)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.dim() > 1:
                values = generator.standard_normal(tuple(parameter.shape), dtype=np.float32)
                values *= np.float32(np.sqrt(2.0 * parameter.shape[0] / parameter.numel()))
                parameter.copy_(torch.from_numpy(values))
            elif name.rpartition(".")[2] == "bias":
                parameter.zero_()


def _optimizer(candidate: ModuleCandidate, module: nn.Module) -> torch.optim.Optimizer:
    trained = [p for p in module.parameters() if p.requires_grad]
    rate, decay = candidate.learning_rate, candidate.decay
    if candidate.optimizer in OPTIMIZERS:
        return optimizer_of(candidate.optimizer, trained, rate, decay)
    given = {"weight_decay": decay} if decay else {}
    given |= candidate.arguments("optimizer_parameters")
    optimizer: torch.optim.Optimizer = candidate.part("optimizer")(trained, lr=rate, **given)
    return optimizer


def module_loss(candidate: ModuleCandidate, setting: Setting) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the training loss; a function of torch gets class codes [n] for classification."""
    if not isinstance(candidate.loss, str):
        return mean_loss(trained_loss(candidate, setting.loss))
    found, arguments = candidate.part("loss"), candidate.arguments("loss_parameters")
    call = found(**arguments) if isinstance(found, type) else partial(found, **arguments)
    if setting.halves.population.classes is None:
        return cast("Callable[[Tensor, Tensor], Tensor]", call)
    return lambda prediction, target: call(prediction, target[:, 0].long())


def mean_loss(loss: Loss, share: float = 1.0) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a `Loss` as trained on: ``share`` times the mean of its terms or the root of it."""

    def of_batch(prediction: Tensor, target: Tensor) -> Tensor:
        if loss.classification:
            codes = target[:, 0].long()
            if loss.name != "brier":
                return functional.cross_entropy(prediction, codes)
            truth = functional.one_hot(codes, prediction.shape[1])
            return ((prediction.softmax(dim=1) - truth) ** 2).sum(dim=1).mean()
        term, _ = TERMS[loss.name]
        mean: Tensor = term(prediction - target, target, loss.parameter).mean()
        if loss.objective == "root":
            mean = mean.clamp(min=torch.finfo(torch.float32).tiny).sqrt()
        return mean if share == 1.0 else share * mean

    return of_batch


def optimizer_of(
    name: OptimizerName, parameters: Iterable[nn.Parameter], learning_rate: float, decay: float
) -> torch.optim.Optimizer:
    """Return an optimiser with the formulas and constants of `surefoot.learning.optimizers`."""
    return _OPTIMIZERS[name](parameters, lr=learning_rate, weight_decay=decay)
