"""A `ConvNet` as a ``torch.nn.Module``: trained by `torch_eager` and handed out by exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from surefoot.candidates.convnet.network import ConvNet, Layer
from surefoot.engines.scaling import scaling_names
from surefoot.errors import CandidateError, DataError

Keep = Callable[[int, int, int], Tensor]
"""(dropout layer from 0, examples, units) -> mask [examples, units], True to keep."""

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
}


class Scale(nn.Module):
    """A network's scaling, as buffers; see `surefoot.engines.scaling`."""

    def __init__(self, net: ConvNet) -> None:
        super().__init__()
        for name, length in scaling_names(net).items():
            fill = torch.zeros if name.endswith("mean") else torch.ones
            self.register_buffer(name.removeprefix("scale."), fill(length))

    def forward(self, x: Tensor, what: str = "") -> Tensor:
        """Return features [n, F], or ``side_`` features [n, S], standardised."""
        mean, deviation = (self.get_buffer(f"{what}{name}") for name in ("mean", "deviation"))
        return (x - mean) / deviation

    def predicted(self, z: Tensor) -> Tensor:
        """Return what outputs [n, outputs] predict."""
        mean, deviation = (self.get_buffer(f"target_{name}") for name in ("mean", "deviation"))
        return mean + deviation * z


class ConvModule(nn.Module):
    """The network that a `ConvNet` describes, in stock torch layers named as its layers.

    In training, dropout follows ``keep`` if that is set, else torch's own random numbers.
    """

    def __init__(self, net: ConvNet) -> None:
        super().__init__()
        self.net = net
        self.keep: Keep | None = None
        self.scale = Scale(net) if net.scale else None
        for layer in net.layers:
            module = _module(layer, net)
            if module is not None:
                self.add_module(layer.name, module)

    def forward(self, features: Tensor, side: Tensor | None = None) -> Tensor:
        """Return predictions [n, outputs].

        ``features`` are [n, F] or [n, channels, rows, columns], ``side`` [n, S] where the network
        takes side features.
        """
        if self.scale is not None:
            features = self.scale(features.flatten(1))
        x = features.reshape(-1, *self.net.input_shape)
        dropouts = 0
        for layer in self.net.layers:
            match layer.kind:
                case "conv":
                    x = self.get_submodule(layer.name)(_padded(x, layer))
                case "batch_norm":
                    x = self._normalised(x, layer.name)
                case "flatten":
                    x = x.flatten(1)
                case "dropout":
                    x = self._dropped(x, dropouts)
                    dropouts += 1
                case "side":
                    if side is None:
                        wanted = f"{self.net.side} side features"
                        raise DataError(f"the network takes {wanted}; give them")
                    scaled = side if self.scale is None else self.scale(side, "side_")
                    x = torch.cat([x, scaled], dim=1)
                case _:
                    x = self.get_submodule(layer.name)(x)
        return x if self.scale is None else self.scale.predicted(x)

    def _normalised(self, x: Tensor, name: str) -> Tensor:
        """Batch normalisation; a single value per channel has variance 0 and teaches nothing."""
        norm: Any = self.get_submodule(name)
        if self.training and x.numel() == x.shape[1]:
            weight, bias = (a.view(x.shape) for a in (norm.weight, norm.bias))
            flat: Tensor = (x - x) * weight + bias
            return flat
        normalised: Tensor = norm(x)
        return normalised

    def _dropped(self, x: Tensor, layer: int) -> Tensor:
        if not self.training or self.keep is None:
            return functional.dropout(x, self.net.dropout, self.training)
        return x * self.keep(layer, *x.shape) * (1.0 / (1.0 - self.net.dropout))


def load(module: nn.Module, weights: Mapping[str, NDArray[np.float32]], label: str) -> None:
    """Copy arrays by name into a module; ``label`` names it in messages.

    Running averages of batch normalisation may be left out; they then stay as they are. Raises
    `CandidateError` if a parameter or scaling is missing, unknown or of another shape.
    """
    own: dict[str, Tensor] = module.state_dict()
    for name, values in weights.items():
        if name not in own or tuple(own[name].shape) != values.shape:
            shape = tuple(own[name].shape) if name in own else "no such array"
            raise CandidateError(
                f"weights {name!r} of shape {values.shape} do not fit {label}, which has {shape}"
            )
    needed = {name for name, _ in module.named_parameters()}
    needed |= set(scaling_names(module.net)) if isinstance(module, ConvModule) else set()
    missing = needed - set(weights)
    if missing:
        raise CandidateError(f"weights {', '.join(sorted(missing))} of {label} are missing")
    with torch.no_grad():
        for name, values in weights.items():
            own[name].copy_(torch.from_numpy(np.ascontiguousarray(values)))


def _module(layer: Layer, net: ConvNet) -> nn.Module | None:
    match layer.kind:
        case "conv":
            assert layer.conv is not None
            conv = layer.conv
            return nn.Conv2d(layer.input[0], conv.channels, conv.kernel, bias=conv.bias)
        case "batch_norm":
            norm = nn.BatchNorm2d if len(layer.output) == 3 else nn.BatchNorm1d
            return norm(layer.output[0])
        case "activation" if net.activation == "prelu":
            return nn.PReLU(layer.output[0])
        case "activation":
            return _ACTIVATIONS[net.activation]()
        case "pool":
            assert layer.pool is not None
            pool = nn.MaxPool2d if layer.pool.kind == "max" else nn.AvgPool2d
            return pool(layer.pool.size, layer.pool.step)
        case "dense":
            return nn.Linear(layer.input[0], layer.output[0], bias=len(layer.parameters) == 2)
        case _:
            return None


def _padded(x: Tensor, layer: Layer) -> Tensor:
    """Pad for "same", an even kernel's odd cell at the end (as torch, without its warning)."""
    assert layer.conv is not None
    if layer.conv.padding == "valid" or layer.conv.kernel == 1:
        return x
    before = (layer.conv.kernel - 1) // 2
    after = layer.conv.kernel - 1 - before
    return functional.pad(x, (before, after, before, after))
