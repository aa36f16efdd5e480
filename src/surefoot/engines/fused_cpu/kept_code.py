"""Compiled code that is kept belongs to the sources that it was made of, all of them.

Numba forgets what it keeps of a function when the function's file changes, but not when a file
changes whose functions are compiled into it: such code reads another table than is filled.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

STAMP = "sources.sha256"


def forget_stale(kept: Path, folders: Iterable[Path]) -> None:
    """Remove the code kept in a folder unless it was made of the Python files of ``folders``.

    Where nothing can be removed, Numba can keep nothing either.
    """
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    now, stamp = digest.hexdigest(), kept / STAMP
    try:
        if stamp.exists() and stamp.read_text() == now:
            return
        for path in (*kept.glob("*.nbi"), *kept.glob("*.nbc")):
            path.unlink(missing_ok=True)
        kept.mkdir(parents=True, exist_ok=True)
        part = kept / f"{STAMP}.{os.getpid()}"
        part.write_text(now)
        part.replace(stamp)
    except OSError:
        return
