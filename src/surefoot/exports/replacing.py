"""A file that is written beside its place first, so that it is replaced whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from surefoot.errors import ExportError


@contextmanager
def replaced(file: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the place of ``file`` if all goes well.

    Raises `ExportError` if it cannot be written.
    """
    part = file.with_name(f".{file.name}.part")
    try:
        yield part
        part.replace(file)
    except OSError as error:
        raise ExportError(f"{file} cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)
