"""A file that is written beside its place first, so that it is replaced whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from surefoot.errors import SurefootError


@contextmanager
def replaced(file: Path, error: type[SurefootError]) -> Iterator[Path]:
    """Give a path to write to, which takes the place of ``file`` if all goes well.

    It has the suffix of ``file``. Raises ``error`` if it cannot be written.
    """
    part = file.with_name(f".{file.stem}.{os.getpid()}.part{file.suffix}")
    try:
        try:
            part.touch()
            yield part
            part.replace(file)
        except OSError as cause:
            raise error(f"{file} cannot be written: {cause.strerror or cause}") from cause
    finally:
        part.unlink(missing_ok=True)
