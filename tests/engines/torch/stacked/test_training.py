"""How a stack is filled, halved and recorded; what its instances leave is the engines' suites'."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from surefoot.data.population import Sampling
from surefoot.engines.torch.stacked import graph, training
from surefoot.engines.torch.stacked.engine import TorchStacked
from surefoot.engines.torch.stacked.training import DeviceData, Stack
from surefoot.instances import Instance, Outcome, Setting, Status
from surefoot.learning.stopping import Stopping
from surefoot.testing import toy_instance, toy_population, toy_setting
from tests.engines.cases import EXPLODING, NOISY, PLAIN, STACKED_MODULES

STEPPED = Stopping(12, min_epochs=2, window=2, tolerance=0.05)
"""Instances end after different numbers of epochs."""
QUICK = replace(STACKED_MODULES["own loss"], learning_rate=0.05)


def trained(
    instances: list[Instance], setting: Setting, size: int, taken: list[int] | None = None
) -> dict[int, Outcome]:
    def given() -> Iterator[Instance]:
        for one in instances:
            if taken is not None:
                taken.append(one.seed.instance)
            yield one

    stop = np.zeros(1, dtype=np.uint8)
    stack = TorchStacked("cpu", size).train_stack(given(), setting, stop)
    return {one.outcome.instance: one.outcome for one in stack}


def several(candidate: Any, n: int = 6) -> list[Instance]:
    return [toy_instance(candidate, number) for number in range(n)]


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the stacks that are made."""
    sizes: list[int] = []
    made = Stack.__init__

    def noted(self: Stack, *given: Any) -> None:
        sizes.append(given[3])
        made(self, *given)

    monkeypatch.setattr(Stack, "__init__", noted)
    return sizes


@pytest.mark.parametrize("candidate", [NOISY, QUICK], ids=["net", "module"])
def test_an_instance_that_ends_frees_its_place(
    candidate: Any, stacks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    seated: list[tuple[int, int, int]] = []
    epochs = [0]
    seat, train = Stack.seat, Stack.train_epoch

    def noted(self: Stack, place: int, instance: Instance) -> None:
        seated.append((epochs[0], place, instance.seed.instance))
        seat(self, place, instance)

    def counted(self: Stack) -> Any:
        epochs[0] += 1
        return train(self)

    monkeypatch.setattr(Stack, "seat", noted)
    monkeypatch.setattr(Stack, "train_epoch", counted)
    setting = toy_setting(stopping=STEPPED)
    found = trained(several(candidate), setting, 2)
    lengths = {number: one.epochs for number, one in found.items()}
    assert len(set(lengths.values())) > 1, "they end at different times"
    assert stacks == [2]
    free = {0: 0, 1: 0}
    for began, place, number in seated:
        assert began == free[place], "the next one starts when a place is free"
        free[place] += lengths[number]
    assert epochs[0] == max(free.values()) < sum(lengths.values())


def test_an_explosion_frees_its_place_too(stacks: list[int]) -> None:
    with np.errstate(all="ignore"):
        found = trained(several(EXPLODING), toy_setting(), 2)
    assert {one.status for one in found.values()} == {Status.DIVERGED}
    assert len(found) == 6
    assert stacks == [2]


def out_of_memory(
    monkeypatch: pytest.MonkeyPatch, fits: int, when: Callable[[Stack], bool] = lambda stack: True
) -> None:
    """Have a device on which stacks larger than ``fits`` run out of memory in an epoch."""
    train = Stack.train_epoch

    def crowded(self: Stack) -> Any:
        if len(self.places) > fits and when(self):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return train(self)

    monkeypatch.setattr(Stack, "train_epoch", crowded)


@pytest.mark.parametrize("fits", [1, 3])
def test_out_of_memory_a_stack_is_halved_and_tried_again(
    fits: int, stacks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    setting, taken = toy_setting(), list[int]()
    expected = trained(several(NOISY), setting, 2)
    stacks.clear()
    out_of_memory(monkeypatch, fits)
    found = trained(several(NOISY), setting, 8, taken)
    assert stacks == ([8, 4, 2, 1] if fits == 1 else [8, 4, 2])
    assert taken == list(range(6)), "each is taken once"
    for number, outcome in expected.items():
        np.testing.assert_allclose(found[number].curve, outcome.curve, rtol=1e-4)
        assert found[number].status is Status.FINISHED


def test_what_has_ended_before_is_not_trained_again(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = toy_setting(stopping=STEPPED)
    expected = trained(several(NOISY), setting, 4)
    ended = []

    def later(stack: Stack) -> bool:
        ended.append(stack.places.count(None))
        return len(ended) > 8

    out_of_memory(monkeypatch, 2, later)
    found = trained(several(NOISY), setting, 4)
    assert max(ended) > 0
    assert {n: one.epochs for n, one in found.items()} == {n: o.epochs for n, o in expected.items()}


def test_one_that_does_not_fit_alone_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    out_of_memory(monkeypatch, 0)
    found = trained(several(NOISY, 3), toy_setting(), 2)
    assert [found[number].status for number in range(3)] == [Status.FAILED] * 3
    assert found[2].message.startswith("out of memory on cpu: CUDA out of memory")


def raising(monkeypatch: pytest.MonkeyPatch, message: str, full: bool = False) -> None:
    """Have stacks of more than one raise, perhaps while memory that is full is dealt with."""

    def broken(self: Stack) -> Any:
        if len(self.places) > 1:
            try:
                if full:
                    raise torch.cuda.OutOfMemoryError("full")
            finally:
                raise RuntimeError(message)
        return train(self)

    train = Stack.train_epoch
    monkeypatch.setattr(Stack, "train_epoch", broken)


def test_an_error_of_the_device_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, "CUDA error: an illegal memory access was encountered")
    with pytest.raises(RuntimeError, match="illegal memory access"):
        trained(several(PLAIN), toy_setting(), 4)


@pytest.mark.parametrize(
    ("message", "full"),
    [
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate", False),
        ("CUDA error: operation failed due to a previous error during capture", True),
    ],
)
def test_errors_that_come_of_full_memory_halve_a_stack(
    message: str, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(monkeypatch, message, full)
    found = trained(several(PLAIN), toy_setting(), 4)
    assert [found[number].status for number in range(6)] == [Status.FINISHED] * 6


def test_one_that_raises_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    seat = Stack.seat

    def refused(self: Stack, place: int, instance: Instance) -> None:
        if instance.seed.instance == 2:
            raise ArithmeticError("no seat")
        seat(self, place, instance)

    monkeypatch.setattr(Stack, "seat", refused)
    found = trained(several(PLAIN), toy_setting(), 4)
    assert found[2].message == "ArithmeticError: no seat"
    others = [found[number].status for number in (0, 1, 3, 4, 5)]
    assert others == [Status.FINISHED] * 5


def test_a_sample_that_cannot_be_drawn_fails_every_instance() -> None:
    large = Sampling(10_000, "subsample")
    found = trained([replace(one, sampling=large) for one in several(PLAIN, 3)], toy_setting(), 2)
    assert len(found) == 3
    assert all("10000 examples cannot be drawn" in one.message for one in found.values())


@pytest.mark.parametrize("candidate", [NOISY, STACKED_MODULES["normed"]], ids=["net", "module"])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_an_epoch_in_portions_is_the_same(
    candidate: Any, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting, batches = toy_setting(), replace(candidate, batch_size=16)
    expected = trained(several(batches, 2), setting, 1)
    monkeypatch.setattr(training, "STEPS_AT_ONCE", steps)
    found = trained(several(batches, 2), setting, 1)
    for number in range(2):
        assert found[number].curve.tobytes() == expected[number].curve.tobytes()


@pytest.mark.parametrize(
    "candidate",
    [
        replace(NOISY, average="ema(5 steps)", optimizer="nadam"),
        STACKED_MODULES["normed, averaged"],
    ],
    ids=["net", "module"],
)
def test_a_recording_leaves_no_trace(candidate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU, work runs before it is used: what it changed is begun anew."""
    setting, recordings = toy_setting(), list[str]()
    expected = trained(several(candidate, 3), setting, 2)

    def capture(run: Callable[[], None], device: torch.device) -> Callable[[], None]:
        recordings.append(device.type)
        run()
        run()
        return run

    monkeypatch.setattr(graph, "CAPTURED", ("cpu",))
    monkeypatch.setattr(graph, "capture", capture)
    found = trained(several(candidate, 3), setting, 2)
    assert recordings == ["cpu"]
    for number in range(3):
        assert found[number].curve.tobytes() == expected[number].curve.tobytes()


def test_data_are_on_a_device_once_and_leave_with_their_population() -> None:
    population, cpu = toy_population(), torch.device("cpu")
    there = DeviceData.of(population, cpu)
    assert DeviceData.of(population, cpu) is there
    assert DeviceData.of(toy_population(), cpu) is not there
    gone = weakref.ref(there.features)
    del there, population
    assert gone() is None
