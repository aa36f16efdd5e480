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
from collections.abc import Callable, Iterable
from typing import IO, Any

from surefoot.errors import EngineError

_ALIGNMENT = 64


def pickled(
    thing: Any,
    name: str,
    buffer: Callable[[pickle.PickleBuffer], Any] | None = None,
    dumps: Callable[..., bytes] = pickle.dumps,
) -> bytes:
    """Return a pickle, or raise `EngineError` saying that ``name`` cannot reach a worker."""
    try:
        return dumps(thing, protocol=5, buffer_callback=buffer)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise EngineError(
            f"{name} cannot be sent to a worker process ({error}): define its functions and "
            "classes at the top of an importable module"
        ) from None


def packed(
    thing: Any, name: str, dumps: Callable[..., bytes] = pickle.dumps
) -> tuple[bytes, list[memoryview]]:
    """Return a pickle and its arrays, as bytes where they are; raises as `pickled` does."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickled(thing, name, buffers.append, dumps)
    return head, [buffer.raw() for buffer in buffers]


def shared(head: bytes, arrays: Iterable[memoryview]) -> IO[bytes]:
    """Return a file of what is `packed`, to be mapped by whoever is given its descriptor.

    Raises `EngineError` if there is no room for it.
    """
    file = tempfile.TemporaryFile(prefix="surefoot-")  # noqa: SIM115
    spans, position = [], 0
    try:
        for view in arrays:
            file.seek(position)
            file.write(view)
            spans.append((position, view.nbytes))
            position = -(-(position + view.nbytes) // _ALIGNMENT) * _ALIGNMENT
        file.seek(position)
        index = pickle.dumps((spans, head))
        file.write(index)
        file.write(len(index).to_bytes(8, "little"))
        file.flush()
    except OSError as error:
        file.close()
        raise EngineError(
            f"the data cannot be shared with worker processes through {tempfile.gettempdir()}: "
            f"{error.strerror}; set TMPDIR to a directory with {position / 1e6:.0f} MB free"
        ) from None
    return file


def mapped(descriptor: int) -> tuple[bytes, list[memoryview]]:
    """Return what is `packed` in a `shared` file, its arrays as views of the file."""
    size = os.fstat(descriptor).st_size
    data = memoryview(mmap.mmap(descriptor, size, access=mmap.ACCESS_COPY))
    length = int.from_bytes(data[-8:], "little")
    spans, head = pickle.loads(data[size - 8 - length : size - 8])
    return head, [data[start : start + length] for start, length in spans]
