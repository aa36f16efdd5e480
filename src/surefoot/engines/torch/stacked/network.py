"""A stack of networks of one architecture: every array has a first axis [stack], one per instance.

Images are kept with their channels last. A convolution gathers the patches of its input (im2col)
and multiplies them with the instances' kernels in one batched matrix product, where a
grouped convolution would starve a GPU. No operation mixes two instances, and none has an order of
sums that varies from run to run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from surefoot.candidates.convnet.network import ConvNet, Layer

MOMENTUM, EPSILON = 0.1, 1e-5
"""Of batch normalisation, as in ``torch.nn.BatchNorm2d``."""
LEAKY_SLOPE = 0.01

Masks = Callable[[int, int, int], Tensor]
"""(dropout layer from 0, examples, units) -> what to keep [stack, examples, units], 0 or 1."""

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda x: functional.leaky_relu(x, LEAKY_SLOPE),
    "elu": functional.elu,
    "gelu": functional.gelu,
}


@dataclass(frozen=True, slots=True)
class StackedNetwork:
    """The forward pass of many instances of one architecture.

    ``weights`` are parameters by torch's names, [stack, *shape], ``running`` the means and
    variances of batch normalisation, [stack, channels], updated in training, and ``scaling`` the
    constants of `surefoot.engines.scaling`, [stack, columns].
    """

    net: ConvNet
    weights: Mapping[str, Tensor]
    running: Mapping[str, Tensor]
    scaling: Mapping[str, Tensor]

    def __call__(
        self,
        features: Tensor,
        side: Tensor | None,
        masks: Masks | None = None,
        momentum: float | None = None,
    ) -> Tensor:
        """Return predictions [stack, n, outputs] for features [stack, n, F], side [stack, n, S].

        With a momentum, batch normalisation goes by the batch and its running averages follow; it
        goes by them without. Dropout is what the masks say, none without.
        """
        stack, n = features.shape[:2]
        channels, rows, columns = self.net.input_shape
        if self.scaling:
            features = self._scaled(features, "")
        x = features.view(stack, n, channels, rows, columns).permute(0, 1, 3, 4, 2)
        dropouts = 0
        for layer in self.net.layers:
            match layer.kind:
                case "conv":
                    x = self._convolved(x, layer)
                case "batch_norm":
                    x = self._normalised(x, layer.name, momentum)
                case "activation":
                    x = self._activated(x, layer)
                case "pool":
                    x = _pooled(x, layer)
                case "flatten":
                    x = x.permute(0, 1, 4, 2, 3).reshape(stack, n, -1)
                case "dropout":
                    if masks is not None:
                        kept = masks(dropouts, n, x.shape[2])
                        x = x * kept * (1.0 / (1.0 - self.net.dropout))
                    dropouts += 1
                case "side":
                    assert side is not None
                    joined = self._scaled(side, "side_") if self.scaling else side
                    x = torch.cat([x, joined], dim=2)
                case "dense":
                    bias = self.weights.get(f"{layer.name}.bias")
                    x = affine(x, self.weights[f"{layer.name}.weight"], bias)
        if self.scaling:
            mean, deviation = self._moments("target_")
            x = mean + deviation * x
        return x

    def _scaled(self, x: Tensor, what: str) -> Tensor:
        mean, deviation = self._moments(what)
        return (x - mean) / deviation

    def _moments(self, what: str) -> tuple[Tensor, Tensor]:
        """Return means and deviations [stack, 1, columns]."""
        scaling = self.scaling
        mean, deviation = (scaling[f"scale.{what}{name}"] for name in ("mean", "deviation"))
        return mean.unsqueeze(1), deviation.unsqueeze(1)

    def _convolved(self, x: Tensor, layer: Layer) -> Tensor:
        conv = layer.conv
        assert conv is not None
        kernel = self.weights[f"{layer.name}.weight"]
        if conv.padding == "same" and conv.kernel > 1:
            before = (conv.kernel - 1) // 2
            after = conv.kernel - 1 - before
            x = functional.pad(x, (0, 0, before, after, before, after))
        return convolution(x, kernel, self.weights.get(f"{layer.name}.bias"))

    def _normalised(self, x: Tensor, name: str, momentum: float | None) -> Tensor:
        """Normalise each instance's channels by its own batch, or by its running averages."""
        flat = x.flatten(1, -2)
        mean, variance = (self.running[f"{name}.running_{what}"] for what in ("mean", "var"))
        if momentum is not None:
            values = flat.shape[1]
            batch_mean = flat.mean(1)
            batch_variance = flat.var(1, correction=0)
            if values > 1:
                with torch.no_grad():
                    mean.lerp_(batch_mean, momentum)
                    variance.lerp_(batch_variance * (values / (values - 1)), momentum)
            mean, variance = batch_mean, batch_variance
        scale = self.weights[f"{name}.weight"] * torch.rsqrt(variance + EPSILON)
        shift = self.weights[f"{name}.bias"]
        y = (flat - mean.unsqueeze(1)) * scale.unsqueeze(1) + shift.unsqueeze(1)
        return y.view(x.shape)

    def _activated(self, x: Tensor, layer: Layer) -> Tensor:
        if self.net.activation != "prelu":
            return _ACTIVATIONS[self.net.activation](x)
        slopes = self.weights[f"{layer.name}.weight"]
        slopes = slopes.view(slopes.shape[0], *[1] * (x.dim() - 2), slopes.shape[1])
        return torch.where(x > 0, x, slopes * x)


def convolution(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve images [stack, n, rows, columns, channels] without padding, by im2col.

    Each instance has its kernel [stack, maps, channels, k, k] and bias [stack, maps]. Patches hold
    the channels of a cell side by side, as the images do, so that they are copied in runs.
    """
    size = kernel.shape[-1]
    patches = x.unfold(2, size, 1).unfold(3, size, 1).permute(0, 1, 2, 3, 5, 6, 4)
    stack, n, rows, columns = patches.shape[:4]
    flat = patches.reshape(stack, n * rows * columns, -1)
    y = affine(flat, kernel.permute(0, 1, 3, 4, 2).flatten(2), bias)
    return y.view(stack, n, rows, columns, -1)


def affine(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return x Wᵀ + b of each instance: [stack, n, in], [stack, out, in] and [stack, out]."""
    if bias is None:
        return torch.bmm(x, weight.transpose(1, 2))
    return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))


def _pooled(x: Tensor, layer: Layer) -> Tensor:
    """Pool images [stack, n, rows, columns, channels].

    Where windows of a maximum overlap, torch's kernel for GPUs adds gradients in any order; there
    the maxima are taken from gathered windows.
    """
    pool = layer.pool
    assert pool is not None
    if pool.kind == "max" and pool.step < pool.size:
        windows = x.unfold(2, pool.size, pool.step).unfold(3, pool.size, pool.step)
        return windows.flatten(-2).max(-1).values
    images = x.flatten(0, 1).permute(0, 3, 1, 2)
    pooling = functional.max_pool2d if pool.kind == "max" else functional.avg_pool2d
    y = pooling(images, pool.size, pool.step).permute(0, 2, 3, 1)
    return y.reshape(*x.shape[:2], *y.shape[1:])
