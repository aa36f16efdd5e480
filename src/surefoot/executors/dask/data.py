"""Data and settings on their way to workers: pickled once, arrays apart and never copied here."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.errors import EngineError, require
from surefoot.instances import Setting


@dataclass(frozen=True, eq=False)
class SentSetting:
    """A setting as workers get it: its pickle, then its arrays as bytes; and the digest of both."""

    setting: Setting
    parts: list[Any]
    digest: str

    @classmethod
    def of(cls, setting: Setting) -> SentSetting:
        """Pack a setting; raise `EngineError` if it cannot be pickled."""
        buffers: list[pickle.PickleBuffer] = []
        head = pickled(setting, "the setting", buffers.append)
        arrays = [np.frombuffer(buffer.raw(), dtype=np.uint8) for buffer in buffers]
        digest = hashlib.sha256(head)
        for array in arrays:
            digest.update(array.data)
        return cls(setting, [head, *arrays], digest.hexdigest())


def pickled(thing: Any, name: str, buffer: Any = None) -> bytes:
    """Return a pickle that holds what the main script defines, or say that it cannot be sent."""
    cloudpickle = require("cloudpickle", extra="dask")
    try:
        sent: bytes = cloudpickle.dumps(thing, protocol=5, buffer_callback=buffer)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise EngineError(
            f"{name} cannot be sent to a worker ({error}): define its functions and classes at the "
            "top of an importable module"
        ) from None
    return sent
