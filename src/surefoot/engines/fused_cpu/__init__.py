"""The default engine of `ConvNet` candidates on CPUs: one compiled call trains one instance.

Every kernel works on tiles of 16 examples, the batch innermost, in explicit vectors; networks are
tables that the kernels walk, so nothing is compiled per architecture. An instance runs on one
thread without the GIL and gives the same bits at any number of threads and in any company. See
`program` (tables), `gathered_gemm` and `weight_gradient` (the arithmetic), `training` (the loop).
"""

from __future__ import annotations

import time
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import ConvNet
from surefoot.engines.base import Engine, Stopped, outcome_of
from surefoot.engines.refusals import data_refusal
from surefoot.instances import Instance, Setting, Status, Training


class FusedCpu(Engine):
    """Trains a `ConvNet` by compiled kernels on one thread per instance."""

    name: ClassVar[str] = "fused_cpu"
    workers: ClassVar[Literal["threads", "processes"]] = "threads"

    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        """Refuse what is not a `ConvNet` and what does not fit the data."""
        if not isinstance(candidate, ConvNet):
            return f"fused_cpu trains ConvNet candidates, not {candidate.family}"
        return data_refusal(candidate, setting)

    def train(self, instance: Instance, setting: Setting, stop: NDArray[np.uint8]) -> Training:
        """Train one instance without holding the GIL.

        Raises
        ------
        Stopped
            When the stop flag is set.
        """
        from surefoot.engines.fused_cpu.instance import train_instance

        began = time.perf_counter()
        curve, predictor, message = np.empty(0, dtype=np.float32), None, ""
        try:
            draw = instance.draw(setting)
            status, curve, predictor = train_instance(instance, setting, draw, stop)
        except Stopped:
            raise
        except Exception as error:
            status, message = Status.FAILED, f"{type(error).__name__}: {error}"
        seconds = time.perf_counter() - began
        outcome = outcome_of(instance, setting, self.name, status, curve, seconds, message)
        return Training(outcome, predictor)
