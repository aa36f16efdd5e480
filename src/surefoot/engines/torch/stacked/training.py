"""The training of a stack: instances of one architecture side by side, one epoch after the other.

The population lies on the device once; batches are gathered there. One step (gather, forward,
backward, update) is a CUDA graph where there is CUDA, so that Python starts it with one call, and
losses are read back once per epoch. An instance that ends frees its place for the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from surefoot.candidates.convnet.initialization import initial_weights
from surefoot.candidates.convnet.network import ConvNet
from surefoot.data.population import Population
from surefoot.engines.base import Stopped
from surefoot.engines.stack import Trained
from surefoot.engines.torch.eager import predictor_of
from surefoot.engines.torch.stacked.network import StackedNetwork
from surefoot.engines.torch.stacked.noise import keep_masks
from surefoot.engines.torch.stacked.optimizers import StackedOptimizer
from surefoot.instances import Instance, Setting
from surefoot.learning.losses.base import Loss
from surefoot.learning.losses.regression import TERMS
from surefoot.seeds.ledger import Stream
from surefoot.seeds.philox import epoch_order

EXAMPLES_AT_ONCE = 1 << 16
"""Test examples predicted at once over the whole stack: bounds memory."""


@dataclass(frozen=True, slots=True)
class DeviceData:
    """A population's arrays on a device."""

    features: Tensor
    side: Tensor | None
    target: Tensor

    @classmethod
    def of(cls, population: Population, device: torch.device) -> DeviceData:
        """Copy a population's arrays to a device; on the CPU they share the memory."""
        side = None if population.side is None else torch.from_numpy(population.side)
        return cls(
            torch.from_numpy(population.features).to(device),
            None if side is None else side.to(device),
            torch.from_numpy(population.target).to(device),
        )


@dataclass(slots=True)
class _Place:
    """One instance in the stack, with its training rows on the host."""

    trained: Trained
    train: NDArray[np.int32]


class Stack:
    """Places for ``size`` instances of one architecture, sample size and test size."""

    def __init__(
        self, net: ConvNet, setting: Setting, data: DeviceData, size: int, examples: int, test: int
    ) -> None:
        self._net, self._setting, self._data = net, setting, data
        self.places: list[_Place | None] = [None] * size
        device = data.features.device
        self._parameters = torch.zeros(size, net.number_of_parameters, device=device)
        self._leaves: dict[str, Tensor] = {}
        self._running: dict[str, Tensor] = {}
        start = 0
        for layer in net.layers:
            for parameter in layer.parameters:
                part = self._parameters[:, start : start + parameter.size]
                view = part.unflatten(1, parameter.shape)
                self._leaves[parameter.name] = view.detach().requires_grad_()
                start += parameter.size
            if layer.kind == "batch_norm":
                for what in ("mean", "var"):
                    values = torch.zeros(size, layer.output[0], device=device)
                    self._running[f"{layer.name}.running_{what}"] = values
        self._network = StackedNetwork(net, self._leaves, self._running)
        self._optimizer = StackedOptimizer(net.optimizer, self._parameters)
        self._rates = torch.zeros(size, dtype=torch.float64, device=device)
        self._decays = torch.zeros_like(self._rates)
        self._keys = torch.zeros(size, 2, dtype=torch.int64, device=device)
        self._exploded = torch.zeros(size, dtype=torch.bool, device=device)
        self._order = np.zeros((size, examples), dtype=np.int32)
        self._test = torch.zeros(size, test, dtype=torch.int32, device=device)
        self._loss = terms_of((net.loss or setting.loss).trained)
        batch = net.batch_size
        sizes = {min(batch, examples), examples % batch or batch}
        self._steps = {n: self._step_of(n, device) for n in sizes}

    def seat(self, place: int, instance: Instance) -> None:
        """Give a free place to an instance, as the ledger says it starts."""
        draw, seed, net = instance.draw(self._setting), instance.seed, instance.candidate
        assert isinstance(net, ConvNet)
        self.places[place] = _Place(Trained(instance), draw.train)
        self._parameters[place] = torch.from_numpy(initial_weights(net, seed))
        for name, values in self._running.items():
            values[place] = 0.0 if name.endswith("mean") else 1.0
        self._optimizer.restart(place)
        self._rates[place], self._decays[place] = net.learning_rate, net.decay
        key = np.array(seed.key(Stream.NOISE), dtype=np.uint64).view(np.int64)
        self._keys[place] = torch.from_numpy(key)
        self._exploded[place] = False
        self._test[place] = torch.from_numpy(draw.test)

    def train_epoch(self, stop: NDArray[np.uint8]) -> list[Trained]:
        """Train every instance for an epoch; return those that ended, whose places are free."""
        began = time.perf_counter()
        active = [(i, place) for i, place in enumerate(self.places) if place is not None]
        for i, place in active:
            key = place.trained.instance.seed.key(Stream.ORDER)
            epoch = len(place.trained.losses)
            self._order[i] = place.train[epoch_order(key, epoch, place.train.size)]
        order = torch.from_numpy(self._order).to(self._parameters.device)
        for start in range(0, order.shape[1], self._net.batch_size):
            if stop[0]:
                raise Stopped
            rows = order[:, start : start + self._net.batch_size]
            self._steps[rows.shape[1]](rows)
        losses = self._test_losses(stop)
        ended = []
        seconds = (time.perf_counter() - began) / len(active)
        for i, place in active:
            trained = place.trained
            trained.seconds += seconds
            trained.losses.append(float(losses[i]))
            finite = np.isfinite(losses[i])
            if not finite or self._setting.stopping.should_stop(trained.losses):
                trained.predictor = predictor_of(self._net, self._weights(i))
                self.places[i] = None
                ended.append(trained)
        return ended

    def _weights(self, place: int) -> dict[str, NDArray[np.float32]]:
        arrays = {**self._leaves, **self._running}
        return {name: a[place].detach().cpu().numpy().copy() for name, a in arrays.items()}

    def _step_of(self, examples: int, device: torch.device) -> Callable[[Tensor], None]:
        """Return a training step on the rows [stack, examples] of a batch."""
        if device.type != "cuda":
            return self._step
        rows = torch.zeros(len(self.places), examples, dtype=torch.int32, device=device)
        aside = torch.cuda.Stream(device)
        aside.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(aside):
            for _ in range(3):
                self._step(rows)
        torch.cuda.current_stream(device).wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._step(rows)

        def replay(batch: Tensor) -> None:
            rows.copy_(batch)
            graph.replay()

        return replay

    def _step(self, rows: Tensor) -> None:
        prediction = self._predict(rows, training=True)
        losses = self._loss(prediction, self._data.target[rows]).mean(1)
        self._exploded |= ~torch.isfinite(losses.detach())
        gradients = torch.autograd.grad(losses.sum(), list(self._leaves.values()))
        with torch.no_grad():
            gradient = torch.cat([g.flatten(1) for g in gradients], dim=1)
            self._optimizer.update(self._parameters, gradient, self._rates, self._decays)

    def _predict(self, rows: Tensor, *, training: bool) -> Tensor:
        """Return predictions [stack, n, outputs] for rows [stack, n] of the population."""
        net, steps = self._net, self._optimizer.steps

        def masks(layer: int, examples: int, units: int) -> Tensor:
            return keep_masks(self._keys, steps, layer, examples, units, net.dropout)

        side = None
        if net.side:
            assert self._data.side is not None
            side = self._data.side[rows]
        features = self._data.features[rows]
        return self._network(features, side, masks if net.dropout else None, training=training)

    def _test_losses(self, stop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the test losses [stack], NaN where training exploded."""
        loss, rows = self._setting.loss, self._test
        terms = terms_of(loss)
        total = torch.zeros(len(rows), dtype=torch.float64, device=rows.device)
        chunk = max(1, EXAMPLES_AT_ONCE // len(rows))
        with torch.no_grad():
            for start in range(0, rows.shape[1], chunk):
                if stop[0]:
                    raise Stopped
                part = rows[:, start : start + chunk]
                prediction = self._predict(part, training=False)
                total += terms(prediction.double(), self._data.target[part].double()).sum(1)
            mean = total / rows.shape[1]
            value = mean.sqrt() if loss.rooted else mean
            value[self._exploded] = torch.nan
        return value.float().cpu().numpy()


def fit(
    instances: Iterator[Instance],
    setting: Setting,
    device: torch.device,
    size: int,
    stop: NDArray[np.uint8],
) -> Iterator[Trained]:
    """Train instances of one shape in stacks of ``size``, halved when the device is out of memory.

    A stack has its full size even when fewer instances come: a GPU's library chooses its kernel, and
    with it the order of sums, by the number of matrices.
    """
    data = DeviceData.of(setting.halves.population, device)
    first = next(instances, None)
    waiting = [] if first is None else [first]
    while waiting:
        head = waiting[0]
        net = head.candidate
        assert isinstance(net, ConvNet)
        draw, stack = head.draw(setting), None
        try:
            stack = Stack(net, setting, data, size, draw.train.size, draw.test.size)
            yield from _run(stack, waiting, instances, stop)
        except torch.OutOfMemoryError as error:
            running = [] if stack is None else [p.trained.instance for p in stack.places if p]
            waiting[:0] = running
            if size == 1:
                failure = f"out of memory on {device}: {error}"
                yield Trained(waiting.pop(0), failure=failure)
            size = max(1, size // 2)
            del stack
            torch.cuda.empty_cache()


def _run(
    stack: Stack, waiting: list[Instance], instances: Iterator[Instance], stop: NDArray[np.uint8]
) -> Iterator[Trained]:
    """Train in one stack until nobody waits and all places are free."""
    while True:
        for place, taken in enumerate(stack.places):
            if taken is None:
                instance = waiting.pop(0) if waiting else next(instances, None)
                if instance is None:
                    break
                stack.seat(place, instance)
        if not any(stack.places):
            return
        yield from stack.train_epoch(stop)


def terms_of(loss: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    """Return ℓ [stack, n] of a loss for predictions and targets [stack, n, outputs]."""
    name, delta = loss.name, loss.parameter

    def regression(prediction: Tensor, target: Tensor) -> Tensor:
        term: Tensor = TERMS[name][0](prediction - target, target, delta)
        return term.mean(-1)

    def classification(prediction: Tensor, target: Tensor) -> Tensor:
        codes = target[..., 0].long()
        if name == "cross_entropy":
            chosen = prediction.log_softmax(-1).gather(-1, codes.unsqueeze(-1))
            return -chosen[..., 0]
        if name == "error_rate":
            return (prediction.argmax(-1) != codes).double()
        truth = functional.one_hot(codes, prediction.shape[-1])
        return (prediction.softmax(-1) - truth).square().sum(-1)

    return classification if loss.classification else regression
