"""What keeps a journal's tables: SQL of some dialect behind one connection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa

from surefoot.places import Place

Made = TypeVar("Made")

FORMAT = 2
"""Format of a journal, raised whenever the tables change. Format 1 had no chain of digests; it is
read as it is, and brought to the present one when it is opened to write."""


class Store(ABC):
    """An open journal's tables, locked where they are to be written, until `close`.

    ``name`` is how messages call the journal, ``format`` the one its tables have.
    """

    place: Place
    name: str
    writable: bool
    format: int = FORMAT

    @abstractmethod
    def run(
        self,
        doing: str,
        work: Callable[[sa.Connection], Made],
        landed: Callable[[sa.Connection, Made | None], bool] = lambda connection, made: False,
    ) -> Made:
        """Return what ``work`` makes of the connection; all that it did is kept, or nothing.

        Parameters
        ----------
        doing
            The verb in the sentence that tells of an error: read, written.
        work
            What is done in one transaction. Where the connection was lost meanwhile, it is done
            again, unless
        landed
            says on the new connection that what ``work`` made (None if it had not ended) is there.

        Raises
        ------
        JournalError
            If it cannot be done; the message says why.
        """

    @abstractmethod
    def is_new(self, connection: sa.Connection) -> bool:
        """Say whether there is nothing of a journal yet."""

    @abstractmethod
    def sign(self, connection: sa.Connection) -> None:
        """Mark the place as a journal of the present format; within a transaction."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection and let go of the lock; closing twice does nothing."""
