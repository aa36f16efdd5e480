"""Files that are written: where they may be, what they may replace, and how: whole or not at all.

A file in the way is replaced if surefoot wrote it, which `MARK` in it tells, and else only where
that is asked for (`overwriting`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from surefoot.errors import ExportError, SurefootError

MARK = "written by surefoot"
"""What every file of surefoot's says of itself near its beginning or its end."""
_LOOKED_AT = 1 << 16
"""Bytes at either end of a file among which the mark is looked for."""
_overwrite: ContextVar[bool] = ContextVar("overwrite", default=False)


@contextmanager
def overwriting(wanted: bool = True) -> Iterator[None]:
    """Let files be replaced meanwhile that surefoot did not write, if that is wanted."""
    before = _overwrite.set(wanted or _overwrite.get())
    try:
        yield
    finally:
        _overwrite.reset(before)


def may_overwrite() -> bool:
    """Return whether what surefoot did not write may be replaced."""
    return _overwrite.get()


def check_target(
    file: Path, suffixes: Collection[str], what: str = "", heads: Collection[bytes] = ()
) -> None:
    """Raise `ExportError` unless a file may be written: its suffix, its folder, what is there.

    ``heads`` are beginnings by which, besides the mark, surefoot knows its own.
    """
    if file.suffix.lower() not in suffixes:
        raise ExportError(
            f"{what}'{file}' has the suffix {file.suffix or '(none)'!r}: use one of "
            + ", ".join(suffixes)
        )
    check_folder(file, what)
    check_replaceable(file, what, heads)


def check_folder(file: Path, what: str = "") -> None:
    """Raise `ExportError` unless the folder of a file to write exists."""
    folder = file.parent
    if not folder.is_dir():
        raise ExportError(f"{what}'{file}' cannot be written: make the folder '{folder}' first")


def check_replaceable(file: Path, what: str = "", heads: Collection[bytes] = ()) -> None:
    """Raise `ExportError` if a file is in the way that is read-only or that surefoot did not write.

    An empty file is in nobody's way.
    """
    if not file.is_file():
        return
    if not file.stat().st_mode & 0o222:
        raise ExportError(f"{what}'{file}' is read-only: make it writable or give another name")
    if not may_overwrite() and not _is_ours(file, heads):
        raise ExportError(
            f"{what}'{file}' exists and surefoot did not write it: give another name, or replace "
            "it with --overwrite (in Python overwrite=True)"
        )


def _is_ours(file: Path, heads: Collection[bytes]) -> bool:
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            begin = stream.read(_LOOKED_AT)
            stream.seek(max(0, size - _LOOKED_AT))
            end = stream.read(_LOOKED_AT)
    except OSError as error:
        raise ExportError(f"'{file}' cannot be replaced: {error.strerror or error}") from None
    mark = MARK.encode()
    return not size or mark in begin or mark in end or begin.startswith(tuple(heads))


@contextmanager
def replaced(file: Path, error: type[SurefootError]) -> Iterator[Path]:
    """Give a path to write to, which takes the place of ``file`` if all goes well.

    It has the suffix of ``file``, and is on the disk before it takes its place. Raises ``error`` if
    it cannot be written.
    """
    part = file.with_name(f".{file.stem}.{os.getpid()}.part{file.suffix}")
    try:
        try:
            part.touch()
            yield part
            with part.open("rb+") as written:
                os.fsync(written.fileno())
            part.replace(file)
        except OSError as cause:
            raise error(f"{file} cannot be written: {cause.strerror or cause}") from cause
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def made_folder(folder: Path, error: type[SurefootError]) -> Iterator[Path]:
    """Give a folder to write to, which becomes ``folder`` if all goes well.

    That is not there yet, or is empty. Raises ``error`` if it cannot be written; then nothing of it
    stays.
    """
    part = folder.absolute().with_name(f".{folder.absolute().name}.{os.getpid()}.part")
    try:
        try:
            part.mkdir(parents=True)
            yield part
            for file in part.iterdir():
                with file.open("rb+") as written:
                    os.fsync(written.fileno())
            if folder.is_dir():
                folder.rmdir()
            part.replace(folder)
        except OSError as cause:
            raise error(f"{folder} cannot be written: {cause.strerror or cause}") from cause
    finally:
        shutil.rmtree(part, ignore_errors=True)
