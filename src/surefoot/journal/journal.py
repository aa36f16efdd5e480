"""The journal: the append-only record of every outcome, from which every number shown is derived.

A journal is one SQLite file in WAL mode with ``synchronous = FULL``: when `Journal.add` returns,
the outcomes are on the disk and survive a killed process and a power cut. It belongs to one study,
whose whole description is stored in it; opening it for a changed study is refused, unless the
opener knows the change as an extension: then the new description counts and the earlier one is
kept. No outcome is ever changed or deleted; a failed instance may be tried again, which appends a
further attempt.

One process writes at a time, which a file lock ensures that dies with its process; any number may
read meanwhile (`Journal.read`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
import sqlalchemy as sa

from surefoot.candidates.base import Candidate
from surefoot.errors import JournalError, JournalMismatchError
from surefoot.instances import Outcome, Status
from surefoot.journal.chain import Chain, seal
from surefoot.journal.descriptions import canonical, fingerprint, mismatches
from surefoot.journal.file import FORMAT, MEMORY, JournalFile, is_empty, sign
from surefoot.journal.lookup import Lookup
from surefoot.journal.records import Extended, Extension, Identity, identity, in_words
from surefoot.journal.schema import (
    CANDIDATES,
    EXTENSIONS,
    NOTES,
    OUTCOMES,
    STUDY,
    TABLES,
    add_missing_columns,
    now,
    row_of,
)
from surefoot.racing.registry import modern
from surefoot.seeds.ledger import Role

Judge = Callable[[Mapping[str, Any], Mapping[str, Any]], Extension | str]
"""Says of an earlier and a new description how the new one extends it, or what to add to the
refusal."""


class Journal(Lookup):
    """An open journal; make one with `Journal.open` (to write) or `Journal.read`.

    Used from one thread; a context manager that closes it. ``extended`` is the extension that
    opening it recorded, None if the study is as it was.
    """

    def __init__(self, file: JournalFile, *, writable: bool) -> None:
        super().__init__(file)
        self._writable = writable
        self.extended: Extended | None = None

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        study: Mapping[str, Any],
        candidates: Iterable[Candidate] = (),
        notes: Mapping[str, Any] | None = None,
        extends: Judge | None = None,
    ) -> Self:
        """Create the journal of a study, or resume it.

        Parameters
        ----------
        path
            The file, or ``":memory:"``.
        study
            Everything that decides results, as plain JSON values.
        candidates
            Those whose outcomes will be recorded.
        notes
            For `notes`, as plain JSON values; they may differ from those recorded before.
        extends
            Asked about a changed study; None refuses every change. An extension is recorded, in
            one transaction, before this returns.

        Raises
        ------
        JournalMismatchError
            If the file is the journal of another study; the message says what differs.
        JournalError
            If it is no journal, damaged, in use by another process, or cannot be written.
        """
        absolute = None if str(path) == MEMORY else Path(path).absolute().resolve()
        file = JournalFile(absolute, writable=True)
        try:
            with file.transaction("opened") as connection:
                if is_empty(connection):
                    TABLES.create_all(connection)
                    row = {"id": 1, "created": now(), **_described(study)}
                    connection.execute(STUDY.insert(), row)
                    seal(connection, Chain())
                    sign(connection)
            journal = cls(file, writable=True)
            new = modern(json.loads(canonical(study)))
            changes = journal._changes(new, extends)
            journal._upgrade()
            if changes is not None:
                journal._extend(new, changes)
            journal._declare(candidates)
            journal._note(notes or {})
        except BaseException:
            file.close()
            raise
        return journal

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Open an existing journal to look at it, even while another process writes to it.

        Raises `JournalError` if it is missing, no journal or damaged.
        """
        absolute = Path(path).absolute().resolve()
        if not absolute.is_file():
            raise JournalError(f"there is no journal {absolute}: give the path of an existing one")
        file = JournalFile(absolute, writable=False)
        try:
            return cls(file, writable=False)
        except BaseException:
            file.close()
            raise

    def add(self, *outcomes: Outcome, retry: bool = False) -> None:
        """Record outcomes, all or none of them; they are on the disk when this returns.

        ``retry`` records them as a further attempt at instances that failed.

        Raises
        ------
        JournalError
            If an instance is recorded already, a candidate unknown or the disk full.
        """
        if not outcomes:
            return
        if not self._writable:
            raise JournalError(f"{self._file.name} was opened to be read only: nothing is recorded")
        rows, added = [], {}
        for outcome in outcomes:
            what = identity(outcome)
            attempt = self._attempt(what, again=what in added, retry=retry)
            if np.isnan(outcome.loss):
                raise JournalError(f"{in_words(what)} has the loss NaN; a loss is finite or +inf")
            added[what] = (attempt, outcome.status)
            rows.append(row_of(outcome, self._rows[outcome.candidate], attempt))
        self._insert(OUTCOMES, rows)
        self._latest.update(added)

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        self._file.close()
        self._writable = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _changes(self, new: dict[str, Any], extends: Judge | None) -> tuple[str, ...] | None:
        """Return by what a study extends the journal's, None if it is the same; else refuse it."""
        found = mismatches(self._study, new)
        if not found:
            return None
        judged = "" if extends is None else extends(self._study, new)
        if isinstance(judged, Extension):
            return judged.changes
        more = f"; and {len(found) - 8} more" if len(found) > 8 else ""
        raise JournalMismatchError(
            f"{self._file.name} belongs to another study (journal -> now): "
            + "; ".join(found[:8])
            + f"{more}; change it back or give another journal"
            + (f"; {judged}" if judged else "")
        )

    def _upgrade(self) -> None:
        """Bring a journal of an older format to the present one, and note it."""
        old, chain = self._file.format, self.chain
        note = {"from": old, "instances": self.count() if old < FORMAT else 0}
        with self._file.transaction("opened") as connection:
            add_missing_columns(connection)
            if old < FORMAT:
                TABLES.create_all(connection)
                content = canonical({**note, "version": version("surefoot")})
                row = {"name": "migrated", "content": content, "recorded": now()}
                connection.execute(NOTES.insert(), row)
                chain = seal(connection, chain)
                self._file.format = sign(connection)
        self.chain = chain

    def _extend(self, new: dict[str, Any], changes: tuple[str, ...]) -> None:
        """Make a description the study's and keep the earlier one, both or neither."""
        fresh, time = self.count(Role.CERTIFY) + self.count(Role.ASSESS), now()
        with self._file.transaction("written") as connection:
            before = connection.execute(
                sa.select(STUDY.c.fingerprint, STUDY.c.description, STUDY.c.version)
            ).one()
            row = {**before._mapping, "changes": json.dumps(changes), "fresh": fresh}
            connection.execute(EXTENSIONS.insert(), {**row, "recorded": time})
            connection.execute(STUDY.update().values(_described(new)))
            chain = seal(connection, self.chain, STUDY, EXTENSIONS)
        self.chain = chain
        self.extended = Extended(self._study, changes, fresh, time)
        self._study = new

    def _declare(self, candidates: Iterable[Candidate]) -> None:
        """Record what candidates are, once each, so that their outcomes can be added."""
        new = {c.key: c for c in candidates if c.key not in self._rows}
        rows = [
            {
                "id": len(self._rows) + place,
                "key": key,
                "family": candidate.family,
                "label": candidate.label,
                "spec": canonical(candidate.spec()),
            }
            for place, (key, candidate) in enumerate(new.items(), start=1)
        ]
        self._insert(CANDIDATES, rows)
        self._rows.update({str(row["key"]): int(str(row["id"])) for row in rows})

    def _note(self, notes: Mapping[str, Any]) -> None:
        """Append the notes that are new."""
        known = {name: canonical(content) for name, content in self.notes().items()}
        texts = {name: canonical(content) for name, content in notes.items()}
        rows = [
            {"name": name, "content": text, "recorded": now()}
            for name, text in texts.items()
            if known.get(name) != text
        ]
        self._insert(NOTES, rows)

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            with self._file.transaction("written") as connection:
                connection.execute(table.insert(), rows)
                chain = seal(connection, self.chain, table)
            self.chain = chain

    def _attempt(self, what: Identity, *, again: bool, retry: bool) -> int:
        """Return the number of the attempt that may be recorded of an instance."""
        if what[0] not in self._rows:
            raise JournalError(
                f"{in_words(what)} is of a candidate that {self._file.name} does not know"
            )
        if what not in self._latest and not again:
            return 0
        attempt, status = self._latest.get(what, (0, Status.FINISHED))
        if again or not retry or status is not Status.FAILED:
            raise JournalError(f"{in_words(what)} is recorded in {self._file.name} already")
        return attempt + 1


def _described(study: Mapping[str, Any]) -> dict[str, str]:
    """Return a description as columns of `STUDY`."""
    text = canonical(study)
    return {
        "description": text,
        "fingerprint": fingerprint(text),
        "version": version("surefoot"),
    }
