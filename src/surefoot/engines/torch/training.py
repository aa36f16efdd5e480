"""The training loop of `torch_eager`, for any torch module: epochs, batches, losses, optimisers."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from surefoot.data.population import Draw, Population
from surefoot.engines.base import Monitor
from surefoot.errors import CandidateError
from surefoot.instances import Setting
from surefoot.learning import optimizers
from surefoot.learning.losses.base import Loss
from surefoot.learning.losses.regression import TERMS
from surefoot.learning.optimizers import OptimizerName
from surefoot.seeds.philox import epoch_order

Matrix = NDArray[np.float32]
CHUNK = 1024
"""Examples predicted at once: bounds memory, and the time to notice a stop flag."""


@dataclass(slots=True)
class Job:
    """What the loop needs to know of one training.

    ``loss`` maps predictions and targets [n, outputs] to the mean training loss;
    ``before_step`` is called with the number of each step, ``after_epoch`` after each epoch.
    """

    predictor: TorchPredictor
    optimizer: torch.optim.Optimizer
    loss: Callable[[Tensor, Tensor], Tensor]
    batch_size: int
    before_step: Callable[[int], None] | None = None
    after_epoch: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TorchPredictor:
    """A module, trained or in training, that predicts from NumPy arrays.

    ``input_shape`` is the shape of one example's features as the module takes them, None for flat.
    """

    module: nn.Module
    takes_side: bool
    device: str = "cpu"
    input_shape: tuple[int, ...] | None = None

    @property
    def weights(self) -> Mapping[str, Matrix]:
        """Return copies of its parameters and running averages by torch's names."""
        return {
            name: value.detach().cpu().numpy().copy()
            for name, value in self.module.state_dict().items()
            if value.is_floating_point()
        }

    def predict(self, features: Matrix, side: Matrix | None) -> Matrix:
        """Return predictions [n, outputs] for features [n, F] and side features [n, S]."""
        rows = np.arange(len(features), dtype=np.int32)
        x = torch.from_numpy(np.ascontiguousarray(features, dtype=np.float32))
        s = None
        if side is not None and self.takes_side:
            s = torch.from_numpy(np.ascontiguousarray(side, dtype=np.float32))
        with one_thread():
            return self.predict_rows(x, s, rows)

    def predict_rows(
        self,
        features: Tensor,
        side: Tensor | None,
        rows: NDArray[np.int32],
        monitor: Monitor | None = None,
    ) -> Matrix:
        """Return predictions [rows, outputs] for some rows, in evaluation mode."""
        self.module.eval()
        parts = []
        with torch.no_grad():
            for start in range(0, rows.size, CHUNK):
                if monitor is not None:
                    monitor.check()
                index = torch.from_numpy(rows[start : start + CHUNK])
                parts.append(self(features, side, index).float().cpu().numpy())
        return np.concatenate(parts)

    def __call__(self, features: Tensor, side: Tensor | None, index: Tensor) -> Tensor:
        """Return predictions [rows, outputs] for the rows ``index``, gathered in fresh memory."""
        inputs = features.index_select(0, index).to(self.device)
        if self.input_shape is not None:
            inputs = inputs.view(-1, *self.input_shape)
        sides = () if side is None else (side.index_select(0, index).to(self.device),)
        prediction: Tensor = self.module(inputs, *sides)
        return prediction.unsqueeze(1) if prediction.dim() == 1 else prediction


def train_epochs(
    job: Job,
    setting: Setting,
    draw: Draw,
    order_key: tuple[int, int],
    monitor: Monitor,
) -> None:
    """Train until the stopping rule ends it or a training or test loss is not finite.

    The monitor is told the test loss of every epoch, and asked before every batch.
    """
    predictor = job.predictor
    features, side, target = tensors(setting.halves.population, predictor.takes_side)
    test_target = setting.halves.population.target[draw.test]
    step, outputs, curve = 0, setting.halves.population.outputs, monitor.losses
    while True:
        order = epoch_order(order_key, len(curve), draw.train.size)
        predictor.module.train()
        for start in range(0, order.size, job.batch_size):
            monitor.check()
            index = torch.from_numpy(draw.train[order[start : start + job.batch_size]])
            if job.before_step is not None:
                job.before_step(step)
            prediction = predictor(features, side, index)
            if prediction.shape != (len(index), outputs):
                raise CandidateError(
                    f"predictions have shape {tuple(prediction.shape)}; "
                    f"must be {(len(index), outputs)}"
                )
            loss = job.loss(prediction, target.index_select(0, index).to(predictor.device))
            if not np.isfinite(loss.item()):
                return monitor.tell(math.nan)
            job.optimizer.zero_grad()
            torch.autograd.backward(loss)
            job.optimizer.step()
            step += 1
        if job.after_epoch is not None:
            job.after_epoch()
        predictions = predictor.predict_rows(features, side, draw.test, monitor)
        with np.errstate(over="ignore"):
            test_loss = float(np.float32(setting.loss.value(predictions, test_target)))
        monitor.tell(test_loss)
        if not np.isfinite(test_loss) or setting.stopping.should_stop(curve):
            return None


def mean_loss(loss: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    """Return a `Loss` as trained on: the mean of its terms, in torch."""
    trained = loss.trained

    def of_batch(prediction: Tensor, target: Tensor) -> Tensor:
        if trained.classification:
            codes = target[:, 0].long()
            if trained.name == "cross_entropy":
                return functional.cross_entropy(prediction, codes)
            truth = functional.one_hot(codes, prediction.shape[1])
            return ((prediction.softmax(dim=1) - truth) ** 2).sum(dim=1).mean()
        term, _ = TERMS[trained.name]
        mean: Tensor = term(prediction - target, target, trained.parameter).mean()
        return mean

    return of_batch


def optimizer_of(
    name: OptimizerName, parameters: Iterable[nn.Parameter], learning_rate: float, decay: float
) -> torch.optim.Optimizer:
    """Return an optimiser with the formulas and constants of `surefoot.learning.optimizers`."""
    betas = (optimizers.BETA1, optimizers.BETA2)
    common: dict[str, Any] = {"lr": learning_rate, "weight_decay": decay}
    adam = {**common, "betas": betas, "eps": optimizers.EPSILON}
    match name:
        case "sgd":
            return torch.optim.SGD(parameters, **common)
        case "adam":
            return torch.optim.Adam(parameters, **adam)
        case "adamw":
            return torch.optim.AdamW(parameters, **adam)
        case "adagrad":
            return torch.optim.Adagrad(parameters, eps=optimizers.ADAGRAD_EPSILON, **common)
        case "rmsprop":
            return torch.optim.RMSprop(
                parameters, alpha=optimizers.RMSPROP_ALPHA, eps=optimizers.EPSILON, **common
            )
        case "adadelta":
            return torch.optim.Adadelta(
                parameters,
                rho=optimizers.ADADELTA_RHO,
                eps=optimizers.ADADELTA_EPSILON,
                **common,
            )
        case "nadam":
            return torch.optim.NAdam(
                parameters, momentum_decay=optimizers.NADAM_MOMENTUM_DECAY, **adam
            )


def tensors(population: Population, takes_side: bool) -> tuple[Tensor, Tensor | None, Tensor]:
    """Return features, side features if taken and targets as tensors that share the memory."""
    side = None
    if takes_side and population.side is not None:
        side = torch.from_numpy(population.side)
    return torch.from_numpy(population.features), side, torch.from_numpy(population.target)


@contextlib.contextmanager
def own_random_numbers() -> Iterator[None]:
    """Put torch's random numbers back as they were, on all devices, when done."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        yield


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, so that sums have one order, and restore the number after."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
