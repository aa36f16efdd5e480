"""Calls that know nothing of a stop flag, made to heed one."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from surefoot.engines.base import Stopped

Result = TypeVar("Result")
LOOK_EVERY = 0.05
"""Seconds between two looks at the stop flag."""
GRACE = 1.0
"""Seconds that a stopped call has to leave its Python code before it is abandoned."""


def interruptible(work: Callable[[], Result], stop: NDArray[np.uint8]) -> Result:
    """Return ``work()``, or raise `Stopped` within two seconds of ``stop[0]`` becoming non-zero.

    The work runs in a thread of its own, which is asked to leave its Python code; compiled code
    that does not return is abandoned, and ends with the process or when it is done. A flag that is
    read-only will never be set, so nothing is watched (a worker process is killed instead).
    """
    if not stop.flags.writeable:
        return work()
    call: Future[Result] = Future()

    def run() -> None:
        try:
            call.set_result(work())
        except BaseException as error:
            call.set_exception(error)

    thread = threading.Thread(target=run, name="surefoot-fit", daemon=True)
    thread.start()
    while not wait([call], LOOK_EVERY).done:
        if stop[0]:
            number = ctypes.c_ulong(thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(Stopped))
            wait([call], GRACE)
            raise Stopped
    return call.result()
