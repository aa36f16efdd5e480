"""Where engines train: the processor's cores or a GPU, and how that is asked for.

An engine is asked for by name, ``torch_stacked``, and may be given a device in brackets,
``torch_stacked(cuda:1)``, ``auto(cpu)``. ``auto`` is the device too unless it is said: the GPU
where there is one, else the CPU.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from surefoot.errors import ConfigurationError

AUTO = "auto"
DEVICE = r"^(auto|cpu|cuda(:\d+)?)$"
"""What a device may be called, as a regular expression."""
DRIVERS = ("/dev/nvidiactl", "/dev/nvidia0", "/proc/driver/nvidia", "/dev/kfd", "/dev/dxg")
"""One of these files is there where a driver for GPUs is (NVIDIA's, AMD's, that of WSL): without
one, ``auto`` is the CPU, and torch need not be imported to know that."""


def engine_and_device(asked: str) -> tuple[str, str]:
    """Return the engine and the device that a text such as ``torch_stacked(cuda:1)`` asks for.

    Raises `ConfigurationError` if the device is none.
    """
    name, bracket, device = asked.partition("(")
    if not bracket:
        return asked, AUTO
    device = device.removesuffix(")")
    if not re.match(DEVICE, device):
        raise ConfigurationError(
            f"device {device!r} of engine {asked!r} must be 'auto', 'cpu', 'cuda' or 'cuda:0'"
        )
    return name, device


def on_device(engine: str, device: str) -> str:
    """Return how an engine is asked for on a device; see `engine_and_device`."""
    return engine if device == AUTO else f"{engine}({device})"


def gpus() -> int:
    """Return how many GPUs torch finds here; 0 without torch."""
    if importlib.util.find_spec("torch") is None:
        return 0
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def is_gpu(device: str) -> bool:
    """Return whether a device is a GPU; ``auto`` is one where there is one."""
    return devices(device)[0] != "cpu"


def devices(device: str) -> list[str]:
    """Return the devices that are meant: of ``auto`` all GPUs or the CPU, of ``cuda`` all GPUs."""
    if device == AUTO:
        found = any(Path(driver).exists() for driver in DRIVERS) and gpus() > 0
        return devices("cuda") if found else ["cpu"]
    if device == "cuda":
        return [f"cuda:{number}" for number in range(gpus())] or [device]
    return [device]


def device_refusal(device: str) -> str | None:
    """Return one sentence that says that this machine has no such device, None if it has."""
    if not device.startswith("cuda"):
        return None
    found, number = gpus(), int(device.partition(":")[2] or 0)
    if number < found:
        return None
    has = f"{found} GPU{'s' if found > 1 else ''}" if found else "no GPU that torch can use"
    return f"this machine has no device {device!r}: it has {has}"
