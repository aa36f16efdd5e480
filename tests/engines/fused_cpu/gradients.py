"""Gradients of one batch by the compiled kernels, and by torch in double precision."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
import torch
from numpy.typing import NDArray

from surefoot.candidates.convnet.network import ConvNet
from surefoot.data.population import Population, Sampling
from surefoot.engines.fused_cpu import training
from surefoot.engines.fused_cpu.instance import (
    Network,
    aligned,
    buffers_of,
    frozen,
    recipe_of,
    scale_of,
)
from surefoot.engines.scaling import Scaling, loss_share, scaling_names
from surefoot.engines.torch.module import ConvModule
from surefoot.instances import Setting
from surefoot.learning.losses import Loss
from surefoot.seeds.philox import keep_masks

NOISE = (77, 88)
STEP = 3
batch_gradient = nb.njit(training.batch_gradient)
Array = NDArray[Any]


@dataclass
class Batch:
    """A network's parameters (torch's order) and one batch of data, in double precision."""

    net: ConvNet
    loss: Loss
    flat: Array
    features: Array
    target: Array
    side: Array | None
    scaling: Scaling


def draw_batch(net: ConvNet, loss: Loss, examples: int, seed: int) -> Batch:
    """Return random parameters and data; targets are positive, or class codes."""
    generator = np.random.default_rng(seed)
    parts = []
    for layer in net.layers:
        for parameter in layer.parameters:
            noise = generator.standard_normal(parameter.size)
            if parameter.deviation:
                parts.append(parameter.deviation * noise)
            else:
                parts.append(parameter.constant + 0.2 * noise)
    features = generator.standard_normal((examples, int(np.prod(net.input_shape))))
    if loss.classification:
        target = generator.integers(0, net.outputs, (examples, 1)).astype(np.float64)
    else:
        target = generator.uniform(0.5, 2.0, (examples, net.outputs))
    side = generator.standard_normal((examples, net.side)) if net.side else None

    def rounded(values: Array) -> Array:
        return values.astype(np.float32).astype(np.float64)

    return Batch(
        net,
        loss,
        rounded(np.concatenate(parts)),
        rounded(features),
        rounded(target),
        None if side is None else rounded(side),
        {
            name: generator.uniform(0.5, 2.0, length).astype(np.float32)
            for name, length in scaling_names(net).items()
        },
    )


def setting_of(batch: Batch) -> Setting:
    population = Population(batch.features, batch.target, batch.side)
    halves = population.split(0) if len(population) > 1 else None
    return Setting(halves, Sampling(), batch.loss)  # type: ignore[arg-type]


def by_kernels(batch: Batch, dtype: Any) -> tuple[float, Array, Network]:
    """Return the loss and the flat gradient of the batch, and the network after it."""
    net, n = batch.net, len(batch.features)
    network = Network(net, batch.flat.astype(dtype), batch.scaling, dtype=dtype)
    program = network.program
    grads = aligned(program.parameters, dtype)
    side = np.zeros((1, 0)) if batch.side is None else batch.side
    rows = np.arange(n, dtype=np.int32)
    data = training.Data(
        *(frozen(a.astype(dtype)) for a in (batch.features, batch.target, side)),
        scale_of(net, batch.scaling, loss_share(batch.loss, batch.scaling), dtype),
    )
    none = aligned(16, dtype)
    state = training.State(
        network.params,
        grads,
        none,
        none,
        network.statistics,
        network.work,
        network.params,
        network.statistics,
    )
    loss = batch_gradient(
        program, state, data, rows, rows, 0, n, recipe_of(net, setting_of(batch), n),
        np.array([0, 0, *NOISE], dtype=np.uint64), STEP,
        buffers_of(net, n, network.statistics.size)._replace(chosen=np.empty(n, dtype=np.int32)),
    )  # fmt: skip
    return loss, grads[program.place], network


def torch_module(batch: Batch) -> ConvModule:
    module = ConvModule(batch.net).double()
    start = 0
    with torch.no_grad():
        for parameter in module.parameters():
            values = batch.flat[start : start + parameter.numel()]
            parameter.copy_(torch.from_numpy(values).view(parameter.shape))
            start += parameter.numel()

    def keep(layer: int, examples: int, units: int) -> torch.Tensor:
        masks = keep_masks(NOISE, STEP, layer, examples, units, batch.net.dropout)
        return torch.from_numpy(masks).double()

    module.keep = keep
    scaling = {name: torch.from_numpy(values) for name, values in batch.scaling.items()}
    module.load_state_dict(scaling, strict=False)
    return module


def torch_loss(loss: Loss, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The losses' formulas once more, for autograd to differentiate."""
    residual = prediction - target if not loss.classification else prediction
    match loss.name:
        case "relative_rmse":
            return ((residual / target) ** 2).mean()
        case "stochastic_rmse":
            return (residual**2 / target).mean()
        case "mae":
            return residual.abs().mean()
        case "huber":
            return torch.nn.functional.huber_loss(prediction, target, delta=loss.parameter)
        case "cross_entropy":
            return torch.nn.functional.cross_entropy(prediction, target[:, 0].long())
        case "brier":
            one_hot = torch.nn.functional.one_hot(target[:, 0].long(), prediction.shape[1])
            return ((prediction.softmax(1) - one_hot) ** 2).sum(1).mean()
        case _:
            return (residual**2).mean()


def by_torch(batch: Batch) -> tuple[float, list[tuple[str, Array]], ConvModule]:
    """Return the loss, the gradient of each parameter, and the module after the batch."""
    module = torch_module(batch).train()
    side = None if batch.side is None else torch.from_numpy(batch.side)
    prediction = module(torch.from_numpy(batch.features), side)
    loss = torch_loss(batch.loss, prediction, torch.from_numpy(batch.target))
    (loss * loss_share(batch.loss, batch.scaling)).backward()
    gradients = [
        (name, p.grad.numpy().ravel())  # type: ignore[union-attr]
        for name, p in module.named_parameters()
    ]
    return loss.item(), gradients, module


def worst_error(batch: Batch, dtype: Any) -> tuple[float, str]:
    """Return the largest error of an array's gradient against torch, and the array's name."""
    loss, flat, _ = by_kernels(batch, dtype)
    expected_loss, gradients, _ = by_torch(batch)
    assert math.isclose(loss, expected_loss, rel_tol=1e-10 if dtype is np.float64 else 1e-5)
    whole = np.linalg.norm(np.concatenate([g for _, g in gradients]))
    errors, start = [], 0
    for name, expected in gradients:
        difference = np.linalg.norm(flat[start : start + expected.size] - expected)
        size = max(float(np.linalg.norm(expected)), 1e-3 * float(whole), 1e-30)
        errors.append((float(difference) / size, name))
        start += expected.size
    assert start == flat.size
    return max(errors)
