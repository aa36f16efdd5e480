"""Files that are written: where they may be, and how one is replaced whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from surefoot.errors import ExportError, SurefootError


def check_target(file: Path, suffixes: Collection[str], what: str = "") -> None:
    """Raise `ExportError` unless the name of a file to write has a suffix known and a folder."""
    if file.suffix.lower() not in suffixes:
        raise ExportError(
            f"{what}'{file}' has the suffix {file.suffix or '(none)'!r}: use one of "
            + ", ".join(suffixes)
        )
    check_folder(file, what)


def check_folder(file: Path, what: str = "") -> None:
    """Raise `ExportError` unless the folder of a file to write exists."""
    folder = file.parent
    if not folder.is_dir():
        raise ExportError(f"{what}'{file}' cannot be written: make the folder '{folder}' first")


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
