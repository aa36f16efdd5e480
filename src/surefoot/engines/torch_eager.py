"""The reference engine: any `ConvNet`, trained by stock torch from the seed ledger.

Initial weights, batch order and dropout masks come from the ledger, never from torch, so another
engine can train the same instance and must agree with this one. Runs on one thread; several
instances run in several processes. Needs the extra ``torch``, which is imported when first used.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet import ConvNet
from surefoot.engines.base import (
    Engine,
    Instance,
    Setting,
    Status,
    Stopped,
    Training,
    outcome_of,
)
from surefoot.engines.refusals import data_refusal
from surefoot.errors import require
from surefoot.seeds import Stream

if TYPE_CHECKING:
    import torch


class TorchEager(Engine):
    """Trains a `ConvNet` in eager torch, on one CPU thread."""

    name: ClassVar[str] = "torch_eager"
    workers: ClassVar[Literal["threads", "processes"]] = "processes"

    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        """Refuse what is not a `ConvNet`, what does not fit the data, and a missing torch."""
        if not isinstance(candidate, ConvNet):
            return f"torch_eager trains ConvNet candidates, not {candidate.family}"
        if importlib.util.find_spec("torch") is None:
            return "torch_eager needs torch; install it with: pip install 'surefoot[torch]'"
        return data_refusal(candidate, setting)

    def train(self, instance: Instance, setting: Setting, stop: NDArray[np.uint8]) -> Training:
        """Train one instance.

        Raises
        ------
        Stopped
            When the stop flag is set.
        MissingExtraError
            If torch is not installed.
        """
        require("torch", extra="torch")
        from surefoot.engines.torch_jobs import job_of
        from surefoot.engines.torch_training import TorchPredictor, one_thread, train_epochs

        began = time.perf_counter()
        curve: list[float] = []
        predictor, message = None, ""
        try:
            with one_thread():
                job = job_of(instance, setting)
                draw = instance.draw(setting)
                key = instance.seed.key(Stream.ORDER)
                status = train_epochs(job, setting, draw, key, stop, curve)
            predictor = TorchPredictor(job.module, job.takes_side, job.device)
        except Stopped:
            raise
        except Exception as error:
            status, message = Status.FAILED, f"{type(error).__name__}: {error}"
        outcome = outcome_of(
            instance,
            setting,
            self.name,
            status,
            np.array(curve, dtype=np.float32),
            time.perf_counter() - began,
            message,
        )
        return Training(outcome, predictor)


def module_of(net: ConvNet, weights: Mapping[str, NDArray[np.float32]]) -> torch.nn.Module:
    """Return a trained network as a ``torch.nn.Module``, in evaluation mode.

    It maps features [n, F] or [n, channels, rows, columns] and, if the network takes them, side
    features [n, S] to predictions [n, outputs]. ``weights`` are those of a predictor.

    Raises
    ------
    MissingExtraError
        If torch is not installed.
    CandidateError
        If the weights are not those of such a network.
    """
    require("torch", extra="torch")
    from surefoot.engines.torch_module import ConvModule, load

    return load(ConvModule(net), weights).eval()
