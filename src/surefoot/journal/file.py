"""The journal's file: opening SQLite on it, its lock, and what can go wrong with a disk."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from surefoot.errors import JournalError
from surefoot.journal.descriptions import canonical, fingerprint
from surefoot.journal.schema import (
    APPLICATION,
    FORMAT,
    STUDY,
    create_tables,
    now,
)

MEMORY = ":memory:"
"""Path of a journal that lives in memory only and is lost when closed."""


def name_of(file: Path | None) -> str:
    """Return how messages call the journal."""
    return "the journal in memory" if file is None else f"the journal {file}"


def connect_file(file: Path | None, *, writable: bool) -> sa.Connection:
    """Open SQLite on a journal or an empty file; ``None`` is in memory.

    Raises `JournalError` for a file of another kind, before anything in it is changed.
    """

    def raw() -> sqlite3.Connection:
        if file is None:
            return sqlite3.connect(MEMORY, isolation_level=None, check_same_thread=False)
        uri = f"file:{quote(str(file))}?{'mode=rwc' if writable else _reading(file)}"
        return sqlite3.connect(
            uri, uri=True, timeout=5.0, isolation_level=None, check_same_thread=False
        )

    engine = sa.create_engine("sqlite://", creator=raw, poolclass=StaticPool)
    sa.event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN"))
    try:
        connection = engine.connect()
        with connection.begin():
            if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
                raise JournalError(f"{name_of(file)} is truncated or damaged: restore it")
            if not (writable and is_empty(connection)):
                _check_kind(connection, file)
        settings = connection.connection.cursor()
        if writable:
            settings.execute("PRAGMA journal_mode = WAL")
            settings.execute("PRAGMA synchronous = FULL")
        else:
            settings.execute("PRAGMA query_only = ON")
        settings.close()
    except BaseException:
        engine.dispose()
        raise
    return connection


def close_file(connection: sa.Connection) -> None:
    """Close SQLite, which folds its log into the file."""
    connection.close()
    connection.engine.dispose()


def _reading(file: Path) -> str:
    """Return how to open a file for reading.

    Where possible as a writer would, since only such a connection clears SQLite's log away when it
    closes; in a directory that cannot be written, without a log.
    """
    if os.access(file, os.W_OK) and os.access(file.parent, os.W_OK):
        return "mode=rw"
    log = file.with_name(file.name + "-wal")
    return "mode=ro" if log.exists() or os.access(file.parent, os.W_OK) else "immutable=1"


def create(connection: sa.Connection, study: Mapping[str, Any]) -> None:
    """Make an empty file the journal of a study, within the caller's transaction."""
    text = canonical(study)
    create_tables(connection)
    connection.execute(
        STUDY.insert(),
        {
            "id": 1,
            "fingerprint": fingerprint(text),
            "description": text,
            "version": version("surefoot"),
            "created": now(),
        },
    )


def is_empty(connection: sa.Connection) -> bool:
    """Say whether the file holds no table at all."""
    return connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0


def _check_kind(connection: sa.Connection, file: Path | None) -> None:
    """Raise `JournalError` unless the SQLite file is a journal this version can read."""
    if connection.exec_driver_sql("PRAGMA application_id").scalar() != APPLICATION:
        raise JournalError(
            f"{file} is not a surefoot journal (an SQLite file of something else, or empty): "
            "give another path"
        )
    version = connection.exec_driver_sql("PRAGMA user_version").scalar()
    if version != FORMAT:
        raise JournalError(
            f"{name_of(file)} has format {version}, but this surefoot reads format {FORMAT}: "
            "use the version that wrote it"
        )


class FileLock:
    """The lock of a journal's only writer; the kernel releases it when the process dies.

    The journals this process holds are asked first: opening and closing one again would silently
    drop the locks SQLite holds on it (POSIX).
    """

    _held: ClassVar[set[Path]] = set()

    def __init__(self, file: Path) -> None:
        taken = (
            f"{name_of(file)} is in use by another surefoot; wait for it or give another journal"
        )
        if file in self._held:
            raise JournalError(taken)
        if not file.parent.is_dir():
            raise JournalError(
                f"{name_of(file)} cannot be made: there is no directory {file.parent}"
            )
        if file.exists() and not file.stat().st_mode & 0o222:
            raise JournalError(f"{name_of(file)} is read-only: make it writable or give another")
        try:
            self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise JournalError(f"{name_of(file)} cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise JournalError(taken) from None
        self._file = file
        self._held.add(file)

    def release(self) -> None:
        """Let go of the lock; SQLite must have closed the file before."""
        if self._file in self._held:
            self._held.discard(self._file)
            os.close(self._descriptor)


_CAUSES = (
    ("not a database", "is not a surefoot journal (not even an SQLite file): give another path"),
    ("malformed", "is truncated or damaged: restore it from a copy"),
    ("locked", "is locked by another process: wait for it or give another journal"),
    ("readonly", "is read-only: make it writable or give another"),
    ("full", "cannot be written, the disk is full: what is recorded is kept, run again with space"),
    ("disk i/o", "cannot be written, the disk is full or failing: what is recorded is kept"),
)


@contextmanager
def reported(file: Path | None, doing: str) -> Iterator[None]:
    """Turn an error of SQLite into a `JournalError` that says what is wrong."""
    try:
        yield
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        cause = str(error.orig if isinstance(error, sa.exc.DBAPIError) else error)
        for words, sentence in _CAUSES:
            if words in cause.lower():
                raise JournalError(f"{name_of(file)} {sentence}") from None
        raise JournalError(f"{name_of(file)} cannot be {doing}: {cause}") from error
