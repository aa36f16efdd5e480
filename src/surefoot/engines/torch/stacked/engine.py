"""The engine for GPUs: hundreds of instances of one architecture trained at once.

Initial weights and batch orders come from the ledger as in every engine, dropout masks of ConvNets
too, so that an instance agrees with `torch_eager`'s within the stated tolerance. It is made to
equal itself bit for bit on one device whatever shares its stack. Not yet measured on a GPU. Needs
the extra ``torch``, which is imported when first used.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Self

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.engines.base import Flag, Monitor, StackEngine, Stopped, Trained, data_refusal
from surefoot.engines.devices import AUTO, device_refusal, devices
from surefoot.engines.torch.eager import Network, TorchEager, module_refusal
from surefoot.errors import EngineError
from surefoot.instances import Instance, Predictor, Setting
from surefoot.learning.losses import Loss

if TYPE_CHECKING:
    import torch

SIZES = {"cuda": 512, "cpu": 1}
"""Instances in a stack by kind of device. In a larger stack on a CPU, an instance's last bits were
seen to depend on its place."""


class TorchStacked(StackEngine):
    """Trains stacks of `ConvNet` and `ModuleCandidate` instances on a GPU, or else on the CPU.

    A module that ``torch.func.vmap`` cannot take (`alone`) is trained one instance at a time, as by
    `torch_eager`; whatever device it names itself, the engine's is used.

    Parameters
    ----------
    device
        ``cuda``, ``cuda:1``, ``cpu``; ``auto`` is the first GPU where there is one.
    size
        Instances in a stack; None for `SIZES`. Halved when the device is out of memory.
    """

    name: ClassVar[str] = "torch_stacked"

    def __init__(self, device: str = AUTO, size: int | None = None) -> None:
        if size is not None and size < 1:
            raise EngineError(f"a stack of {size} instances must hold at least 1")
        self.device, self.size = device, size

    def places(self) -> list[Self]:
        """Return this engine on every GPU that it may use, or on the CPU."""
        return [self.on(device) for device in devices(self.device)]

    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        """Refuse other families, what does not fit the data, and a missing torch or device."""
        if not isinstance(candidate, Network):
            return (
                f"torch_stacked trains ConvNet and torch module candidates, not {candidate.family}"
            )
        if importlib.util.find_spec("torch") is None:
            return "torch_stacked needs torch; install it with: pip install 'surefoot[torch]'"
        trained = candidate.loss if isinstance(candidate.loss, Loss) else None
        reason = device_refusal(self.device) or data_refusal(candidate, setting, trained)
        if reason is None and not isinstance(candidate, ConvNet):
            reason = module_refusal(candidate)
        return reason

    def alone(self, candidate: Candidate, setting: Setting) -> str | None:
        """Return why a module's instances are trained one by one; ConvNets never are."""
        if not isinstance(candidate, Network) or isinstance(candidate, ConvNet):
            return None
        from surefoot.engines.torch.stacked.modules import trial

        return trial(candidate, setting).why or None

    def shape(self, instance: Instance, setting: Setting) -> Hashable:
        """Return all of a network but its learning rate and decay, and its numbers of examples."""
        assert isinstance(instance.candidate, Network)
        return _alike(instance.candidate), instance.sampling or setting.sampling

    def fit_stack(
        self, instances: Iterator[Instance], setting: Setting, stop: Flag
    ) -> Iterator[Trained]:
        """Train instances of one shape in a stack; see `StackEngine.fit_stack`."""
        import torch

        from surefoot.engines.torch.stacked.training import fit
        from surefoot.engines.torch.training import one_thread

        first = next(instances, None)
        if first is None:
            return
        every, device = chain([first], instances), torch.device(devices(self.device)[0])
        with one_thread(), _alone_on(device, stop):
            if self.alone(first.candidate, setting) is None:
                size = self.size or SIZES.get(device.type, SIZES["cpu"])
                yield from fit(every, setting, device, size, stop)
                return
            for instance in every:
                trained = Trained(instance, Monitor(stop))
                trained.fit_by(partial(_fit_alone, device=str(device)), setting)
                yield trained

    def processor(self) -> str:
        """Return the GPU's name where it trains on one."""
        device = devices(self.device)[0]
        if device == "cpu":
            return super().processor()
        import torch

        return torch.cuda.get_device_name(device)


@contextmanager
def _alone_on(device: torch.device, stop: Flag) -> Iterator[None]:
    """Let one stack at a time use a GPU: what others do there would spoil a recording.

    Raises `Stopped` when asked to stop while it waits.
    """
    if device.type != "cuda":
        yield
        return
    taken = _taken.setdefault(str(device), threading.Lock())
    while not taken.acquire(timeout=0.1):
        if stop[0]:
            raise Stopped
    try:
        yield
    finally:
        taken.release()


_taken: dict[str, threading.Lock] = {}


@lru_cache(maxsize=4096)
def _alike(candidate: Network) -> Network:
    """Return a candidate with a rate and decay that all alike have."""
    return replace(candidate, learning_rate=1.0, decay=0.0)


def _fit_alone(
    instance: Instance, setting: Setting, monitor: Monitor, device: str
) -> Predictor | None:
    """Train one instance of a module as `torch_eager` does, on a device."""
    assert isinstance(instance.candidate, ModuleCandidate)
    moved = replace(instance, candidate=replace(instance.candidate, device=device))
    return TorchEager().fit(moved, setting, monitor)
