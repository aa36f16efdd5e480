"""The training loop of `torch_eager`, for any torch module: epochs, batches and the test loss."""

from __future__ import annotations

import math

import numpy as np
import torch

from surefoot.data.population import Draw
from surefoot.engines.base import Monitor
from surefoot.engines.torch.jobs import Job
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

    The monitor is told the test loss of every epoch, and asked before every batch.
    """
    predictor, population = job.predictor, setting.halves.population
    features, target = torch.from_numpy(population.features), torch.from_numpy(population.target)
    side = None
    if predictor.takes_side and population.side is not None:
        side = torch.from_numpy(population.side)
    test_target = population.target[draw.test]
    step, outputs, curve = 0, population.outputs, monitor.losses
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
