"""The rows of a journal's tables: read, appended with their digests, and followed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from surefoot.errors import JournalError
from surefoot.journal.chain import Chain, ends_in, seal, verified
from surefoot.journal.schema import is_there
from surefoot.journal.store import Store

Made = TypeVar("Made")


class Rows:
    """The rows of all tables, each of them checked by its digest.

    ``chain`` is how far their chain of digests goes, empty in a journal of format 1, which has
    none. Raises `JournalError` if a row is not the one that was written, or cannot be read.
    """

    def __init__(self, store: Store) -> None:
        self.store, self.chain = store, Chain()
        if store.format > 1:
            self.chain = store.run("read", lambda connection: verified(connection, store.name))

    def made_of(
        self,
        query: sa.Select[Any],
        make: Callable[[sa.Row[Any]], Made],
        optional: sa.Table | None = None,
    ) -> list[Made]:
        """Return what is made of each row; none if the journal is older than ``optional``."""

        def read(connection: sa.Connection) -> Sequence[sa.Row[Any]]:
            if optional is not None and not is_there(connection, optional):
                return []
            return connection.execute(query).all()

        return self._made(self.store.run("read", read), make)

    def follow(
        self, table: sa.Table, query: sa.Select[Any], make: Callable[[sa.Row[Any]], Made]
    ) -> list[Made]:
        """Check what was written since; return what is made of a table's new rows.

        ``query`` is that of all its rows. A journal of format 1 never gets any.
        """
        before = self.chain
        if self.store.format == 1:
            return []

        def news(connection: sa.Connection) -> tuple[Chain, Sequence[sa.Row[Any]]]:
            if ends_in(connection, before):
                return before, []
            after = verified(connection, self.store.name, before)
            last, number = before.last[table.name], table.c.id
            new = query.where(number > last, number <= after.last[table.name])
            return after, connection.execute(new).all()

        after, rows = self.store.run("read", news)
        new = self._made(rows, make)
        self.chain = after
        return new

    def insert(self, *new: tuple[sa.Table, list[dict[str, Any]]]) -> None:
        """Append rows to tables, numbered on from the last of each; all of them or none."""
        numbered = [
            (
                table,
                [{"id": n, **row} for n, row in enumerate(rows, self.chain.last[table.name] + 1)],
            )
            for table, rows in new
            if rows
        ]

        def insert(connection: sa.Connection) -> None:
            for table, rows in numbered:
                connection.execute(table.insert(), rows)

        if numbered:
            self.write("written", insert, *(table for table, _ in numbered))

    def write(self, doing: str, work: Callable[[sa.Connection], object], *tables: sa.Table) -> None:
        """Do work that writes (to ``tables``, else to any) and seal it, in one transaction.

        Where the connection is lost meanwhile, the chain's end tells whether all of it was done.
        """
        before = self.chain

        def sealed(connection: sa.Connection) -> Chain:
            work(connection)
            return seal(connection, before, *tables)

        def landed(connection: sa.Connection, after: Chain | None) -> bool:
            if after is not None and ends_in(connection, after):
                return True
            if ends_in(connection, before):
                return False
            raise JournalError(
                f"{self.store.name} was written to by another surefoot while the connection to it "
                "was lost: run the same command again to go on from there"
            )

        self.chain = self.store.run(doing, sealed, landed)

    def _made(self, rows: Sequence[sa.Row[Any]], make: Callable[[sa.Row[Any]], Made]) -> list[Made]:
        try:
            return [make(row) for row in rows]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise JournalError(
                f"{self.store.name} is damaged, it holds what surefoot never writes ({error}): "
                "restore it from a copy"
            ) from None
