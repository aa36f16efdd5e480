"""The data of a study once per machine, however many workers train on it there.

The worker that has them first keeps them in a file without a name and lends it to the others, at an
abstract Unix socket that is called after their digest. File and socket vanish with the processes
that hold them, however these end. It saves memory, and cores that train on the same pages share
what is in their caches. Other systems than Linux have no such sockets; there, and where anything
fails, every worker has its own copy.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from surefoot.errors import EngineError
from surefoot.executors.local.shared_memory import mapped, shared

_WAIT = 60.0
"""Seconds that a worker waits for another to write the file."""
_QUEUE = 1024


@dataclass(eq=False)
class Held:
    """The pickle of a setting and its arrays; and where they are lent, if this process does."""

    head: bytes
    arrays: list[Any]
    counter: socket.socket | None = None

    def close(self) -> None:
        """Lend no more; what is mapped stays, here and elsewhere."""
        if self.counter is not None:
            with suppress(OSError):
                self.counter.shutdown(socket.SHUT_RDWR)
            self.counter = None


def hold(digest: str, head: bytes, arrays: Iterable[Any]) -> Held:
    """Return a setting as this machine has it, or, where it cannot be shared, as it was given."""
    own = Held(head, list(arrays))
    if sys.platform != "linux":
        return own
    name = f"\0surefoot-{os.getuid()}-{digest}"
    counter = socket.socket(socket.AF_UNIX)
    try:
        counter.bind(name)
        counter.listen(_QUEUE)
    except OSError:
        counter.close()
        return _borrowed(name) or own
    try:
        file = shared(own.head, own.arrays)
    except (EngineError, OSError):
        counter.close()
        return own
    held = Held(*mapped(file.fileno()), counter)
    threading.Thread(
        target=_lend, args=(counter, file), name="surefoot-lender", daemon=True
    ).start()
    return held


def _lend(counter: socket.socket, file: IO[bytes]) -> None:
    """Give the file's descriptor to whoever of this user asks, until the counter is closed."""
    with file, counter:
        while True:
            try:
                asking, _ = counter.accept()
            except OSError:
                return
            with asking, suppress(OSError):
                if _user(asking) == os.getuid():
                    socket.send_fds(asking, [b"\0"], [file.fileno()])


def _borrowed(name: str) -> Held | None:
    """Return what another process of this user lends; None if it does not."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(_WAIT)
        try:
            asking.connect(name)
            if _user(asking) != os.getuid():
                return None
            _, (descriptor,), _, _ = socket.recv_fds(asking, 1, 1)
        except (OSError, ValueError):
            return None
    try:
        return Held(*mapped(descriptor))
    finally:
        os.close(descriptor)


def _user(connection: socket.socket) -> int:
    """Return the user of the process at the other end of a Unix socket."""
    size = struct.calcsize("3i")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    user: int = struct.unpack("3i", credentials)[1]
    return user
