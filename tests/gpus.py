"""Machines that say they have GPUs."""

from __future__ import annotations

import contextlib

import pytest
import torch

from surefoot.engines import devices


def with_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Have torch say that this machine has so many GPUs."""
    monkeypatch.setattr(devices, "DRIVERS", ("/dev/null",) if count else ())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.random, "fork_rng", lambda devices: contextlib.nullcontext())
