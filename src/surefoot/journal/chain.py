"""The chain of digests along a journal: whether its rows still are those that were written.

Every row has an entry in the table `CHAIN`, in the order of writing, whose digest covers the row
and, through the digest before it, everything written earlier::

    digest = SHA-256(digest before || name of the table || row)

A row is encoded as the repr of its values, in which a float keeps every bit, followed by its
binary values; empty columns at its end count for nothing, so that a column may be added later.
A study that was extended has one entry per description it had. The chain guards against accidents
and edits. It is no signature: whoever changes a file on purpose can write a new chain, but not one
that ends in the same digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from surefoot.errors import JournalError
from surefoot.journal.schema import (
    CANDIDATES,
    CHAIN,
    EXTENSIONS,
    NOTES,
    OUTCOMES,
    PARTIALS,
    STUDY,
    is_there,
)
from surefoot.places import Place
from surefoot.showing import Shown

_SEALED = (STUDY, CANDIDATES, EXTENSIONS, NOTES, OUTCOMES, PARTIALS)
_AFTER = {
    table.name: sa.select(sa.text("*"))
    .select_from(table)
    .where(table.c.id > sa.bindparam("after"))
    .order_by(table.c.id)
    .limit(sa.bindparam("piece"))
    for table in (*_SEALED, CHAIN)
}
"""Queries of the next rows after one, with all the columns that the journal has."""
PIECE = 5000
"""Rows read at once, so that a journal of any size fits into memory."""


@dataclass
class Chain:
    """How far the chain goes: its ``length``, its last ``digest``, the last row of each table."""

    length: int = 0
    digest: bytes = b""
    last: dict[str, int] = field(default_factory=lambda: {table.name: 0 for table in _SEALED})


@dataclass(frozen=True, repr=False)
class Verified(Shown):
    """A journal whose every row is the one that was written.

    ``rows`` are their numbers by table, ``digest`` the hexadecimal end of the chain, which covers
    them all: noted elsewhere, it tells this journal from any other. It is empty for a journal of
    format 1, which has no digests.
    """

    journal: Place
    rows: dict[str, int]
    digest: str

    def __str__(self) -> str:
        if not self.digest:
            return (
                f"{self.journal}: of an older format, without digests: whether it was changed "
                "cannot be told; it gets them when a study goes on with it"
            )
        rows = ", ".join(f"{count:,} {table}" for table, count in self.rows.items() if count)
        return (
            f"{self.journal}: as it was written ({rows}); digest {self.digest}\n"
            "The digests guard against accidents and edits; they are no signature."
        )


def seal(connection: sa.Connection, chain: Chain, *tables: sa.Table) -> Chain:
    """Append the rows that the chain lacks (of ``tables``, else of all); return the longer chain.

    Within the transaction that wrote them.
    """
    length, digest, last, entries = chain.length, chain.digest, dict(chain.last), []
    for table in tables or _SEALED:
        for row in _rows(connection, table, after=last[table.name]):
            length, digest, last[table.name] = length + 1, _next(digest, table.name, row), row[0]
            entries.append({"id": length, "part": table.name, "row": row[0], "digest": digest})
    if entries:
        connection.execute(CHAIN.insert(), entries)
    return Chain(length, digest, last)


def ends_in(connection: sa.Connection, chain: Chain) -> bool:
    """Say whether the chain recorded is this one, by its length and its last digest."""
    last = sa.select(CHAIN.c.id, CHAIN.c.digest).order_by(CHAIN.c.id.desc()).limit(1)
    return [tuple(row) for row in connection.execute(last)] == [(chain.length, chain.digest)]


def verified(connection: sa.Connection, name: str, known: Chain | None = None) -> Chain:
    """Return the chain of the journal that messages call ``name``.

    ``known`` is how far it was verified before; only what was written since is read then. Raises
    `JournalError` with the place if a row is not the one that was written, or is missing, moved or
    added.
    """
    known = known or Chain()

    def broken(part: str, number: int, what: str) -> JournalError:
        where = f"row {number} of its table {part!r}"
        if part == OUTCOMES.name:
            columns = (OUTCOMES.c.instance, CANDIDATES.c.label, CANDIDATES.c.key)
            query = sa.select(*columns).join_from(OUTCOMES, CANDIDATES)
            found = connection.execute(query.where(OUTCOMES.c.id == number))
            for instance, label, key in found:
                where += f" (instance {instance} of {label}, {key})"
        changed = f"{name} was changed after it was written"
        return JournalError(f"{changed}: {where} {what}; restore it from a copy")

    chain = Chain(known.length, known.digest, dict(known.last))
    rows = {table.name: _rows(connection, table, after=known.last[table.name]) for table in _SEALED}
    entries = _rows(connection, CHAIN, after=known.length)
    for place, (entry, part, number, digest) in enumerate(entries, start=known.length + 1):
        row = next(rows.get(part, iter(())), None)
        if entry != place:
            raise broken(CHAIN.name, place, "is missing")
        if row is None or row[0] != number:
            raise broken(part, number, "is missing")
        chain.length, chain.digest = place, _next(chain.digest, part, row)
        chain.last[part] = number
        if chain.digest != digest:
            raise broken(part, number, "is not the one that was written")
    for part, last in _last(connection).items():
        if last > chain.last[part]:
            row = next(rows[part], (last,))
            raise broken(part, row[0], "was not written by surefoot")
    return chain


def _last(connection: sa.Connection) -> dict[str, int]:
    """Return the number of each table's last row."""
    tables = [table for table in _SEALED if _is_read(connection, table)]
    # The study's descriptions are those before it was extended, and the present one.
    numbers = {one.name: EXTENSIONS if one is STUDY else one for one in tables}
    query = sa.select(
        *(sa.select(sa.func.max(one.c.id)).scalar_subquery() for one in numbers.values())
    )
    found = connection.execute(query).one()
    last = {name: number or 0 for name, number in zip(numbers, found, strict=True)}
    return last | {STUDY.name: last[STUDY.name] + 1}


def _is_read(connection: sa.Connection, table: sa.Table) -> bool:
    """Say whether there is a table to be read; older journals with a chain lack but one."""
    return table is not PARTIALS or is_there(connection, table)


def _rows(connection: sa.Connection, table: sa.Table, after: int = 0) -> Iterator[Sequence[Any]]:
    """Yield a table's rows in the order of their numbers, which come first in each.

    The study's are all the descriptions it had, the present one last, numbered from 1.
    """
    if not _is_read(connection, table):
        return
    if table is not STUDY:
        query, found = _AFTER[table.name], PIECE
        while found == PIECE:
            piece = connection.execute(query, {"after": after, "piece": PIECE}).all()
            yield from piece
            after, found = (piece[-1][0] if piece else after), len(piece)
        return
    names = ("fingerprint", "description", "version")
    earlier = sa.select(*(EXTENSIONS.c[name] for name in names)).order_by(EXTENSIONS.c.id)
    present = sa.select(*(STUDY.c[name] for name in names))
    described = [*connection.execute(earlier), *connection.execute(present)]
    created = connection.execute(sa.select(STUDY.c.created)).scalars().all()
    for number, row in enumerate(described, start=1):
        if number > after:
            yield number, *row, *created


def _next(digest: bytes, part: str, row: Sequence[Any]) -> bytes:
    filled = len(row)
    while row[filled - 1] is None:
        filled -= 1
    values = row[:filled]
    plain = [len(value) if type(value) is bytes else value for value in values]
    binary = [value for value in values if type(value) is bytes]
    return hashlib.sha256(b"".join([digest, f"{part}{plain!r}".encode(), *binary])).digest()
