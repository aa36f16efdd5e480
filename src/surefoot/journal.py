"""The journal: the append-only record of every outcome, from which every number shown is derived.

A journal is one SQLite file in WAL mode with ``synchronous = FULL``: when `Journal.add` returns,
the outcomes are on the disk and survive a killed process and a power cut. It belongs to one study,
whose whole description is stored in it; opening it for a changed study is refused. Nothing is ever
changed or deleted; a failed instance may be tried again, which appends a further attempt.

One process writes at a time, which a file lock ensures that dies with its process; any number may
read meanwhile (`Journal.read`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.engines.base import Outcome, Status
from surefoot.errors import JournalError, JournalMismatchError
from surefoot.journal_file import (
    MEMORY,
    FileLock,
    close_file,
    connect_file,
    create,
    is_empty,
    name_of,
    reported,
)
from surefoot.journal_schema import (
    CANDIDATES,
    OUTCOMES,
    STUDY,
    Identity,
    Known,
    Measure,
    canonical,
    differences,
    fingerprint,
    identity,
    in_words,
    outcome_of_row,
    row_of,
)
from surefoot.seeds import Role

__all__ = ["MEMORY", "Identity", "Journal", "Known", "Measure", "identity"]


class Journal:
    """An open journal; make one with `Journal.open` (to write) or `Journal.read`.

    Used from one thread; a context manager that closes it.
    """

    def __init__(self, path: Path | None, connection: sa.Connection, lock: FileLock | None) -> None:
        self.path = path
        self._connection = connection
        self._lock = lock
        self._writable = lock is not None or path is None
        self._study: dict[str, Any] = {}
        self._rows: dict[str, int] = {}

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        study: Mapping[str, Any],
        candidates: Iterable[Candidate] = (),
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
            journal._check_study(study)
            journal.declare(candidates)
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

    @property
    def study(self) -> dict[str, Any]:
        """The description of the study it belongs to."""
        return self._study

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change whenever the study's description does."""
        return fingerprint(canonical(self._study))

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

    def has(self, candidate: str, role: Role, instance: int, sample: int) -> bool:
        """Say whether an instance is recorded."""
        return (candidate, role, instance, sample) in self._latest

    def failed(self, role: Role | None = None) -> set[Identity]:
        """Return the instances whose latest attempt failed."""
        return {
            what
            for what, (_, status) in self._latest.items()
            if status is Status.FAILED and role in (None, what[1])
        }

    def count(self, role: Role | None = None) -> int:
        """Return the number of instances recorded."""
        return sum(role in (None, what[1]) for what in self._latest)

    def candidates(self) -> dict[str, Known]:
        """Return every declared candidate by key, in the order of their declaration."""
        query = sa.select(CANDIDATES).order_by(CANDIDATES.c.id)
        return {
            row.key: Known(row.family, json.loads(row.spec), row.label) for row in self._all(query)
        }

    def outcomes(
        self,
        role: Role | None = None,
        candidate: str | None = None,
        instance: int | None = None,
    ) -> list[Outcome]:
        """Return the outcomes recorded, the latest attempt of each, in the order of recording."""
        query = sa.select(OUTCOMES, CANDIDATES.c.key).join(CANDIDATES).order_by(OUTCOMES.c.id)
        if role is not None:
            query = query.where(OUTCOMES.c.role == int(role))
        if candidate is not None:
            query = query.where(CANDIDATES.c.key == candidate)
        if instance is not None:
            query = query.where(OUTCOMES.c.instance == instance)
        latest = {identity(o): o for o in map(outcome_of_row, self._all(query))}
        return list(latest.values())

    def measures(self, role: Role) -> list[Measure]:
        """Return the outcomes of a role without their curves, in the order of recording."""
        columns = [OUTCOMES.c[name] for name in ("instance", "sample", "loss", "seconds")]
        epochs = (sa.func.length(OUTCOMES.c.curve) / 4).label("epochs")
        query = sa.select(CANDIDATES.c.key, *columns, epochs).join_from(OUTCOMES, CANDIDATES)
        query = query.where(OUTCOMES.c.role == int(role)).order_by(OUTCOMES.c.id)
        rows = (
            Measure(row.key, role, row.instance, row.sample, row.loss, row.seconds, int(row.epochs))
            for row in self._all(query)
        )
        return list({identity(measure): measure for measure in rows}.values())

    def losses(self, role: Role) -> tuple[list[str], NDArray[np.int64], NDArray[np.float64]]:
        """Return candidate keys, instance numbers [n] and losses [n] of a role.

        They are in the order of recording; +inf where the instance diverged or failed.
        """
        known = self.measures(role)
        numbers = np.fromiter((m.instance for m in known), np.int64, len(known))
        losses = np.fromiter((m.loss for m in known), np.float64, len(known))
        return [m.candidate for m in known], numbers, losses

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

    @property
    def _name(self) -> str:
        return name_of(self.path)

    def _all(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        with reported(self.path, "read"), self._connection.begin():
            return list(self._connection.execute(query))

    def _load(self) -> None:
        rows = self._all(sa.select(STUDY.c.description))
        if len(rows) != 1:
            raise JournalError(f"{self._name} holds no study: it is not a whole journal")
        self._study = json.loads(rows[0][0])
        known = self._all(sa.select(CANDIDATES.c.id, CANDIDATES.c.key).order_by(CANDIDATES.c.id))
        self._rows = {row.key: row.id for row in known}

    @cached_property
    def _latest(self) -> dict[Identity, tuple[int, Status]]:
        """The latest attempt of every instance and how it ended; read when first asked for."""
        roles = {int(role): role for role in Role}
        statuses = {str(status): status for status in Status}
        columns = ("role", "instance", "sample", "attempt", "status")
        query = sa.select(CANDIDATES.c.key, *(OUTCOMES.c[name] for name in columns))
        query = query.join_from(OUTCOMES, CANDIDATES).order_by(OUTCOMES.c.id)
        return {
            (row.key, roles[row.role], row.instance, row.sample): (
                row.attempt,
                statuses[row.status],
            )
            for row in self._all(query)
        }

    def _check_study(self, study: Mapping[str, Any]) -> None:
        new = json.loads(canonical(study))
        found = list(differences(self._study, new))
        if found:
            more = f"; and {len(found) - 8} more" if len(found) > 8 else ""
            raise JournalMismatchError(
                f"{self._name} belongs to another study (journal -> now): "
                + "; ".join(found[:8])
                + f"{more}; change it back or give another journal"
            )

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
