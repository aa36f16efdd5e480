"""The engine for GPUs: hundreds of instances of one architecture trained at once.

Initial weights, batch orders and dropout masks come from the ledger as in every engine, so that an
instance agrees with `torch_eager`'s within the stated tolerance. It is made to equal itself bit for
bit on one device whatever shares its stack. Not yet measured on a GPU, so ``auto`` leaves networks
to `fused_cpu`. Needs the extra ``torch``, which is imported when first used.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import ClassVar

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import ConvNet
from surefoot.engines.base import Flag, StackEngine, Trained, data_refusal
from surefoot.errors import EngineError
from surefoot.instances import Instance, Setting

SIZES = {"cuda": 512, "cpu": 1}
"""Instances in a stack by kind of device. In a larger stack on a CPU, an instance's last bits were
seen to depend on its place."""


class TorchStacked(StackEngine):
    """Trains stacks of `ConvNet` instances on a GPU, or on the CPU where there is none.

    Parameters
    ----------
    device
        ``cuda``, ``cuda:1``, ``cpu``; ``auto`` is the first GPU where there is one.
    size
        Instances in a stack; None for `SIZES`. Halved when the device is out of memory.
    """

    name: ClassVar[str] = "torch_stacked"

    def __init__(self, device: str = "auto", size: int | None = None) -> None:
        if size is not None and size < 1:
            raise EngineError(f"a stack of {size} instances must hold at least 1")
        self.device, self.size = device, size

    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        """Refuse all but ConvNets, what does not fit the data, and a missing torch or device."""
        if not isinstance(candidate, ConvNet):
            return f"torch_stacked trains ConvNet candidates, not {candidate.family}"
        if importlib.util.find_spec("torch") is None:
            return "torch_stacked needs torch; install it with: pip install 'surefoot[torch]'"
        if self.device.startswith("cuda") and not has_cuda():
            return f"this machine has no device {self.device!r}"
        return data_refusal(candidate, setting, candidate.loss)

    def shape(self, instance: Instance, setting: Setting) -> Hashable:
        """Return all of a network but its learning rate and decay, and its numbers of examples."""
        net = instance.candidate
        assert isinstance(net, ConvNet)
        return replace(net, learning_rate=1.0, decay=0.0), instance.sampling or setting.sampling

    def fit_stack(
        self, instances: Iterator[Instance], setting: Setting, stop: Flag
    ) -> Iterator[Trained]:
        """Train instances of one shape in a stack; see `StackEngine.fit_stack`."""
        import torch

        from surefoot.engines.torch.stacked.training import fit
        from surefoot.engines.torch.training import one_thread

        name = self.device if self.device != "auto" else ("cuda" if has_cuda() else "cpu")
        device = torch.device(name)
        size = self.size or SIZES.get(device.type, SIZES["cpu"])
        with one_thread():
            yield from fit(instances, setting, device, size, stop)


def has_cuda() -> bool:
    """Return whether torch is installed and finds a GPU."""
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()
