"""`verify`: whether a journal still holds what was written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from surefoot.journal.journal import Journal


@dataclass(frozen=True)
class Verified:
    """A journal whose every row is the one that was written.

    ``rows`` are their numbers by table, ``digest`` the hexadecimal end of the chain, which covers
    them all: noted elsewhere, it tells this journal from any other. It is empty for a journal of
    format 1, which has no digests.
    """

    path: Path
    rows: dict[str, int]
    digest: str

    def __str__(self) -> str:
        if not self.digest:
            return (
                f"{self.path}: of an older format, without digests: whether it was changed cannot "
                "be told; it gets them when a study goes on with it"
            )
        rows = ", ".join(f"{count:,} {table}" for table, count in self.rows.items() if count)
        return (
            f"{self.path}: as it was written ({rows}); digest {self.digest}\n"
            "The digests guard against accidents and edits; they are no signature."
        )


def verify(path: str | os.PathLike[str]) -> Verified:
    """Check a journal's chain of digests, as opening it does.

    Raises
    ------
    JournalError
        If it is missing, no journal, damaged, or a row is not the one that was written; the
        message says which.
    """
    with Journal.read(path) as journal:
        chain = journal.chain
        return Verified(Path(path), dict(chain.last), chain.digest.hex())
