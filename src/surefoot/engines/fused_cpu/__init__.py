"""The default engine of `ConvNet` candidates on CPUs: one compiled call trains one instance.

Every kernel works on tiles of 16 examples, the batch innermost, in explicit vectors; networks are
tables that the kernels walk, so nothing is compiled per architecture but the matrix kernels, per
number of channels that they treat at once. An instance runs on one thread without the GIL and
gives the same bits at any number of threads and in any company. See `program` (tables),
`gathered_gemm` and `weight_gradient` (the arithmetic), `training` (the loop).
"""

from __future__ import annotations

from importlib.metadata import version
from typing import ClassVar, Literal

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import ConvNet
from surefoot.engines.base import Engine, Monitor, data_refusal
from surefoot.instances import Instance, Predictor, Setting


class FusedCpu(Engine):
    """Trains a `ConvNet` by compiled kernels on one thread per instance."""

    name: ClassVar[str] = "fused_cpu"
    workers: ClassVar[Literal["threads", "processes"]] = "threads"
    same_everywhere: ClassVar[bool] = True

    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        """Refuse what is not a `ConvNet` and what does not fit the data."""
        if not isinstance(candidate, ConvNet):
            return f"fused_cpu trains ConvNet candidates, not {candidate.family}"
        return data_refusal(candidate, setting, candidate.loss)

    def fit(self, instance: Instance, setting: Setting, monitor: Monitor) -> Predictor:
        """Train one instance without holding the GIL."""
        from surefoot.engines.fused_cpu.instance import train_instance

        return train_instance(instance, setting, instance.draw(setting), monitor)

    def pausing(self, candidate: Candidate, setting: Setting) -> str:
        """Put any training aside."""
        return f"numba {version('numba')}"
