"""A torch module in training: what it predicts, its loop and the average of its weights."""

from __future__ import annotations

import contextlib
import copy
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from surefoot.data.population import Draw, Matrix, Rows
from surefoot.engines.base import Monitor
from surefoot.errors import CandidateError
from surefoot.instances import Setting
from surefoot.learning.averaging import Average, ema_gain, statistics_rows
from surefoot.seeds.philox import epoch_order

CHUNK = 1024
"""Examples predicted at once: bounds memory, and the time to notice a stop flag."""


@dataclass(frozen=True, slots=True, eq=False)
class TorchPredictor:
    """A module, trained or in training, that predicts from NumPy arrays.

    ``input_shape`` is the shape of one example's features as the module takes them, None for flat.
    """

    module: nn.Module
    takes_side: bool
    device: str = "cpu"
    input_shape: Sequence[int] | None = None

    @property
    def weights(self) -> Mapping[str, Matrix]:
        """Return copies of its parameters and running averages by torch's names."""
        return {
            name: value.detach().cpu().numpy().copy()
            for name, value in self.module.state_dict().items()
            if value.is_floating_point()
        }

    def inputs(self, features: Matrix, side: Matrix | None) -> list[Tensor]:
        """Return what the module takes of features [n, F] and side features [n, S]."""
        taken = [features] if side is None or not self.takes_side else [features, side]
        return [torch.from_numpy(np.ascontiguousarray(a, dtype=np.float32)) for a in taken]

    def predict(self, features: Matrix, side: Matrix | None) -> Matrix:
        """Return predictions [n, outputs] for features [n, F] and side features [n, S]."""
        with one_thread():
            rows = np.arange(len(features), dtype=np.int32)
            return self.predict_rows(self.inputs(features, side), rows)

    def predict_rows(
        self, inputs: list[Tensor], rows: Rows, monitor: Monitor | None = None
    ) -> Matrix:
        """Return predictions [rows, outputs] for some rows, in evaluation mode."""
        self.module.eval()
        parts = []
        with torch.no_grad():
            for start in range(0, rows.size, CHUNK):
                if monitor is not None:
                    monitor.check()
                index = torch.from_numpy(rows[start : start + CHUNK])
                parts.append(self(inputs, index).float().cpu().numpy())
        return np.concatenate(parts)

    def __call__(self, inputs: list[Tensor], index: Tensor) -> Tensor:
        """Return predictions [rows, outputs] for the rows ``index``, gathered in fresh memory."""
        features, *side = (one.index_select(0, index).to(self.device) for one in inputs)
        if self.input_shape is not None:
            features = features.view(-1, *self.input_shape)
        return as_columns(self.module(features, *side))


def as_columns(prediction: Tensor) -> Tensor:
    """Return a module's predictions, [n] or [n, outputs], as [n, outputs]."""
    return prediction.unsqueeze(1) if prediction.dim() == 1 else prediction


@contextlib.contextmanager
def own_random_numbers() -> Iterator[None]:
    """Let one thread at a time use torch's random numbers; put them back, on all devices, after."""
    with _random_numbers, torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        yield


_random_numbers = threading.RLock()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, so that sums have one order, and restore the number after."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@dataclass(slots=True)
class Job:
    """What the loop needs to know of one training.

    ``loss`` maps predictions and targets [n, outputs] to a batch's training loss; each of
    ``before_step`` is called with the number of each step from 0, ``after_epoch`` after each epoch;
    ``clip`` is the largest norm of a gradient, ``averaged`` the average of the weights, if asked.
    """

    predictor: TorchPredictor
    optimizer: torch.optim.Optimizer
    loss: Callable[[Tensor, Tensor], Tensor]
    batch_size: int
    before_step: tuple[Callable[[int], None], ...] = ()
    after_epoch: Callable[[], None] | None = None
    clip: float | None = None
    averaged: AveragedModule | None = None

    @property
    def shipped(self) -> TorchPredictor:
        """What is tested and handed out."""
        return self.predictor if self.averaged is None else self.averaged.predictor


def train_epochs(
    job: Job, setting: Setting, draw: Draw, order_key: tuple[int, int], monitor: Monitor
) -> None:
    """Train until the stopping rule ends it or a training or test loss is not finite.

    The monitor is told the test loss of every epoch, and asked before every batch. With averaging
    that loss is the average's, and the monitor is told those of the plain weights apart.
    """
    predictor, population = job.predictor, setting.halves.population
    inputs = predictor.inputs(population.features, population.side)
    target = torch.from_numpy(population.target)
    test_target = population.target[draw.test]
    averaged, shipped = job.averaged, job.shipped
    if monitor.checkpoint is not None:
        resume(job, monitor)
    outputs, curve = population.outputs, monitor.losses
    step = len(curve) * -(-draw.train.size // job.batch_size)

    def measured(predictor: TorchPredictor) -> float:
        predictions = predictor.predict_rows(inputs, draw.test, monitor)
        with np.errstate(over="ignore"):
            return float(np.float32(setting.loss.value(predictions, test_target)))

    while True:
        order = epoch_order(order_key, len(curve), draw.train.size)
        predictor.module.train()
        for start in range(0, order.size, job.batch_size):
            monitor.check()
            index = torch.from_numpy(draw.train[order[start : start + job.batch_size]])
            for prepare in job.before_step:
                prepare(step)
            prediction = predictor(inputs, index)
            if prediction.shape != (len(index), outputs):
                shape = tuple(prediction.shape)
                raise CandidateError(
                    f"predictions have shape {shape}; must be {(len(index), outputs)}"
                )
            loss = job.loss(prediction, target.index_select(0, index).to(predictor.device))
            if not np.isfinite(loss.item()):
                return monitor.tell(math.nan)
            job.optimizer.zero_grad()
            torch.autograd.backward(loss)
            if job.clip is not None:
                torch.nn.utils.clip_grad_norm_(predictor.module.parameters(), job.clip)
            job.optimizer.step()
            step += 1
            if averaged is not None:
                averaged.after_step(step)
        if job.after_epoch is not None:
            job.after_epoch()
        if averaged is not None:
            averaged.after_epoch(len(curve))
            averaged.renew_statistics(inputs, draw.train, job.batch_size)
        monitor.tell(measured(shipped))
        ends = not np.isfinite(curve[-1]) or setting.stopping.should_stop(curve)
        if averaged is not None and (ends or setting.plain_curves):
            monitor.plain.append(measured(predictor))
        if ends:
            return None
        if monitor.is_due:
            return monitor.pause({name: one.numpy() for name, one in state_of(job).items()})


def state_of(job: Job) -> dict[str, Tensor]:
    """Return all that a training of a `ConvNet` changes, by name; none of it is a copy.

    Those are the arrays of the module and of the average, and what the optimiser keeps of each
    parameter, once it has taken a step.
    """
    found = {f"module.{n}": one for n, one in job.predictor.module.state_dict().items()}
    if job.averaged is not None:
        found |= {f"averaged.{n}": one for n, one in job.shipped.module.state_dict().items()}
    for place, parameter in enumerate(job.predictor.module.parameters()):
        for name, value in job.optimizer.state[parameter].items():
            if isinstance(value, Tensor):
                found[f"optimizer.{place}.{name}"] = value
    return found


@torch.no_grad()
def resume(job: Job, monitor: Monitor) -> None:
    """Put a training in the state in which it was put aside; leave it new if that does not fit.

    A step without gradient makes the optimiser's arrays, whose values are then replaced.
    """
    new = {name: one.clone() for name, one in state_of(job).items()}
    for parameter in job.predictor.module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    job.optimizer.step()
    state = state_of(job)
    kept = monitor.kept({name: tuple(one.shape) for name, one in state.items()})
    if kept is None:
        job.optimizer.state.clear()
    values = new if kept is None else {name: torch.from_numpy(a) for name, a in kept.items()}
    for name, value in values.items():
        state[name].copy_(value)


class AveragedModule:
    """A copy of a module in training that holds the average of its weights.

    ``predictor`` predicts by it. Buffers are those of the module in training.
    """

    def __init__(
        self, plain: TorchPredictor, average: Average, epoch_steps: int, max_epochs: int
    ) -> None:
        self.plain, self.average = plain.module, average
        self._own = copy.deepcopy(plain.module)
        self.predictor = replace(plain, module=self._own)
        self._time_constant = average.time_constant(epoch_steps)
        self._first_epoch = average.first_epoch(max_epochs)

    def after_step(self, step: int) -> None:
        """Take in the weights after a step, counted from 1."""
        if self.average.name == "ema":
            self._move(ema_gain(step, self._time_constant))

    @torch.no_grad()
    def after_epoch(self, epoch: int) -> None:
        """Take in the weights after an epoch, counted from 0."""
        if self.average.name == "last":
            self._move(1.0 / max(1, epoch - self._first_epoch + 1))
        for own, buffer in zip(self._own.buffers(), self.plain.buffers(), strict=True):
            own.copy_(buffer)

    @torch.no_grad()
    def renew_statistics(self, inputs: list[Tensor], rows: Rows, batch: int) -> None:
        """Compute the statistics of batch normalisation anew on the training sample's ``rows``."""
        norms = [m for m in self._own.modules() if isinstance(m, _BatchNorm)]
        norms = [norm for norm in norms if norm.track_running_stats]
        rows = np.ascontiguousarray(statistics_rows(rows))
        parts = [rows[first : first + batch] for first in range(0, rows.size, batch)]
        parts = [part for part in parts if part.size > 1]
        if not norms or not parts:
            return
        momenta = [norm.momentum for norm in norms]
        self._own.eval()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over batches
            norm.train()
        for part in parts:
            self.predictor(inputs, torch.from_numpy(part))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()

    @torch.no_grad()
    def _move(self, gain: float) -> None:
        """Move by ``gain`` of the way to the weights in training."""
        for own, weight in zip(self._own.parameters(), self.plain.parameters(), strict=True):
            own.copy_(weight) if gain == 1.0 else own.lerp_(weight, gain)
