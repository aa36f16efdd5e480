"""Work that is recorded reads its own memory, and a capture follows torch's order of calls."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from surefoot.engines.torch.stacked import graph


def test_work_is_given_copies_in_one_place() -> None:
    total, seen = torch.zeros(3), set[int]()

    def add(values: Tensor, factor: Tensor) -> None:
        seen.add(values.data_ptr())
        total.add_(values * factor)

    run = graph.recorded(add, torch.zeros(3), torch.zeros(()))
    for number in (1.0, 2.0):
        run(torch.full((3,), number), torch.tensor(10.0))
    assert total.tolist() == [30.0] * 3
    assert len(seen) == 1


def test_a_capture_warms_up_aside_and_then_records(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    class Stream:
        def __init__(self, name: Any) -> None:
            self.name = name

        def wait_stream(self, other: Stream) -> None:
            calls.append(f"{self.name} waits for {other.name}")

    @contextlib.contextmanager
    def on(stream: Stream) -> Iterator[None]:
        calls.append(f"on {stream.name}")
        yield

    @contextlib.contextmanager
    def recording(made: Any, stream: Stream, capture_error_mode: str) -> Iterator[None]:
        calls.append(f"record on {stream.name}, {capture_error_mode}")
        yield
        calls.append("recorded")

    class Graph:
        def replay(self) -> None:
            calls.append("replay")

    monkeypatch.setattr(torch.cuda, "device", contextlib.nullcontext)
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream("aside"))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream("main"))
    monkeypatch.setattr(torch.cuda, "stream", on)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", recording)
    replay = graph.capture(lambda: calls.append("work"), torch.device("cuda"))
    replay()
    assert calls == [
        "aside waits for main",
        "on aside",
        "work",
        "main waits for aside",
        "record on aside, thread_local",
        "work",
        "recorded",
        "replay",
    ]
