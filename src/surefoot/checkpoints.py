"""Checkpoints: trainings that are put aside, kept in a folder of bounded size until they go on.

A checkpoint spares time and decides nothing: whoever finds none that is whole and its own trains
again from the seeds, to the same bits. So a file may be deleted at any time, writers never wait for
each other, and what cannot be written is simply not kept.

Each is one ``.npz`` file of plain arrays, of which one, ``digest``, is the SHA-256 of the others.
It is written beside its place and then renamed, so that a reader finds all of it or nothing.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]

LIMIT = 4 << 30
"""Bytes that all checkpoints of a study take at most, unless told otherwise."""
_SUFFIX = ".npz"
_PREFIX = "state."


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A training after some epochs: what an engine needs to go on with it.

    ``curve`` [epochs] and ``plain`` are as in `Outcome`, ``seconds`` what it has taken so far,
    ``arrays`` the engine's own, by name.
    """

    curve: NDArray[np.float32]
    plain: NDArray[np.float32]
    seconds: float
    arrays: Arrays


@dataclass(frozen=True, slots=True)
class CheckpointStore:
    """A folder of checkpoints, which any number of processes may use at once.

    Parameters
    ----------
    folder
        Where they are kept, if it exists: on a machine that does not share it, none are.
    study
        What decides the results of the trainings beside candidate and seed, as text: a checkpoint
        of another study is not found.
    limit
        Bytes they take at most, as often as `trim` is called.
    """

    folder: Path
    study: str
    limit: int = LIMIT

    def name(self, *training: object) -> str:
        """Return the name of the checkpoint of a training, told by everything that decides it."""
        return hashlib.sha256(repr((self.study, *training)).encode()).hexdigest()[:40]

    def load(self, name: str) -> Checkpoint | None:
        """Return the checkpoint of a name; None if there is none, or it is damaged."""
        for file in reversed(self._files(name)):
            try:
                return _read(file.read_bytes())
            except Exception:  # a damaged file may raise anything: it is none
                continue
        return None

    def save(self, name: str, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint in place of the earlier one of its name, if there is room on the disk.

        The file's name tells the milliseconds that it spares, so that `trim` opens none.
        """
        if not self.folder.is_dir():
            return
        before = self._files(name)
        file = self._place(name) / f"{name}.{round(1000 * checkpoint.seconds):012d}{_SUFFIX}"
        part = file.with_suffix(f".{os.getpid()}.part")
        try:
            file.parent.mkdir(exist_ok=True)
            part.write_bytes(_written(checkpoint))
            part.replace(file)
        except OSError:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            return
        for other in before:
            if other != file:
                other.unlink(missing_ok=True)

    def discard(self, name: str) -> None:
        """Delete the checkpoint of a name, if there is one."""
        for file in self._files(name):
            file.unlink(missing_ok=True)

    def trim(self) -> None:
        """Delete the least useful until the rest is within the limit.

        Useful is what spares many seconds of training in few bytes.
        """
        found = []
        for file in self.folder.glob(f"*/*{_SUFFIX}"):
            try:
                found.append((file.stat().st_size, int(file.name.split(".")[1]), file))
            except (OSError, ValueError, IndexError):
                continue
        excess = sum(size for size, *_ in found) - self.limit
        for size, _, file in sorted(found, key=lambda one: (one[1] / max(1, one[0]), one[2])):
            if excess <= 0:
                return
            file.unlink(missing_ok=True)
            excess -= size

    def remove(self) -> None:
        """Delete all of them and the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _place(self, name: str) -> Path:
        return self.folder / name[:2]

    def _files(self, name: str) -> list[Path]:
        """Return the files of a name, that of the longest training last."""
        return sorted(self._place(name).glob(f"{name}.*{_SUFFIX}"))


def _written(checkpoint: Checkpoint) -> bytes:
    arrays: dict[str, Any] = {
        "curve": checkpoint.curve,
        "plain": checkpoint.plain,
        "seconds": np.array(checkpoint.seconds),
        **{f"{_PREFIX}{name}": array for name, array in checkpoint.arrays.items()},
    }
    file = io.BytesIO()
    np.savez(file, digest=np.frombuffer(_digest(arrays), np.uint8), **arrays)
    return file.getvalue()


def _read(content: bytes) -> Checkpoint:
    """Return the checkpoint of a file's content; raises `ValueError` unless it is whole."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    if arrays.pop("digest").tobytes() != _digest(arrays):
        raise ValueError("the checkpoint is not the one that was written")
    return Checkpoint(
        arrays["curve"],
        arrays["plain"],
        float(arrays["seconds"]),
        {n.removeprefix(_PREFIX): a for n, a in arrays.items() if n.startswith(_PREFIX)},
    )


def _digest(arrays: Arrays) -> bytes:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}{array.dtype.str}{array.shape};".encode())
        digest.update(array.tobytes())
    return digest.digest()
