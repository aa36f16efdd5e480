"""Whether an engine is being compiled, for whoever waits: once per machine and version."""

from __future__ import annotations

import gc
import time
from functools import cache
from typing import Any

PAUSE = 30.0
"""Seconds between two kernels that count as one compilation; on a busy machine they take long."""
COLLECTIONS = 50_000, 50, 100
"""Python's garbage collector while a kernel is compiled: what Numba makes then is kept anyway, and
looking through it again and again takes a tenth of the time."""

_running: list[float] = []
"""When each compilation of a kernel that is not over began; one may begin within another."""
_latest: list[float] = []
"""When the latest compilation began and when it was over, if there was one."""


def began() -> float | None:
    """Return when (`time.monotonic`) this process began to compile an engine; None if it is not."""
    return _running[0] if _running else None


def within(seconds: float) -> bool:
    """Say whether this process has compiled an engine in the last so many seconds."""
    return bool(_running) or any(time.monotonic() - ended < seconds for ended in _latest[1:])


@cache
def follow_compiler(package: str) -> None:
    """Have `began` know when Numba compiles a function of a package.

    Numba tells when it begins to compile, not when it loads what it has kept.
    """
    from numba.core import event

    usual = gc.get_threshold()

    class Follower(event.Listener):
        def on_start(self, event: Any) -> None:
            if _is_of(event, package):
                gc.set_threshold(*COLLECTIONS)
                goes_on = not _running and within(PAUSE)
                _running.append(_latest[0] if goes_on else time.monotonic())

        def on_end(self, event: Any) -> None:
            if _is_of(event, package) and _running:
                _latest[:] = [_running.pop(), time.monotonic()]
                if not _running:
                    gc.set_threshold(*usual)

    register: Any = event.register  # Numba has no types
    register("numba:compile", Follower())


def _is_of(event: Any, package: str) -> bool:
    return str(event.data["dispatcher"].py_func.__module__).startswith(package)
