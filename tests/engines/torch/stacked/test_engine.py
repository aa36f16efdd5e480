"""One stack at a time on each GPU; the engine itself is held to the suites of all engines."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from surefoot.engines.base import Stopped
from surefoot.engines.torch.stacked.engine import TorchStacked, _alone_on
from surefoot.errors import EngineError

GO = np.zeros(1, dtype=np.uint8)
FIRST, SECOND, CPU = (torch.device(name) for name in ("cuda:0", "cuda:1", "cpu"))


def test_a_stack_waits_for_its_gpu_and_for_no_other_device() -> None:
    entered = threading.Event()

    def enter() -> None:
        with _alone_on(FIRST, GO):
            entered.set()

    waiting = threading.Thread(target=enter)
    with _alone_on(FIRST, GO):
        waiting.start()
        with _alone_on(SECOND, GO), _alone_on(CPU, GO), _alone_on(CPU, GO):
            assert not entered.wait(0.2)
    assert entered.wait(5)
    waiting.join()


def test_who_is_told_to_stop_waits_no_longer() -> None:
    stop = np.ones(1, dtype=np.uint8)
    raised = threading.Event()

    def enter() -> None:
        with pytest.raises(Stopped), _alone_on(FIRST, stop):
            raise AssertionError("the GPU is taken")
        raised.set()

    with _alone_on(FIRST, GO):
        waiting = threading.Thread(target=enter)
        waiting.start()
        assert raised.wait(5)
        waiting.join()


def test_a_gpu_is_free_again_after_an_error() -> None:
    for _ in range(2):
        with pytest.raises(ArithmeticError), _alone_on(FIRST, GO):
            raise ArithmeticError


def test_a_stack_of_none_is_refused() -> None:
    with pytest.raises(EngineError, match="a stack of 0 instances must hold at least 1"):
        TorchStacked(size=0)
