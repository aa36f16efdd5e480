"""A study's setting in memory once, however many worker processes read it.

The setting is pickled with its arrays out of band (pickle protocol 5) into one unlinked temporary
file, which every worker maps: the kernel keeps one copy, and the file vanishes with the last
process that holds it, however that ends. The mapping is private, so that nothing a worker does to
an array reaches another; it is writable because torch and much compiled code refuse arrays that are
not.
"""

from __future__ import annotations

import mmap
import os
import pickle
import tempfile
from collections.abc import Callable
from typing import Any

from surefoot.errors import EngineError

_ALIGNMENT = 64


def pickled(
    thing: Any, name: str, buffer: Callable[[pickle.PickleBuffer], Any] | None = None
) -> bytes:
    """Return a pickle, or raise `EngineError` saying that ``name`` cannot reach a process."""
    try:
        return pickle.dumps(thing, protocol=5, buffer_callback=buffer)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise EngineError(
            f"{name} cannot be sent to a worker process ({error}): define its functions and "
            "classes at the top of an importable module"
        ) from None


class Shared:
    """An object in a file that other processes can map; pass them its `descriptor`."""

    def __init__(self, thing: Any) -> None:
        buffers: list[pickle.PickleBuffer] = []
        head = pickled(thing, "the setting", buffers.append)
        views = [buffer.raw() for buffer in buffers]
        self._file = tempfile.TemporaryFile(prefix="surefoot-")  # noqa: SIM115
        spans = []
        position = 0
        try:
            for view in views:
                self._file.seek(position)
                self._file.write(view)
                spans.append((position, view.nbytes))
                position = -(-(position + view.nbytes) // _ALIGNMENT) * _ALIGNMENT
            self._file.seek(position)
            index = pickle.dumps((spans, head))
            self._file.write(index)
            self._file.write(len(index).to_bytes(8, "little"))
            self._file.flush()
        except OSError as error:
            self._file.close()
            raise EngineError(
                f"the data cannot be shared with worker processes through {tempfile.gettempdir()}: "
                f"{error.strerror}; set TMPDIR to a directory with {position / 1e6:.0f} MB free"
            ) from None

    @property
    def descriptor(self) -> int:
        """File descriptor to pass on."""
        return self._file.fileno()

    def close(self) -> None:
        """Let go of the file; processes that mapped it keep it."""
        self._file.close()


class Mapped:
    """The object in a `Shared` file, its arrays views of the file.

    ``head`` is its pickle without the arrays.
    """

    def __init__(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        data = memoryview(mmap.mmap(descriptor, size, access=mmap.ACCESS_COPY))
        length = int.from_bytes(data[-8:], "little")
        spans, self.head = pickle.loads(data[size - 8 - length : size - 8])
        self._buffers = [data[start : start + length] for start, length in spans]

    def load(self) -> Any:
        """Return the object; raises whatever unpickling its classes does."""
        return pickle.loads(self.head, buffers=self._buffers)
