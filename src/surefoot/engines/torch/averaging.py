"""Averages of a module's weights (`surefoot.learning.averaging`), in a second module."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from surefoot.engines.torch.predictor import TorchPredictor
from surefoot.learning.averaging import Average, ema_gain, statistics_rows


class AveragedModule:
    """A copy of a module in training that holds the average of its weights.

    ``predictor`` predicts by it. Buffers are those of the module in training.
    """

    def __init__(
        self, plain: TorchPredictor, average: Average, epoch_steps: int, max_epochs: int
    ) -> None:
        self.plain, self.average = plain.module, average
        self.predictor = replace(plain, module=copy.deepcopy(plain.module))
        self._time_constant = average.time_constant(epoch_steps)
        self._first_epoch = average.first_epoch(max_epochs)

    def after_step(self, step: int) -> None:
        """Take in the weights after a step, counted from 1."""
        if self.average.name == "ema":
            self._move(ema_gain(step, self._time_constant))

    def after_epoch(self, epoch: int) -> None:
        """Take in the weights after an epoch, counted from 0."""
        if self.average.name == "last":
            self._move(1.0 / max(1, epoch - self._first_epoch + 1))
        with torch.no_grad():
            for own, buffer in zip(
                self.predictor.module.buffers(), self.plain.buffers(), strict=True
            ):
                own.copy_(buffer)

    def renew_statistics(
        self, predict: Callable[[Tensor], Tensor], rows: NDArray[np.int32], batch: int
    ) -> None:
        """Compute the statistics of batch normalisation anew on the training sample's ``rows``.

        ``predict`` calls the averaged module for some rows.
        """
        norms = [m for m in self.predictor.module.modules() if isinstance(m, _BatchNorm)]
        norms = [norm for norm in norms if norm.track_running_stats]
        rows = np.ascontiguousarray(statistics_rows(rows))
        parts = [rows[first : first + batch] for first in range(0, rows.size, batch)]
        parts = [part for part in parts if part.size > 1]
        if not norms or not parts:
            return
        momenta = [norm.momentum for norm in norms]
        self.predictor.module.eval()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over batches
            norm.train()
        with torch.no_grad():
            for part in parts:
                predict(torch.from_numpy(part))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()

    def _move(self, gain: float) -> None:
        """Move by ``gain`` of the way to the weights in training."""
        with torch.no_grad():
            for own, weight in zip(
                self.predictor.module.parameters(), self.plain.parameters(), strict=True
            ):
                own.copy_(weight) if gain == 1.0 else own.lerp_(weight, gain)
