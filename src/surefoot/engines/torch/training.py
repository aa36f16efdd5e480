"""The training loop of `torch_eager`, for any torch module: epochs, batches and the test loss."""

from __future__ import annotations

import math

import numpy as np
import torch

from surefoot.data.population import Draw
from surefoot.engines.base import Monitor
from surefoot.engines.torch.jobs import Job
from surefoot.engines.torch.predictor import TorchPredictor
from surefoot.errors import CandidateError
from surefoot.instances import Setting
from surefoot.seeds.philox import epoch_order


def train_epochs(
    job: Job,
    setting: Setting,
    draw: Draw,
    order_key: tuple[int, int],
    monitor: Monitor,
) -> None:
    """Train until the stopping rule ends it or a training or test loss is not finite.

    The monitor is told the test loss of every epoch, and asked before every batch. With averaging
    that loss is the average's, and the monitor is told those of the plain weights apart.
    """
    predictor, population = job.predictor, setting.halves.population
    features, target = torch.from_numpy(population.features), torch.from_numpy(population.target)
    side = None
    if predictor.takes_side and population.side is not None:
        side = torch.from_numpy(population.side)
    test_target = population.target[draw.test]
    step, outputs, curve = 0, population.outputs, monitor.losses
    averaged = job.averaged
    shipped = predictor if averaged is None else averaged.predictor

    def measured(predictor: TorchPredictor) -> float:
        predictions = predictor.predict_rows(features, side, draw.test, monitor)
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
            averaged.renew_statistics(
                lambda index: shipped(features, side, index), draw.train, job.batch_size
            )
        monitor.tell(measured(shipped))
        ends = not np.isfinite(curve[-1]) or setting.stopping.should_stop(curve)
        if averaged is not None and (ends or setting.plain_curves):
            monitor.plain.append(measured(predictor))
        if ends:
            return None
