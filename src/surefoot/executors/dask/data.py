"""Data and settings on their way to workers: pickled once, arrays apart and never copied here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from surefoot.candidates.base import Candidate
from surefoot.errors import EngineError, require
from surefoot.executors.local import shared_memory
from surefoot.executors.local.processes import names_main
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
        cloudpickle = require("cloudpickle", extra="dask")
        head, arrays = shared_memory.packed(setting, "the setting", cloudpickle.dumps)
        digest = hashlib.sha256(head)
        for array in arrays:
            digest.update(array)
        return cls(setting, [head, *map(as_bytes, arrays)], digest.hexdigest())


def check_candidate(candidate: Candidate) -> None:
    """Raise `EngineError` for what the main script or a notebook defines: no worker runs that."""
    if names_main(candidate):
        raise EngineError(
            f"{candidate.label} is defined in the main script or a notebook, which the workers of "
            "a cluster do not run: put it into a module and import it"
        )


def as_bytes(array: Any) -> Any:
    """Return an array as Dask sends it without a copy: a view of its bytes."""
    return np.frombuffer(array, dtype=np.uint8)


def pickled(thing: Any, name: str) -> bytes:
    """Return a pickle that holds what the main script defines; raise `EngineError` if it cannot."""
    cloudpickle = require("cloudpickle", extra="dask")
    return shared_memory.pickled(thing, name, dumps=cloudpickle.dumps)
