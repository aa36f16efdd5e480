"""The training of a stack: instances of one architecture side by side, one epoch after the other.

The population lies on the device once; batches are gathered there. One step (gather, forward,
backward, update, average) is a CUDA graph where there is CUDA, so that Python starts it with one
call, and losses are read back once per epoch. An instance that ends frees its place for the next.
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
from surefoot.candidates.recipe import schedule_of, trained_loss
from surefoot.data.population import Population, Rows
from surefoot.engines.base import Flag, Monitor, Stopped, Trained
from surefoot.engines.scaling import Scaling, loss_share, scaling_names, scaling_of
from surefoot.engines.torch.eager import predictor_of
from surefoot.engines.torch.stacked.network import MOMENTUM, StackedNetwork
from surefoot.engines.torch.stacked.noise import keep_masks
from surefoot.engines.torch.stacked.optimizers import StackedOptimizer, column
from surefoot.instances import Instance, Setting
from surefoot.learning.averaging import parse_average, statistics_rows
from surefoot.learning.losses import TERMS, Loss
from surefoot.seeds.ledger import Stream
from surefoot.seeds.philox import epoch_order

EXAMPLES_AT_ONCE = 1 << 16
"""Test examples predicted at once over the whole stack: bounds memory."""
_CLIP_EPSILON = 1e-6
"""As in ``torch.nn.utils.clip_grad_norm_``."""


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


class _Weights:
    """The arrays of a stack: parameters [stack, P], the leaves that are parts of them by name,
    the running averages of batch normalisation, the scaling, and the network that they are."""

    def __init__(self, net: ConvNet, size: int, device: torch.device) -> None:
        self.parameters = torch.zeros(size, net.number_of_parameters, device=device)
        self.leaves: dict[str, Tensor] = {}
        self.running: dict[str, Tensor] = {}
        start = 0
        for layer in net.layers:
            for parameter in layer.parameters:
                part = self.parameters[:, start : start + parameter.size]
                view = part.view(size, *parameter.shape)
                self.leaves[parameter.name] = view.detach().requires_grad_()
                start += parameter.size
            if layer.kind == "batch_norm":
                for what in ("mean", "var"):
                    values = torch.zeros(size, layer.output[0], device=device)
                    self.running[f"{layer.name}.running_{what}"] = values
        lengths = scaling_names(net)
        self.scaling = {n: torch.zeros(size, m, device=device) for n, m in lengths.items()}
        self.network = StackedNetwork(net, self.leaves, self.running, self.scaling)

    def start(self, place: int, parameters: NDArray[np.float32], scaling: Scaling) -> None:
        """Begin a new instance at a place."""
        self.parameters[place] = torch.from_numpy(parameters)
        for name, constants in scaling.items():
            self.scaling[name][place] = torch.from_numpy(constants)
        for name, values in self.running.items():
            values[place] = 0.0 if name.endswith("mean") else 1.0

    def of(self, place: int) -> dict[str, NDArray[np.float32]]:
        """Return copies of an instance's arrays by torch's names."""
        arrays = {**self.leaves, **self.running, **self.scaling}
        return {name: a[place].detach().cpu().numpy().copy() for name, a in arrays.items()}


@dataclass(slots=True)
class _Place:
    """One instance in the stack, with its training rows on the host."""

    trained: Trained
    train: Rows

    @property
    def epoch(self) -> int:
        return len(self.trained.monitor.losses)


class Stack:
    """Places for ``size`` instances of one architecture, recipe, sample size and test size."""

    def __init__(self, head: Instance, setting: Setting, data: DeviceData, size: int) -> None:
        net, draw = head.candidate, head.draw(setting)
        assert isinstance(net, ConvNet)
        self._net, self._setting, self._data = net, setting, data
        self.places: list[_Place | None] = [None] * size
        device = data.features.device
        self._weights = _Weights(net, size, device)
        self._average = parse_average(net.average)
        self._averaged = self._weights
        if self._average.name != "none":
            self._averaged = _Weights(net, size, device)
        self._optimizer = StackedOptimizer(net.optimizer, self._weights.parameters)
        self._rates = torch.zeros(size, dtype=torch.float64, device=device)
        self._decays = torch.zeros_like(self._rates)
        self._shares = torch.ones(size, device=device)
        self._keys = torch.zeros(size, 2, dtype=torch.int64, device=device)
        self._exploded = torch.zeros(size, dtype=torch.bool, device=device)
        self._test = torch.zeros(size, draw.test.size, dtype=torch.int32, device=device)
        self._loss = batch_loss(trained_loss(net, setting.loss))
        batch, examples = net.batch_size, draw.train.size
        self._starts = range(0, examples, batch)
        self._time_constant = self._average.time_constant(len(self._starts))
        self._order = np.zeros((size, examples), dtype=np.int32)
        numbers = {min(batch, examples - start) for start in self._starts}
        self._steps = {n: self._step_of(n, device) for n in numbers}

    def seat(self, place: int, instance: Instance, stop: Flag) -> None:
        """Give a free place to an instance, as the ledger says it starts."""
        draw, seed, net = instance.draw(self._setting), instance.seed, instance.candidate
        assert isinstance(net, ConvNet)
        self.places[place] = _Place(Trained(instance, Monitor(stop)), draw.train)
        scaling = scaling_of(net, self._setting.halves.population, draw.train)
        for weights in {self._weights, self._averaged}:
            weights.start(place, initial_weights(net, seed), scaling)
        self._shares[place] = loss_share(trained_loss(net, self._setting.loss), scaling)
        self._optimizer.restart(place)
        self._decays[place] = net.decay
        key = np.array(seed.key(Stream.NOISE), dtype=np.uint64).view(np.int64)
        self._keys[place] = torch.from_numpy(key)
        self._exploded[place] = False
        self._test[place] = torch.from_numpy(draw.test)

    def train_epoch(self, stop: Flag) -> list[Trained]:
        """Train every instance for an epoch; return those that ended, whose places are free."""
        began = time.perf_counter()
        active = [(i, place) for i, place in enumerate(self.places) if place is not None]
        rates = np.zeros((len(self.places), len(self._starts)))
        for i, place in active:
            key = place.trained.instance.seed.key(Stream.ORDER)
            self._order[i] = place.train[epoch_order(key, place.epoch, place.train.size)]
            rates[i] = self._rates_of(place)
        order, rate = (torch.from_numpy(a).to(self._rates.device) for a in (self._order, rates))
        for number, start in enumerate(self._starts):
            if stop[0]:
                raise Stopped
            rows = order[:, start : start + self._net.batch_size]
            self._rates.copy_(rate[:, number])
            self._steps[rows.shape[1]](rows)
        if self._average.name != "none":
            self._ship(active)
        losses = self._test_losses(self._averaged, stop)
        ending = [not np.isfinite(losses[i]) for i, _ in active]
        for at, (i, place) in enumerate(active):
            place.trained.monitor.tell(float(losses[i]))
            curve = place.trained.monitor.losses
            ending[at] = ending[at] or self._setting.stopping.should_stop(curve)
        if self._averaged is not self._weights and (self._setting.plain_curves or any(ending)):
            plain = self._test_losses(self._weights, stop)
            for (i, place), ends in zip(active, ending, strict=True):
                if ends or self._setting.plain_curves:
                    place.trained.monitor.plain.append(float(plain[i]))
        seconds = (time.perf_counter() - began) / len(active)
        ended = []
        for (i, place), ends in zip(active, ending, strict=True):
            place.trained.seconds += seconds
            if ends:
                place.trained.predictor = predictor_of(self._net, self._averaged.of(i))
                self.places[i] = None
                ended.append(place.trained)
        return ended

    def _rates_of(self, place: _Place) -> list[float]:
        """Return an instance's learning rates in the steps of its next epoch."""
        net, epoch_steps = place.trained.instance.candidate, len(self._starts)
        assert isinstance(net, ConvNet)
        steps, first = self._setting.stopping.max_epochs * epoch_steps, place.epoch * epoch_steps
        schedule = schedule_of(net)
        return [
            net.learning_rate * schedule.factor(first + i, steps, epoch_steps, net.warmup)
            for i in range(epoch_steps)
        ]

    def _step_of(self, examples: int, device: torch.device) -> Callable[[Tensor], None]:
        """Return a training step on the rows [stack, examples] of a batch."""
        if device.type != "cuda":
            return self._step
        rows = torch.zeros(len(self.places), examples, dtype=torch.int32, device=device)
        aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
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
        net, weights = self._net, self._weights

        def masks(layer: int, examples: int, units: int) -> Tensor:
            steps = self._optimizer.steps
            return keep_masks(self._keys, steps, layer, examples, units, net.dropout)

        prediction = self._predict(weights, rows, masks if net.dropout else None, MOMENTUM)
        losses = self._loss(prediction, self._data.target[rows])
        self._exploded |= ~torch.isfinite(losses.detach())
        trained = (losses * self._shares).sum()
        gradients = torch.autograd.grad(trained, list(weights.leaves.values()))
        with torch.no_grad():
            gradient = torch.cat([g.flatten(1) for g in gradients], dim=1)
            if net.clip is not None:
                norms = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
                gradient *= (net.clip / (norms + _CLIP_EPSILON)).clamp(max=1.0)
            self._optimizer.update(weights.parameters, gradient, self._rates, self._decays)
            if self._average.name == "ema":
                rate = 1.0 / self._time_constant
                gain = rate / (1.0 - (1.0 - rate) ** self._optimizer.steps.to(torch.float64))
                self._averaged.parameters.lerp_(weights.parameters, column(gain))

    @torch.no_grad()
    def _ship(self, active: list[tuple[int, _Place]]) -> None:
        """Make the averaged weights what one would ship after an epoch."""
        if self._average.name == "last":
            gain = torch.zeros_like(self._rates)
            first = self._average.first_epoch(self._setting.stopping.max_epochs)
            for i, place in active:
                gain[i] = 1.0 / max(1, place.epoch - first + 1)
            self._averaged.parameters.lerp_(self._weights.parameters, column(gain))
        for name, values in self._averaged.running.items():
            values.copy_(self._weights.running[name])
        if not self._averaged.running:
            return
        chosen = np.zeros((len(self.places), statistics_rows(self._order[0]).size), np.int32)
        for i, place in active:
            chosen[i] = statistics_rows(place.train)
        rows = torch.from_numpy(chosen).to(self._rates.device)
        batches = torch.split(rows, self._net.batch_size, dim=1)
        parts = [part for part in batches if part.shape[1] > 1]
        for number, part in enumerate(parts, start=1):
            self._predict(self._averaged, part, None, 1.0 / number)

    def _predict(
        self,
        weights: _Weights,
        rows: Tensor,
        masks: Callable[[int, int, int], Tensor] | None = None,
        momentum: float | None = None,
    ) -> Tensor:
        """Return predictions [stack, n, outputs] for rows [stack, n] of the population."""
        side = self._data.side[rows] if self._net.side and self._data.side is not None else None
        return weights.network(self._data.features[rows], side, masks, momentum)

    @torch.no_grad()
    def _test_losses(self, weights: _Weights, stop: Flag) -> NDArray[np.float32]:
        """Return the test losses [stack], NaN where training exploded."""
        loss, rows = self._setting.loss, self._test
        terms = terms_of(loss)
        total = torch.zeros(len(rows), dtype=torch.float64, device=rows.device)
        chunk = max(1, EXAMPLES_AT_ONCE // len(rows))
        for part in torch.split(rows, chunk, dim=1):
            if stop[0]:
                raise Stopped
            prediction = self._predict(weights, part).double()
            total += terms(prediction, self._data.target[part].double()).sum(1)
        mean = total / rows.shape[1]
        value = mean.sqrt() if loss.rooted else mean
        value[self._exploded] = torch.nan
        return value.float().cpu().numpy()


def fit(
    instances: Iterator[Instance], setting: Setting, device: torch.device, size: int, stop: Flag
) -> Iterator[Trained]:
    """Train instances of one shape in stacks of ``size``, halved when the device is out of memory.

    A stack has its full size even when fewer instances come: a GPU's library may choose its kernel,
    and with it the order of sums, by the number of matrices.
    """
    data = DeviceData.of(setting.halves.population, device)
    first = next(instances, None)
    waiting = [] if first is None else [first]
    while waiting:
        stack = None
        try:
            stack = Stack(waiting[0], setting, data, size)
            yield from _run(stack, waiting, instances, stop)
        except torch.OutOfMemoryError as error:
            if stack is not None:
                waiting[:0] = [place.trained.instance for place in stack.places if place]
            if size == 1:
                failure = f"out of memory on {device}: {error}"
                yield Trained(waiting.pop(0), Monitor(stop), failure=failure)
            size = max(1, size // 2)
            del stack
            torch.cuda.empty_cache()


def _run(
    stack: Stack, waiting: list[Instance], instances: Iterator[Instance], stop: Flag
) -> Iterator[Trained]:
    """Train in one stack until nobody waits and all places are free."""
    while True:
        for place, taken in enumerate(stack.places):
            if taken is None:
                instance = waiting.pop(0) if waiting else next(instances, None)
                if instance is None:
                    break
                stack.seat(place, instance, stop)
        if not any(stack.places):
            return
        yield from stack.train_epoch(stop)


def batch_loss(loss: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the training loss [stack] of predictions and targets [stack, n, outputs]."""
    terms, least = terms_of(loss), torch.finfo(torch.float32).tiny

    def of_batch(prediction: Tensor, target: Tensor) -> Tensor:
        mean = terms(prediction, target).mean(1)
        return mean.clamp(min=least).sqrt() if loss.objective == "root" else mean

    return of_batch


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
