"""A torch module that predicts from NumPy arrays, trained or in training."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from surefoot.data.population import Matrix, Rows
from surefoot.engines.base import Monitor

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
        self, features: Tensor, side: Tensor | None, rows: Rows, monitor: Monitor | None = None
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


def own_random_numbers() -> contextlib.AbstractContextManager[None]:
    """Put torch's random numbers back as they were, on all devices, when done."""
    return torch.random.fork_rng(devices=range(torch.cuda.device_count()))


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread, so that sums have one order, and restore the number after."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
