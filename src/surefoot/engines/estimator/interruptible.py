"""Calls that know nothing of a stop flag, made to heed one."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from surefoot.engines.base import Stopped

Result = TypeVar("Result")
LOOK_EVERY = 0.05
"""Seconds between two looks at the stop flag."""
GRACE = 1.0
"""Seconds that a stopped call has to leave its Python code before it is abandoned."""


class _Call(Generic[Result]):
    def __init__(self, work: Callable[[], Result]) -> None:
        self.work, self.ended = work, threading.Event()
        self.results: list[Result] = []
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="surefoot-fit", daemon=True)

    def _run(self) -> None:
        try:
            self.results.append(self.work())
        except BaseException as error:  # handed to the caller by `interruptible`
            self.error = error
        finally:
            self.ended.set()


def interruptible(work: Callable[[], Result], stop: NDArray[np.uint8]) -> Result:
    """Return ``work()``, or raise `Stopped` within two seconds of ``stop[0]`` becoming non-zero.

    The work runs in a thread of its own, which is asked to leave its Python code; compiled code
    that does not return is abandoned, and ends with the process or when it is done. A flag that is
    read-only will never be set, so nothing is watched (a worker process is killed instead).
    """
    if stop[0]:
        raise Stopped
    if not stop.flags.writeable:
        return work()
    call = _Call(work)
    call.thread.start()
    while not call.ended.wait(LOOK_EVERY):
        if stop[0]:
            thread = ctypes.c_ulong(call.thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(Stopped))
            call.ended.wait(GRACE)
            raise Stopped
    if call.error is not None:
        raise call.error
    return call.results[0]
