"""The journal's file: SQLite opened on it, its lock, and what can go wrong with a disk.

All that is SQLite's own is here; everything else of the journal is SQL of any dialect.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from surefoot.errors import JournalError
from surefoot.journal.mounts import network_file_system
from surefoot.journal.store import FORMAT, Store
from surefoot.places import MEMORY, Place

Made = TypeVar("Made")

APPLICATION = 0x53464A31
"""SQLite's ``application_id`` of a journal: the letters SFJ1."""

_logger = logging.getLogger("surefoot")
_held: set[Path] = set()
"""The journals that this process writes to."""

_CAUSES = (
    ("not a database", "is not a surefoot journal (not even an SQLite file): give another path"),
    ("malformed", "is truncated or damaged: restore it from a copy"),
    ("locked", "is locked by another process: wait for it or give another journal"),
    ("readonly", "is read-only: make it writable or give another"),
    ("full", "cannot be written, the disk is full: what is recorded is kept, run again with space"),
    ("disk i/o", "cannot be written, the disk is full or failing: what is recorded is kept"),
)


class JournalFile(Store):
    """A journal's file or, where ``path`` is None, a journal in memory: open, and locked to write.

    SQLite's ``user_version`` is its format. Raises `JournalError` for a file of another kind,
    before anything in it is changed, and for one that another process writes to or that cannot be
    opened.
    """

    def __init__(self, path: Path | None, *, writable: bool) -> None:
        self.path, self.place, self.writable = path, Place(path), writable
        self.name = "the journal in memory" if path is None else f"the journal {path}"
        with ExitStack() as closing:
            if path is not None and writable:
                _lock(path, self.name, closing)
                if network := network_file_system(path):
                    _logger.warning(
                        "%s is on a network file system (%s), where SQLite's locks may fail and "
                        "damage it: keep it on a local disk, or on a server (postgresql://…)",
                        self.name,
                        network,
                    )
            with self._reported("opened" if writable else "read"):
                self._connection = self._connect(closing)
            self._closing = closing.pop_all()

    def run(
        self,
        doing: str,
        work: Callable[[sa.Connection], Made],
        landed: Callable[[sa.Connection, Made | None], bool] = lambda connection, made: False,
    ) -> Made:
        """Return what ``work`` makes of the connection; a file's is never lost."""
        with self._reported(doing), self._connection.begin():
            return work(self._connection)

    def is_new(self, connection: sa.Connection) -> bool:
        """Say whether the file holds no table at all."""
        return connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0

    def sign(self, connection: sa.Connection) -> None:
        """Sign the file as a journal of the present format; within a transaction."""
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
        connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT}")
        self.format = FORMAT

    def close(self) -> None:
        """Close SQLite, which folds its log into the file, and let go of the lock."""
        self._closing.close()
        self.writable = False

    def _connect(self, closing: ExitStack) -> sa.Connection:
        database, options = MEMORY, {}
        if self.path is not None:
            database, options = f"file:{quote(str(self.path))}", {"uri": "true"}
            options |= {"mode": "rwc"} if self.writable else _reading(self.path)
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=database, query=options),
            connect_args={"timeout": 5.0, "isolation_level": None, "check_same_thread": False},
            poolclass=StaticPool,
        )
        sa.event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN"))
        closing.callback(engine.dispose)
        connection = closing.enter_context(engine.connect())
        with connection.begin():
            if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
                raise JournalError(f"{self.name} is truncated or damaged: restore it")
            if not (self.writable and self.is_new(connection)):
                self._check_kind(connection)
        settings = connection.connection.cursor()
        if self.writable:
            settings.execute("PRAGMA journal_mode = WAL")
            settings.execute("PRAGMA synchronous = FULL")
        else:
            settings.execute("PRAGMA query_only = ON")
        settings.close()
        return connection

    def _check_kind(self, connection: sa.Connection) -> None:
        if connection.exec_driver_sql("PRAGMA application_id").scalar() != APPLICATION:
            raise JournalError(
                f"{self.path} is not a surefoot journal (an SQLite file of something else, or "
                "empty): give another path"
            )
        self.format = int(connection.exec_driver_sql("PRAGMA user_version").scalar() or 0)
        if not 1 <= self.format <= FORMAT:
            raise JournalError(
                f"{self.name} has format {self.format}, but this surefoot reads formats 1 to "
                f"{FORMAT}: use the version that wrote it"
            )
        if self.format == 1 and sa.inspect(connection).has_table("chain"):
            raise JournalError(f"{self.name} is damaged: it has digests, but an older format")

    @contextmanager
    def _reported(self, doing: str) -> Iterator[None]:
        """Turn an error of SQLite into a `JournalError` that says what is wrong."""
        try:
            yield
        except UnicodeDecodeError:
            raise JournalError(f"{self.name} is damaged: restore it from a copy") from None
        except (sa.exc.DBAPIError, sqlite3.Error) as error:
            cause = str(error.orig if isinstance(error, sa.exc.DBAPIError) else error)
            for words, sentence in _CAUSES:
                if words in cause.lower():
                    raise JournalError(f"{self.name} {sentence}") from None
            raise JournalError(f"{self.name} cannot be {doing}: {cause}") from error


def journals_in(folder: Path) -> list[tuple[Place, bool]]:
    """Return the journals in a folder by name, and whether a process here writes to each."""
    found = [file for file in sorted(folder.iterdir()) if file.is_file() and is_journal(file)]
    return [(Place(file), _is_written(file)) for file in found]


def is_journal(file: Path) -> bool:
    """Say whether a file is a journal.

    It is opened and closed, which drops the locks that this process holds on it by SQLite (POSIX):
    ask before a journal is opened.
    """
    if file.absolute().resolve() in _held:
        return True
    try:
        with file.open("rb") as stream:
            head = stream.read(72)
    except OSError:
        return False
    if head.startswith(b"SQLite format 3\0") and head[68:72] == APPLICATION.to_bytes(4):
        return True
    if not file.with_name(f"{file.name}-wal").exists():
        return False
    try:  # all that was written to it may still be in SQLite's log
        JournalFile(file, writable=False).close()
    except JournalError:
        return False
    return True


def _is_written(file: Path) -> bool:
    """Say whether a process of this machine holds a file's lock; it is not touched to find out."""
    if file.absolute().resolve() in _held:
        return True
    about = file.stat()
    place = f"{os.major(about.st_dev):02x}:{os.minor(about.st_dev):02x}:{about.st_ino}"
    with suppress(OSError):
        return any(
            words[1] == "FLOCK" and place in words
            for words in map(str.split, Path("/proc/locks").read_text().splitlines())
        )
    return False


def _reading(file: Path) -> dict[str, str]:
    """Return how to open a file for reading.

    Where possible as a writer would, since only such a connection clears SQLite's log away when it
    closes; in a directory that cannot be written, without a log.
    """
    if os.access(file, os.W_OK) and os.access(file.parent, os.W_OK):
        return {"mode": "rw"}
    log = file.with_name(file.name + "-wal")
    logged = log.exists() or os.access(file.parent, os.W_OK)
    return {"mode": "ro"} if logged else {"immutable": "1"}


def _lock(file: Path, name: str, closing: ExitStack) -> None:
    """Make this process a journal's only writer until closing; the kernel ends it when it dies.

    The journals this process holds are asked first: opening and closing one again would silently
    drop the locks SQLite holds on it (POSIX). SQLite must close the file before.
    """
    taken = f"{name} is in use by another surefoot; wait for it or give another journal"
    if file in _held:
        raise JournalError(taken)
    if not file.parent.is_dir():
        raise JournalError(f"{name} cannot be made: there is no directory {file.parent}")
    if file.exists() and not file.stat().st_mode & 0o222:
        raise JournalError(f"{name} is read-only: make it writable or give another")
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise JournalError(f"{name} cannot be opened: {error.strerror}") from None
    closing.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise JournalError(taken) from None
    _held.add(file)
    closing.callback(_held.discard, file)
