"""Work on a device as one CUDA graph: recorded once, then started by one call."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Work = Callable[..., None]
"""Reads the tensors that it is given and leaves its results in others."""
CAPTURED = ("cuda",)
"""Kinds of devices that have graphs."""


def recorded(work: Work, *like: Tensor) -> Work:
    """Return work that is done on tensors of these shapes; on a GPU it is a CUDA graph.

    It reads copies in memory of its own, as a graph must. What the work changes is changed by the
    recording, too, with zeros for inputs: begin anew afterwards.
    """
    inputs = [torch.zeros_like(one) for one in like]

    def given() -> None:
        work(*inputs)

    device = inputs[0].device
    run = capture(given, device) if device.type in CAPTURED else given

    def on(*values: Tensor) -> None:
        for own, value in zip(inputs, values, strict=True):
            own.copy_(value)
        run()

    return on


def capture(run: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """Return a function without arguments as a CUDA graph.

    It runs once before on the side stream on which it is then recorded, so that libraries have
    what they allocate; other threads, with other GPUs, may go on meanwhile.
    """
    with torch.cuda.device(device):
        aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(aside):
            run()
        torch.cuda.current_stream(device).wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=aside, capture_error_mode="thread_local"):
            run()
    replay: Callable[[], None] = graph.replay
    return replay
