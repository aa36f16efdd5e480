"""What may end training early: Ctrl-C and a time limit."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Self

import numpy as np
from numpy.typing import NDArray


class Alarm:
    """Raises an instance's stop flag when its time is up."""

    def __init__(self, limit: float | None, flag: NDArray[np.uint8]) -> None:
        self._flag, self.rang = flag, False
        self._timer = None if limit is None else threading.Timer(limit, self._ring)

    def _ring(self) -> None:
        self.rang = True
        self._flag[0] = 1

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
            if self.rang:
                self._flag[0] = 0


class Interrupts:
    """While it lasts, the first Ctrl-C asks to stop in good order; a second one acts at once.

    It leaves a handler that the application installed itself alone, and does nothing outside the
    main thread.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop, self.seen = stop, False
        self._installed = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.seen:
            raise KeyboardInterrupt
        self.seen = True
        self._stop()

    def __enter__(self) -> Self:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)
            self._installed = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)
