"""A journal copied from one place to another, row by row, digests included."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from surefoot.errors import JournalError
from surefoot.journal.chain import Chain, Verified, verified
from surefoot.journal.journal import Journal
from surefoot.journal.lookup import open_store
from surefoot.journal.schema import CHAIN, TABLES
from surefoot.journal.store import Store
from surefoot.places import Place
from surefoot.replacing import check_folder

PIECE = 1000
"""Rows read at once."""


def copy(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> Verified:
    """Copy a journal, between files and servers in any direction, and check the copy.

    The source may be written to meanwhile: what was recorded when this began is copied. The copy
    has the source's digest. It is there whole or not at all.

    Parameters
    ----------
    source, target
        Files, or studies on a server, ``postgresql://user@host/database?study=NAME``.

    Raises
    ------
    JournalError
        If the source is missing or damaged, the target exists or cannot be written.
    """
    here, there = Place.of(source), Place.of(target)
    if there == Place():
        raise JournalError("a copy in memory would be lost at once: give a file or a server")
    with Journal.read(here) as journal:
        if not journal.chain.length:
            raise JournalError(
                f"the journal {here} is of an older format, without digests by which to check a "
                "copy: copy its file, or let a study go on with it first"
            )
        if there.file is None:
            _fill(there, there, journal)
        else:
            _fill_file(there.file, journal)
        return Verified(there, journal.chain.last, journal.chain.digest.hex())


def _fill_file(file: Path, journal: Journal) -> None:
    """Copy into a file beside its place, which then gets its name unless that is taken."""
    if file.exists():
        raise _exists(Place(file))
    check_folder(file, "journal ")
    part = file.with_name(f".{file.stem}.{os.getpid()}.part{file.suffix}")
    try:
        _fill(Place(part), Place(file), journal)
        try:
            os.link(part, file)
        except FileExistsError:
            raise _exists(Place(file)) from None
        except OSError as error:
            raise JournalError(f"the journal {file} cannot be written: {error.strerror}") from None
    finally:
        for left in (part, Path(f"{part}-wal"), Path(f"{part}-shm")):
            left.unlink(missing_ok=True)


def _fill(place: Place, name: Place, journal: Journal) -> None:
    """Write all rows of a journal to a new place, in one transaction, and check them."""
    target, source, chain = open_store(place, writable=True), journal.store, journal.chain

    def write(connection: sa.Connection) -> None:
        if not target.is_new(connection):
            raise _exists(name)
        target.sign(connection)
        TABLES.create_all(connection)
        for table in TABLES.sorted_tables:
            for rows in _pieces(source, table, chain):
                connection.execute(table.insert(), rows)
        if verified(connection, f"the copy of {journal.place}") != chain:
            raise JournalError(f"{journal.place} was extended while it was copied: copy it again")

    try:
        target.run("written", write)
    finally:
        target.close()


def _pieces(source: Store, table: sa.Table, chain: Chain) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a table that the chain covers, some at a time."""
    rows = sa.select(sa.text("*")).select_from(table).order_by(table.c.id).limit(PIECE)
    last = chain.length if table is CHAIN else chain.last.get(table.name, 0)
    after = 0
    while after < last:
        piece = rows.where(table.c.id > after, table.c.id <= last)
        found = source.run("read", partial(_found, piece))
        if not found:
            return
        yield found
        after = found[-1]["id"]


def _found(query: sa.Select[Any], connection: sa.Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _exists(place: Place) -> JournalError:
    return JournalError(f"the journal {place} exists: copy to another name, or remove it first")
