"""Ways to train one network, each with its own data in memory, timed by `training.py`.

A way is made for a network and has ``run(steps)``, which trains that many batches and returns the
number of examples it went through. All train from the same initial weights on the same data with
the same optimiser and loss (mean squared error), forward, backward and update, one thread. Those
of torch train on a GPU, too (`gpu.py`).
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from training_data import EXAMPLES, SEED, data

from surefoot.candidates.convnet.initialization import initial_weights, named_weights
from surefoot.candidates.convnet.network import ConvNet
from surefoot.learning.losses import Loss

MODELS = 16
"""Networks that ``torch.func.vmap`` trains at once."""


class Fused:
    """surefoot's engine: the same compiled call that trains an instance."""

    def __init__(self, net: ConvNet) -> None:
        from surefoot.data.population import Population, Sampling
        from surefoot.instances import Setting
        from surefoot.learning.stopping import Stopping

        arrays = data(net)
        side = arrays.side if net.side else None
        population = Population(arrays.features, arrays.target, side)
        stopping = Stopping(max_epochs=1, min_epochs=1, window=1, reading="none")
        self.setting = Setting(population.split(0), Sampling(), Loss("mse"), stopping)
        self.net = net
        self.stop = np.zeros(1, dtype=np.uint8)

    def run(self, steps: int) -> int:
        from surefoot.data.population import Draw
        from surefoot.engines.base import Monitor
        from surefoot.engines.fused_cpu.instance import train_instance
        from surefoot.instances import Instance

        n = steps * self.net.batch_size
        train = np.arange(n, dtype=np.int32) % EXAMPLES
        draw = Draw(train, np.zeros(1, dtype=np.int32))
        train_instance(Instance(self.net, SEED), self.setting, draw, Monitor(self.stop))
        return n


class FusedEpochs(Fused):
    """The same on a draw of all examples, as a study trains: its scaling is computed once."""

    def run(self, steps: int) -> int:
        from surefoot.data.population import Draw
        from surefoot.engines.base import Monitor
        from surefoot.engines.fused_cpu.instance import train_instance
        from surefoot.instances import Instance
        from surefoot.learning.stopping import Stopping

        epochs = epochs_of(self.net, steps)
        setting = replace(self.setting, stopping=Stopping(max_epochs=epochs, reading="none"))
        draw = Draw(np.arange(EXAMPLES, dtype=np.int32), np.zeros(1, dtype=np.int32))
        train_instance(Instance(self.net, SEED), setting, draw, Monitor(self.stop))
        return epochs * EXAMPLES


def epochs_of(net: ConvNet, steps: int) -> int:
    """Return how many epochs of all examples have about so many steps."""
    return max(1, steps * net.batch_size // EXAMPLES)


class Sklearn:
    """scikit-learn's ``MLPRegressor``, in single precision."""

    def __init__(self, net: ConvNet) -> None:
        arrays = data(net)
        self.net, self.x, self.y = net, arrays.features, arrays.target.ravel()

    def run(self, steps: int) -> int:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPRegressor

        epochs = epochs_of(self.net, steps)
        model = MLPRegressor(
            hidden_layer_sizes=self.net.hidden,
            batch_size=self.net.batch_size,
            alpha=0.0,
            max_iter=epochs,
            tol=0.0,
            n_iter_no_change=10**9,
            random_state=1,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(self.x, self.y)
        return epochs * EXAMPLES


def torch_optimizer(net: ConvNet, parameters: Any) -> Any:
    """Return torch's fastest form of an optimiser on CPUs: fused, else over lists of tensors."""
    import torch

    kinds = {
        "sgd": torch.optim.SGD,
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "nadam": torch.optim.NAdam,
    }
    common = {"lr": 1e-4, "weight_decay": net.decay}
    parameters = list(parameters)
    if net.optimizer == "nadam":
        return kinds["nadam"](parameters, foreach=True, **common)
    return kinds[net.optimizer](parameters, fused=True, **common)


class Eager:
    """Stock torch modules and autograd."""

    memory_format = "contiguous_format"

    def __init__(self, net: ConvNet, device: str = "cpu") -> None:
        import torch

        from surefoot.engines.torch.module import ConvModule, load

        torch.set_num_threads(1)
        self.net, self.torch = net, torch
        flat = initial_weights(net, SEED)
        module = ConvModule(net)
        load(module, named_weights(net, flat), net.label)
        self.format = getattr(torch, self.memory_format)
        self.module = module.to(device, memory_format=self.format).train()
        self.optimizer = torch_optimizer(net, self.module.parameters())
        arrays = data(net)
        x = torch.from_numpy(arrays.features).to(device).view(-1, *net.input_shape)
        self.features = x.contiguous(memory_format=self.format)
        self.target = torch.from_numpy(arrays.target).to(device)
        self.side = torch.from_numpy(arrays.side).to(device) if net.side else None

    def run(self, steps: int) -> int:
        torch, n = self.torch, self.net.batch_size
        order = torch.arange(steps * n, device=self.target.device) % EXAMPLES
        for index in order.split(n):
            self.step(index)
        return steps * n

    def step(self, index: Any) -> None:
        side = None if self.side is None else self.side[index]
        prediction = self.module(self.features[index], side)
        loss = self.torch.nn.functional.mse_loss(prediction, self.target[index])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


class EagerChannelsLast(Eager):
    memory_format = "channels_last"


class Vmap:
    """``torch.func.vmap`` over so many networks, each on its own batch."""

    def __init__(self, net: ConvNet, device: str = "cpu", models: int = MODELS) -> None:
        import torch
        from torch.func import functional_call, grad, vmap

        from surefoot.engines.torch.module import ConvModule, load

        torch.set_num_threads(1)
        self.net, self.torch, self.models = net, torch, models
        flat = initial_weights(net, SEED)
        module = ConvModule(net).train()
        load(module, named_weights(net, flat), net.label)
        for layer in module.modules():
            if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
                layer.track_running_stats = False
                layer.running_mean = layer.running_var = layer.num_batches_tracked = None
        self.parameters = {
            name: torch.stack([p.detach().to(device)] * models).requires_grad_()
            for name, p in module.named_parameters()
        }
        self.optimizer = torch_optimizer(net, self.parameters.values())

        def loss(parameters: Any, x: Any, side: Any, y: Any) -> Any:
            arguments = (x, side) if net.side else (x,)
            return torch.nn.functional.mse_loss(functional_call(module, parameters, arguments), y)

        self.gradient = vmap(grad(loss))
        arrays = data(net)
        self.features = torch.from_numpy(arrays.features).to(device).view(-1, *net.input_shape)
        self.target, self.side = (
            torch.from_numpy(array).to(device) for array in (arrays.target, arrays.side)
        )

    def run(self, steps: int) -> int:
        torch, n, models = self.torch, self.net.batch_size, self.models
        count = max(1, steps // models)
        order = torch.arange(count * models * n, device=self.target.device) % EXAMPLES
        for index in order.view(count, models, n):
            detached = {name: p.detach() for name, p in self.parameters.items()}
            gradients = self.gradient(
                detached, self.features[index], self.side[index], self.target[index]
            )
            for name, parameter in self.parameters.items():
                parameter.grad = gradients[name]
            self.optimizer.step()
        return count * models * n


def dense_ways() -> dict[str, Callable[[ConvNet], Any]]:
    """Return the ways for networks without convolution; only surefoot's scales."""
    peers: dict[str, Callable[[ConvNet], Any]] = {
        "torch eager": Eager,
        "torch.func vmap × 16": Vmap,
        "scikit-learn": Sklearn,
    }

    def unscaled(make: Callable[[ConvNet], Any]) -> Callable[[ConvNet], Any]:
        return lambda net: make(replace(net, scale=False))

    return {"surefoot": FusedEpochs} | {name: unscaled(make) for name, make in peers.items()}


def ways() -> dict[str, Callable[[ConvNet], Any]]:
    """Return the ways this environment can run, by name."""
    found: dict[str, Callable[[ConvNet], Any]] = {
        "surefoot": Fused,
        "torch eager": Eager,
        "torch channels_last": EagerChannelsLast,
        "torch.func vmap × 16": Vmap,
    }
    if importlib.util.find_spec("jax") is not None:
        from training_jax import Jax

        found["jax"] = Jax
    return found
