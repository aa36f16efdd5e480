"""The journal on a PostgreSQL server: its connection, its lock, and what can go wrong on the way.

All that is PostgreSQL's own is here. Every study has a schema ``surefoot_NAME`` of its own in the
database, with the tables that a file has; a comment on the schema says which format they are of.

The session that writes holds an advisory lock, which ends with it, so that whatever it commits it
commits as the only writer. A connection that was lost is made again, and takes the lock again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from surefoot.errors import JournalError, nearest, require
from surefoot.journal.store import FORMAT, Store
from surefoot.places import Place, without_passwords

Made = TypeVar("Made")

PREFIX = "surefoot_"
"""What the names of the schemas of journals begin with."""
PATIENCE, READERS_PATIENCE = 600.0, 5.0
"""Seconds that a journal waits for its server to come back, to be written and to be read."""
PAUSE, LONGEST_PAUSE = 0.1, 10.0
"""Seconds between the first two attempts to connect again, which double up to the longest."""

_SIGNATURE = "surefoot journal, format "
_HOLDER = re.compile(r"surefoot (\S+) pid (\d+) since (\S+)")
_CAUSES = (
    ("53100", "cannot be written, the server's disk is full: what is recorded is kept"),
    ("42501", "needs a right that you lack ({cause}): ask the database's owner for it"),
    ("25006", "is on a server that can only be read (a standby): give the one that writes"),
    ("22021", "cannot hold the character NUL, which PostgreSQL's texts do not have"),
    ("42P01", "is not a whole journal: {cause}"),
)
_DIALLING = {
    "connect_timeout": "10",
    "client_encoding": "UTF8",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""How a connection is made unless the URL says otherwise."""
_SETTINGS = """
    SELECT set_config('search_path', %s, false),
           set_config('tcp_keepalives_idle', '30', false),
           set_config('tcp_keepalives_interval', '10', false),
           set_config('tcp_keepalives_count', '3', false),
           set_config('synchronous_commit', CASE current_setting('synchronous_commit')
               WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)
"""
"""So that the server notices within a minute that a client is gone, and a commit means the disk."""
_STUDIES = sa.text(f"""
    SELECT nspname, obj_description(oid, 'pg_namespace') FROM pg_catalog.pg_namespace
    WHERE left(nspname, {len(PREFIX)}) = '{PREFIX}' ORDER BY nspname
""")
_HOLDERS = sa.text("""
    SELECT (l.classid::bigint << 32) | l.objid::bigint, l.pid, a.application_name
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND l.database =
        (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
""")
_logger = logging.getLogger("surefoot")
logging.getLogger("psycopg").addFilter(lambda record: "ignored" not in record.msg)
"""What is told of a lost connection, surefoot tells."""


class JournalServer(Store):
    """A study's tables on a server: open, and locked to write.

    Raises `JournalError` if the server cannot be reached, another session writes to the journal, it
    is of another kind or, to be read, is not there; `MissingExtraError` without psycopg.
    """

    patience, readers_patience = PATIENCE, READERS_PATIENCE

    def __init__(self, place: Place, *, writable: bool) -> None:
        self.place, self.writable = place.named(), writable
        self.name = f"the journal {place}"
        self._session = f"{_process()} since {datetime.now(UTC):%Y-%m-%dT%H:%MZ}"
        self._engine = _engine(place, self._session)
        self._connection: sa.Connection | None = None
        self._closed = False
        try:
            with _reported(self.name, "opened" if writable else "read"):
                connection = self._connect()
                if writable and not self._locks(connection):
                    holder = writers(connection).get(lock_of(place.study))
                    who = f" ({holder})" if holder else ""
                    raise JournalError(
                        f"{self.name} is in use by another surefoot{who}; wait for it or give "
                        "another journal"
                    )
            self.run("opened" if writable else "read", self._check_kind)
        except BaseException:
            self.close()
            raise

    def run(
        self,
        doing: str,
        work: Callable[[sa.Connection], Made],
        landed: Callable[[sa.Connection, Made | None], bool] = lambda connection, made: False,
    ) -> Made:
        """Return what ``work`` makes of the connection; wait for the server where that is lost."""
        if self._closed:
            raise JournalError(f"{self.name} is closed: open it again")
        made: Any = None
        lost = self._connection is None
        with _reported(self.name, doing):
            connection = self._connection or self._reconnect("it was lost before")
            while True:
                try:
                    with connection.begin():
                        if not (lost and landed(connection, made)):
                            made = work(connection)
                except sa.exc.DBAPIError as error:
                    if not error.connection_invalidated:
                        raise
                    connection, lost = self._reconnect(_said(error)), True
                else:
                    result: Made = made
                    return result

    def is_new(self, connection: sa.Connection) -> bool:
        """Say whether the study has no schema yet."""
        return self.place.study not in studies(connection)

    def sign(self, connection: sa.Connection) -> None:
        """Make the study's schema and sign it; within a transaction."""
        schema = _quoted(self.place.study)
        connection.execute(sa.text(f"CREATE SCHEMA {schema}"))
        connection.execute(sa.text(f"COMMENT ON SCHEMA {schema} IS '{_SIGNATURE}{FORMAT}'"))

    def close(self) -> None:
        """End the session, and with it the lock."""
        self.writable, self._closed = False, True
        self._hang_up()

    def _connect(self) -> sa.Connection:
        self._hang_up()
        made = self._engine.connect()
        self._connection = made
        if not self.writable:
            self._connection = made.execution_options(postgresql_readonly=True)
        return self._connection

    def _hang_up(self) -> None:
        if self._connection is not None:
            with suppress(sa.exc.SQLAlchemyError):
                self._connection.close()
            self._connection = None

    def _locks(self, connection: sa.Connection) -> bool:
        """Make this session the journal's only writer, if there is none."""
        query = sa.text("SELECT pg_try_advisory_lock(:key)")
        with connection.begin():
            key = int.from_bytes(lock_of(self.place.study).to_bytes(8), signed=True)
            return bool(connection.execute(query, {"key": key}).scalar())

    def _reconnect(self, cause: str) -> sa.Connection:
        """Return a new connection, with the lock, as soon as the server gives one.

        A session of ours that the server has not yet noticed to be lost is ended.
        """
        patience = self.patience if self.writable else self.readers_patience
        end, pause, told = time.monotonic() + patience, PAUSE, False
        while True:
            try:
                connection = self._connect()
                if not self.writable or self._locks(connection):
                    if told:
                        _logger.warning("%s is there again: going on", self.name)
                    return connection
                self._end_lost_session(connection)
            except sa.exc.DBAPIError as error:
                cause = _said(error)
            except BaseException:
                self._hang_up()
                raise
            if time.monotonic() + pause > end:
                self._hang_up()
                raise JournalError(
                    f"{self.name} could not be reached for {patience:g} s ({cause}): what is "
                    "recorded is kept; run the same command again once the server is back"
                )
            if pause > 1.0 and not told:
                told = True
                _logger.warning(
                    "%s cannot be reached (%s): waiting up to %g s for the server, what is "
                    "trained meanwhile is kept in memory",
                    self.name,
                    cause,
                    patience,
                )
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _end_lost_session(self, connection: sa.Connection) -> None:
        """End the session that holds the lock if it is one of ours; else raise `JournalError`."""
        with connection.begin():
            for key, process, session in connection.execute(_HOLDERS):
                if key % 2**64 != lock_of(self.place.study):
                    continue
                if session != self._session:
                    who = _writer(session)
                    raise JournalError(
                        f"{self.name} was taken over by another surefoot"
                        f"{f' ({who})' if who else ''} while the connection to it was lost: what "
                        "is recorded is kept; run the same command again when that has ended"
                    )
                connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": process})

    def _check_kind(self, connection: sa.Connection) -> None:
        known = studies(connection)
        if self.writable and self.place.study not in known:
            return
        if self.place.study not in known:
            there = [name for name, signature in known.items() if signature is not None]
            hint = nearest(self.place.study, there) if there else "it holds none"
            raise JournalError(f"there is no journal {self.place} in the database: {hint}")
        self.format = known[self.place.study] or 0
        if not self.format:
            raise JournalError(
                f"{self.place} is not a surefoot journal (its schema {_quoted(self.place.study)} "
                "is of something else): give another study"
            )
        may = sa.text("SELECT has_schema_privilege(:schema, 'USAGE')")
        if not connection.execute(may, {"schema": f"{PREFIX}{self.place.study}"}).scalar():
            raise JournalError(f"{self.name} is another user's: ask its owner to let you read it")
        if self.format != FORMAT:
            raise JournalError(
                f"{self.name} has format {self.format}, but this surefoot reads format {FORMAT}: "
                "use the version that wrote it"
            )


class Writer(NamedTuple):
    """Who writes to a journal: the machine, the process there, and since when (UTC)."""

    host: str
    process: int
    since: str

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, since {self.since}"


def studies(connection: sa.Connection) -> dict[str, int | None]:
    """Return the format of every study in a database by name; None for a schema of another kind."""
    return {
        name.removeprefix(PREFIX): int(signature.removeprefix(_SIGNATURE))
        if re.fullmatch(rf"{_SIGNATURE}\d+", signature or "")
        else None
        for name, signature in connection.execute(_STUDIES)
    }


def writers(connection: sa.Connection) -> dict[int, Writer | None]:
    """Return who holds the locks in a database, by `lock_of` their studies; None for a stranger."""
    return {key % 2**64: _writer(name) for key, _, name in connection.execute(_HOLDERS)}


def journals_of(place: Place) -> list[tuple[Place, bool]]:
    """Return the journals in a database by name, and whether somebody writes to each.

    Raises `JournalError` if the server cannot be reached; `MissingExtraError` without psycopg.
    """
    with (
        _reported(f"the database {place}", "read"),
        closing(_engine(place, _process()).connect()) as connection,
        connection.begin(),
    ):
        busy = writers(connection)
        known = [name for name, signature in studies(connection).items() if signature is not None]
        return [(place.of_study(name), lock_of(name) in busy) for name in known]


def lock_of(study: str) -> int:
    """Return the key of a study's advisory lock, 0 … 2⁶⁴ − 1."""
    return int.from_bytes(hashlib.sha256(f"{PREFIX}{study}".encode()).digest()[:8])


def _process() -> str:
    """Return what sessions of this process are called; PostgreSQL keeps 63 characters of it."""
    return f"surefoot {socket.gethostname().partition('.')[0][:18] or '?'} pid {os.getpid()}"


def _writer(session: str) -> Writer | None:
    found = _HOLDER.fullmatch(session)
    return None if found is None else Writer(found[1], int(found[2]), found[3])


def _quoted(study: str) -> str:
    return f'"{PREFIX}{study}"'


def _engine(place: Place, session: str) -> sa.Engine:
    """Return what connects to a place's database; the password stays within."""
    psycopg = require("psycopg", extra="postgres")

    def dial() -> Any:
        given = psycopg.conninfo.conninfo_to_dict(place.url)
        settings = {name: value for name, value in _DIALLING.items() if name not in given}
        settings |= {"application_name": session, **place.secrets}
        made = psycopg.connect(place.url, autocommit=True, **settings)
        made.execute(_SETTINGS, (_quoted(place.study) if place.study else "pg_catalog",))
        made.autocommit = False
        return made

    return sa.create_engine(
        "postgresql+psycopg://",
        creator=dial,
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
    )


@contextmanager
def _reported(name: str, doing: str) -> Iterator[None]:
    """Turn an error of PostgreSQL into a `JournalError` that says what is wrong."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        cause, state = _said(error), getattr(error.orig, "sqlstate", None)
        for code, sentence in _CAUSES:
            if state == code:
                raise JournalError(f"{name} {sentence.format(cause=cause)}") from None
        raise JournalError(f"{name} cannot be {doing}: {cause}") from None


def _said(error: sa.exc.DBAPIError) -> str:
    """Return what PostgreSQL said, in one line."""
    return without_passwords(" ".join(str(error.orig).split())) or "the connection was lost"
