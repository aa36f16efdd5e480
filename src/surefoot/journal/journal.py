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
from types import TracebackType
from typing import Any, Self

import numpy as np
import sqlalchemy as sa

from surefoot.candidates.base import Candidate
from surefoot.errors import JournalError, JournalMismatchError
from surefoot.instances import Outcome, Status
from surefoot.journal.descriptions import canonical, fingerprint, mismatches
from surefoot.journal.file import (
    MEMORY,
    FileLock,
    close_file,
    connect_file,
    create,
    is_empty,
    reported,
)
from surefoot.journal.records import Records
from surefoot.journal.schema import (
    CANDIDATES,
    EXTENSIONS,
    NOTES,
    OUTCOMES,
    STUDY,
    Extended,
    Extension,
    Identity,
    identity,
    in_words,
    now,
    row_of,
)
from surefoot.seeds.ledger import Role

Judge = Callable[[Mapping[str, Any], Mapping[str, Any]], Extension | str]
"""Says of an earlier and a new description how the new one extends it, or what to add to the
refusal."""


class Journal(Records):
    """An open journal; make one with `Journal.open` (to write) or `Journal.read`.

    Used from one thread; a context manager that closes it. ``extended`` is the extension that
    opening it recorded, None if the study is as it was.
    """

    def __init__(self, path: Path | None, connection: sa.Connection, lock: FileLock | None) -> None:
        super().__init__(path, connection)
        self._lock = lock
        self._writable = lock is not None or path is None
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
        file = None if str(path) == MEMORY else Path(path).absolute().resolve()
        lock = None if file is None else FileLock(file)
        try:
            with reported(file, "opened"):
                journal = cls(file, connect_file(file, writable=True), lock)
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        try:
            with reported(file, "opened"), journal._connection.begin():
                if is_empty(journal._connection):
                    create(journal._connection, study)
            journal._load()
            journal._check_study(study, extends)
            journal.declare(candidates)
            journal._note(notes or {})
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Open an existing journal to look at it, even while another process writes to it.

        Raises `JournalError` if it is missing, no journal or damaged.
        """
        file = Path(path).absolute().resolve()
        if not file.is_file():
            raise JournalError(f"there is no journal {file}: give the path of an existing one")
        with reported(file, "read"):
            journal = cls(file, connect_file(file, writable=False), None)
        try:
            journal._load()
        except BaseException:
            journal.close()
            raise
        return journal

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
            raise JournalError(f"{self._name} was opened to be read only: nothing is recorded")
        rows, added = [], {}
        for outcome in outcomes:
            what = identity(outcome)
            attempt = self._attempt(what, again=what in added, retry=retry)
            if np.isnan(outcome.loss):
                raise JournalError(f"{in_words(what)} has the loss NaN; a loss is finite or +inf")
            added[what] = (attempt, outcome.status)
            rows.append(row_of(outcome, self._rows[outcome.candidate], attempt))
        with reported(self.path, "written"), self._connection.begin():
            self._connection.execute(OUTCOMES.insert(), rows)
        self._latest.update(added)

    def declare(self, candidates: Iterable[Candidate]) -> None:
        """Record what candidates are, once each, so that their outcomes can be added."""
        new = {c.key: c for c in candidates if c.key not in self._rows}
        if not new:
            return
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
        with reported(self.path, "written"), self._connection.begin():
            self._connection.execute(CANDIDATES.insert(), rows)
        self._rows.update({str(row["key"]): int(str(row["id"])) for row in rows})

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        close_file(self._connection)
        if self._lock is not None:
            self._lock.release()
        self._writable = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _check_study(self, study: Mapping[str, Any], extends: Judge | None) -> None:
        new = json.loads(canonical(study))
        found = mismatches(self._study, new)
        if not found:
            return
        judged = "" if extends is None else extends(self._study, new)
        if isinstance(judged, Extension):
            self._extend(new, judged.changes)
            return
        more = f"; and {len(found) - 8} more" if len(found) > 8 else ""
        raise JournalMismatchError(
            f"{self._name} belongs to another study (journal -> now): "
            + "; ".join(found[:8])
            + f"{more}; change it back or give another journal"
            + (f"; {judged}" if judged else "")
        )

    def _extend(self, new: dict[str, Any], changes: tuple[str, ...]) -> None:
        """Make a description the study's and keep the earlier one, both or neither."""
        fresh = self.count(Role.CERTIFY) + self.count(Role.ASSESS)
        text, time = canonical(new), now()
        with reported(self.path, "written"), self._connection.begin():
            EXTENSIONS.create(self._connection, checkfirst=True)
            before = self._connection.execute(sa.select(STUDY)).one()
            self._connection.execute(
                EXTENSIONS.insert(),
                {
                    "fingerprint": before.fingerprint,
                    "description": before.description,
                    "version": before.version,
                    "changes": json.dumps(changes),
                    "fresh": fresh,
                    "recorded": time,
                },
            )
            self._connection.execute(
                STUDY.update().values(
                    description=text, fingerprint=fingerprint(text), version=version("surefoot")
                )
            )
        self.extended = Extended(self._study, changes, fresh, time)
        self._study = new

    def _note(self, notes: Mapping[str, Any]) -> None:
        """Append the notes that are new; a journal older than notes gets their table first."""
        known = self.notes()
        rows = [
            {"name": name, "content": text, "recorded": now()}
            for name, text in ((name, canonical(content)) for name, content in notes.items())
            if name not in known or canonical(known[name]) != text
        ]
        if not rows:
            return
        with reported(self.path, "written"), self._connection.begin():
            NOTES.create(self._connection, checkfirst=True)
            self._connection.execute(NOTES.insert(), rows)

    def _attempt(self, what: Identity, *, again: bool, retry: bool) -> int:
        """Return the number of the attempt that may be recorded of an instance."""
        if what[0] not in self._rows:
            raise JournalError(
                f"{in_words(what)} is of a candidate that {self._name} does not know"
            )
        if what not in self._latest and not again:
            return 0
        attempt, status = self._latest.get(what, (0, Status.FINISHED))
        if again or not retry or status is not Status.FAILED:
            raise JournalError(f"{in_words(what)} is recorded in {self._name} already")
        return attempt + 1
