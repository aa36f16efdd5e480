"""The training of a stack: instances of one architecture side by side, one epoch after the other.

The population lies on the device once; batches are gathered there. On a GPU the steps of an epoch
(gather, forward, backward, update, average) are one CUDA graph, so that Python starts them with one
call, and losses are read back once per epoch. An instance that ends frees its place for the next.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.candidates.recipe import schedule_of, trained_loss
from surefoot.data.population import Population, Rows
from surefoot.engines.base import Flag, Monitor, Stopped, Trained, failure_of
from surefoot.engines.torch.eager import Network
from surefoot.engines.torch.jobs import module_loss
from surefoot.engines.torch.stacked.convnets import StackedConvNets
from surefoot.engines.torch.stacked.graph import Work, recorded
from surefoot.engines.torch.stacked.model import StackedModel
from surefoot.engines.torch.stacked.modules import StackedModules
from surefoot.engines.torch.stacked.optimizers import StackedOptimizer, column
from surefoot.escaping import one_line
from surefoot.instances import Instance, Setting
from surefoot.learning.averaging import parse_average, statistics_rows
from surefoot.learning.losses import TERMS, Loss
from surefoot.learning.optimizers import OPTIMIZERS
from surefoot.seeds.ledger import Stream
from surefoot.seeds.philox import epoch_order

STEPS_AT_ONCE = 64
"""Training steps at most in one CUDA graph: a longer epoch starts it several times, which bounds
the memory and the time that a recording takes, and the time to notice a stop flag."""
EXAMPLES_AT_ONCE = 1 << 16
"""Test examples predicted at once over the whole stack: bounds memory."""
_CLIP_EPSILON = 1e-6
"""As in ``torch.nn.utils.clip_grad_norm_``."""

_logger = logging.getLogger("surefoot")


@dataclass(frozen=True, slots=True)
class DeviceData:
    """A population's arrays on a device."""

    features: Tensor
    side: Tensor | None
    target: Tensor

    @classmethod
    def of(cls, population: Population, device: torch.device) -> DeviceData:
        """Return a population's arrays on a device, copied there once; the CPU shares the memory.

        They stay as long as the population does.
        """
        there = _on_devices.setdefault(population, {})
        if device not in there:
            side = None if population.side is None else torch.from_numpy(population.side)
            there[device] = cls(
                torch.from_numpy(population.features).to(device),
                None if side is None else side.to(device),
                torch.from_numpy(population.target).to(device),
            )
        return there[device]

    def inputs(self, rows: Tensor, candidate: Network) -> tuple[Tensor, Tensor | None]:
        """Return features and, if a candidate takes them, side features of rows [stack, n]."""
        side = self.side[rows] if candidate.side and self.side is not None else None
        return self.features[rows], side


_on_devices: WeakKeyDictionary[Population, dict[torch.device, DeviceData]] = WeakKeyDictionary()


@dataclass(slots=True)
class _Place:
    """One instance in the stack, with its training rows on the host and its learning rate."""

    trained: Trained
    train: Rows
    learning_rate: float

    @property
    def epoch(self) -> int:
        return len(self.trained.monitor.losses)


class Stack:
    """Places for ``size`` instances of one model, recipe, sample size and test size."""

    def __init__(
        self, head: Instance, setting: Setting, data: DeviceData, size: int, stop: Flag
    ) -> None:
        candidate, draw = head.candidate, head.draw(setting)
        assert isinstance(candidate, Network)
        self._candidate, self._setting, self._data, self._stop = candidate, setting, data, stop
        self.places: list[_Place | None] = [None] * size
        device = data.features.device
        self._model = stacked(candidate, setting, size, device)
        self._average = parse_average(candidate.average)
        self._averaged = self._model
        if self._average.name != "none":
            self._averaged = stacked(candidate, setting, size, device)
        assert candidate.optimizer in OPTIMIZERS
        self._optimizer = StackedOptimizer(candidate.optimizer, self._model.parameters)
        self._decays = torch.zeros(size, dtype=torch.float64, device=device)
        self._exploded = torch.zeros(size, dtype=torch.bool, device=device)
        self._test = torch.zeros(size, draw.test.size, dtype=torch.int32, device=device)
        self._loss = training_loss(candidate, setting)
        batch, examples = candidate.batch_size, draw.train.size
        self._epoch_steps = -(-examples // batch)
        self._time_constant = self._average.time_constant(self._epoch_steps)
        self._order = torch.zeros(size, examples, dtype=torch.int32)
        self._rates = torch.zeros(self._epoch_steps, size, dtype=torch.float64)
        self._recorded: dict[int, Work] = {}
        for rows, rates in self.portions():
            if rows.shape[1] not in self._recorded:
                self._recorded[rows.shape[1]] = recorded(self.train_steps, rows, rates)

    def seat(self, place: int, instance: Instance) -> None:
        """Give a free place to an instance, as the ledger says it starts."""
        draw, candidate = instance.draw(self._setting), instance.candidate
        assert isinstance(candidate, Network)
        self._model.start(place, instance, draw.train)
        if self._averaged is not self._model:
            self._averaged.adopt(place, self._model)
        self._optimizer.restart(place)
        self._decays[place] = candidate.decay
        self._exploded[place] = False
        self._test[place] = torch.from_numpy(draw.test)
        trained = Trained(instance, Monitor(self._stop))
        self.places[place] = _Place(trained, draw.train, candidate.learning_rate)

    def train_epoch(self) -> list[Trained]:
        """Train every instance for an epoch; return those that ended, whose places are free."""
        began = time.perf_counter()
        active = [(i, place) for i, place in enumerate(self.places) if place is not None]
        factors = {n: self._factors(n) for n in {place.epoch for _, place in active}}
        for i, place in active:
            key = place.trained.instance.seed.key(Stream.ORDER)
            rows = place.train[epoch_order(key, place.epoch, place.train.size)]
            self._order[i] = torch.from_numpy(rows)
            self._rates[:, i] = torch.from_numpy(place.learning_rate * factors[place.epoch])
        for order, rates in self.portions():
            self._check()
            self._recorded[order.shape[1]](order, rates)
            if order.is_cuda:
                torch.cuda.current_stream(order.device).synchronize()
        if self._average.name != "none":
            self._ship(active)
        losses = self._test_losses(self._averaged)
        ending = [not np.isfinite(losses[i]) for i, _ in active]
        for at, (i, place) in enumerate(active):
            place.trained.monitor.tell(float(losses[i]))
            curve = place.trained.monitor.losses
            ending[at] = ending[at] or self._setting.stopping.should_stop(curve)
        if self._averaged is not self._model and (self._setting.plain_curves or any(ending)):
            plain = self._test_losses(self._model)
            for (i, place), ends in zip(active, ending, strict=True):
                if ends or self._setting.plain_curves:
                    place.trained.monitor.plain.append(float(plain[i]))
        seconds = (time.perf_counter() - began) / len(active)
        ended = []
        for (i, place), ends in zip(active, ending, strict=True):
            place.trained.seconds += seconds
            if ends:
                place.trained.predictor = self._averaged.predictor(i)
                self.places[i] = None
                ended.append(place.trained)
        return ended

    def _check(self) -> None:
        if self._stop[0]:
            raise Stopped

    def _factors(self, epoch: int) -> NDArray[np.float64]:
        """Return by what the schedule multiplies learning rates in the steps of an epoch."""
        schedule, steps = schedule_of(self._candidate), self._epoch_steps
        last, warmup = self._setting.stopping.max_epochs * steps, self._candidate.warmup
        return np.array(
            [schedule.factor(epoch * steps + i, last, steps, warmup) for i in range(steps)]
        )

    def portions(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the rows [stack, n] and rates [steps, stack] of an epoch, on the device.

        They are whole where an epoch has no more than `STEPS_AT_ONCE` steps.
        """
        device = self._data.features.device
        order, rates = self._order.to(device), self._rates.to(device)
        examples = STEPS_AT_ONCE * self._candidate.batch_size
        parts = torch.split(order, examples, dim=1), torch.split(rates, STEPS_AT_ONCE)
        yield from zip(*parts, strict=True)

    def train_steps(self, rows: Tensor, rates: Tensor) -> None:
        """Train on batches, one step on each."""
        batches = torch.split(rows, self._candidate.batch_size, dim=1)
        for batch, rate in zip(batches, rates, strict=True):
            self._check()
            self._step(batch, rate)

    def _step(self, rows: Tensor, rates: Tensor) -> None:
        model, optimizer = self._model, self._optimizer
        prediction = model.train(*self._data.inputs(rows, self._candidate), optimizer.steps)
        losses = self._loss(prediction, self._data.target[rows])
        self._exploded |= ~torch.isfinite(losses.detach())
        trained = (losses * model.shares).sum()
        gradients = torch.autograd.grad(trained, list(model.leaves.values()))
        with torch.no_grad():
            gradient = torch.cat([g.flatten(1) for g in gradients], dim=1)
            if self._candidate.clip is not None:
                norms = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
                gradient *= (self._candidate.clip / (norms + _CLIP_EPSILON)).clamp(max=1.0)
            optimizer.update(model.parameters, gradient, rates, self._decays)
            if self._average.name == "ema":
                rate = 1.0 / self._time_constant
                gain = rate / (1.0 - (1.0 - rate) ** optimizer.steps.to(torch.float64))
                self._averaged.parameters.lerp_(model.parameters, column(gain))

    @torch.no_grad()
    def _ship(self, active: list[tuple[int, _Place]]) -> None:
        """Make the averaged weights what one would ship after an epoch."""
        if self._average.name == "last":
            gain = torch.zeros_like(self._decays)
            first = self._average.first_epoch(self._setting.stopping.max_epochs)
            for i, place in active:
                gain[i] = 1.0 / max(1, place.epoch - first + 1)
            self._averaged.parameters.lerp_(self._model.parameters, column(gain))
        for name, values in self._averaged.buffers.items():
            values.copy_(self._model.buffers[name])
        if not self._averaged.has_statistics:
            return
        chosen = np.zeros((len(self.places), statistics_rows(active[0][1].train).size), np.int32)
        for i, place in active:
            chosen[i] = statistics_rows(place.train)
        rows = torch.from_numpy(chosen).to(self._decays.device)
        batches = torch.split(rows, self._candidate.batch_size, dim=1)
        parts = [part for part in batches if part.shape[1] > 1]
        for number, part in enumerate(parts, start=1):
            self._averaged.predict(*self._data.inputs(part, self._candidate), 1.0 / number)

    @torch.no_grad()
    def _test_losses(self, model: StackedModel) -> NDArray[np.float32]:
        """Return the test losses [stack], NaN where training exploded."""
        loss, rows = self._setting.loss, self._test
        terms = terms_of(loss)
        total = torch.zeros(len(rows), dtype=torch.float64, device=rows.device)
        chunk = max(1, EXAMPLES_AT_ONCE // len(rows))
        for part in torch.split(rows, chunk, dim=1):
            self._check()
            inputs = self._data.inputs(part, self._candidate)
            prediction = model.predict(*inputs, None).double()
            total += terms(prediction, self._data.target[part].double()).sum(1)
        mean = total / rows.shape[1]
        value = mean.sqrt() if loss.rooted else mean
        value[self._exploded] = torch.nan
        return value.float().cpu().numpy()


def fit(
    instances: Iterator[Instance], setting: Setting, device: torch.device, size: int, stop: Flag
) -> Iterator[Trained]:
    """Train instances of one shape in stacks of ``size``.

    A stack that fails is halved, and its instances begin again: it may not fit into the device's
    memory, or one of them raises. One that fails alone has failed.

    A stack has its full size even when fewer instances come: a GPU's library may choose its kernel,
    and with it the order of sums, by the number of matrices.
    """
    data = DeviceData.of(setting.halves.population, device)
    waiting: list[Instance] = []
    while _one_waits(waiting, instances):
        stack, failure = None, ""
        try:
            stack = Stack(waiting[0], setting, data, size, stop)
            yield from _run(stack, waiting, instances)
        except Stopped:
            raise
        except Exception as error:
            failure = failure_of(error)
            if (full := _out_of_memory(error)) is not None:
                failure = f"out of memory on {device}: {full}"
                _logger.info("a stack of %d instances: %s", size, one_line(failure))
            elif str(error).startswith("CUDA error") and "CUBLAS" not in str(error):
                raise  # the device itself: nothing trains there any more
            if stack is not None:
                waiting[:0] = [place.trained.instance for place in stack.places if place]
        finally:
            stack = None
            if device.type == "cuda":
                gc.collect()  # a stack and what it recorded hold each other, and the memory
                torch.cuda.empty_cache()
        if not failure:
            return
        if size == 1:
            yield Trained(waiting.pop(0), Monitor(stop), failure=failure)
        size = max(1, size // 2)


def _out_of_memory(error: BaseException | None) -> BaseException | None:
    """Return the error, or the one behind it, that the device's memory is full; None if none is.

    A recording that is broken off by it raises another one.
    """
    while error is not None and not isinstance(error, torch.cuda.OutOfMemoryError):
        error = error.__context__
    return error


def _run(stack: Stack, waiting: list[Instance], instances: Iterator[Instance]) -> Iterator[Trained]:
    """Train in one stack until nobody waits and all places are free."""
    while True:
        for place, taken in enumerate(stack.places):
            if taken is None:
                if not _one_waits(waiting, instances):
                    break
                stack.seat(place, waiting[0])
                waiting.pop(0)
        if not any(stack.places):
            return
        yield from stack.train_epoch()


def _one_waits(waiting: list[Instance], instances: Iterator[Instance]) -> bool:
    """Return whether there is an instance to be trained; the next one then waits."""
    if not waiting and (instance := next(instances, None)) is not None:
        waiting.append(instance)
    return bool(waiting)


def stacked(candidate: Network, setting: Setting, size: int, device: torch.device) -> StackedModel:
    """Return places for instances of a candidate."""
    if isinstance(candidate, ConvNet):
        return StackedConvNets(candidate, setting, size, device)
    return StackedModules(candidate, setting, size, device)


def training_loss(candidate: Network, setting: Setting) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the training loss [stack] of predictions and targets [stack, n, outputs]."""
    if isinstance(candidate, ModuleCandidate) and isinstance(candidate.loss, str):
        return torch.vmap(module_loss(candidate, setting))
    return batch_loss(trained_loss(candidate, setting.loss))


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
