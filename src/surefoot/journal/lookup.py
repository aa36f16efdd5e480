"""What a journal holds, as anyone may read it, while another process writes to it too."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from surefoot.errors import JournalError
from surefoot.instances import Outcome, Status
from surefoot.journal.chain import Chain, verified
from surefoot.journal.file import JournalFile
from surefoot.journal.records import Extended, Identity, Known, Measure, identity
from surefoot.journal.schema import (
    CANDIDATES,
    EXTENSIONS,
    NOTES,
    OUTCOMES,
    STUDY,
    outcome_of,
    present_columns,
)
from surefoot.racing.registry import modern
from surefoot.seeds.ledger import Role


class Lookup:
    """The study, candidates and outcomes of an open journal; `Journal` adds to them.

    ``chain`` is how far its chain of digests goes, empty in a journal of format 1, which has none.
    Its methods raise `JournalError` if the file cannot be read.
    """

    def __init__(self, file: JournalFile) -> None:
        self._file = file
        with file.transaction("read") as connection:
            self.chain = verified(connection, file.name) if file.format > 1 else Chain()
        rows = self._all(sa.select(STUDY.c.description))
        if len(rows) != 1:
            raise JournalError(f"{file.name} holds no study: it is not a whole journal")
        self._study = modern(json.loads(rows[0][0]))
        known = self._all(sa.select(CANDIDATES.c.id, CANDIDATES.c.key).order_by(CANDIDATES.c.id))
        self._rows: dict[str, int] = {row.key: row.id for row in known}

    @property
    def path(self) -> Path | None:
        """The file; None if the journal lives in memory."""
        return self._file.path

    @property
    def study(self) -> dict[str, Any]:
        """The description of the study it belongs to."""
        return self._study

    def notes(self) -> dict[str, Any]:
        """Return what is noted for people and programs and decides no result, by name.

        ``population`` is the table of the study file that the population was loaded by.
        """
        rows = self._all(sa.select(NOTES.c.name, NOTES.c.content).order_by(NOTES.c.id), NOTES)
        return {row.name: json.loads(row.content) for row in rows}

    def extensions(self) -> list[Extended]:
        """Return by what the study was extended, oldest first, with its earlier descriptions."""
        rows = self._all(sa.select(EXTENSIONS).order_by(EXTENSIONS.c.id), EXTENSIONS)
        return [
            Extended(
                json.loads(row.description),
                tuple(json.loads(row.changes)),
                row.fresh,
                row.recorded,
            )
            for row in rows
        ]

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
        rows = self._all(sa.select(CANDIDATES).order_by(CANDIDATES.c.id))
        return {row.key: Known(row.family, json.loads(row.spec), row.label) for row in rows}

    def outcomes(
        self,
        role: Role | None = None,
        candidate: str | None = None,
        instance: int | None = None,
    ) -> list[Outcome]:
        """Return the outcomes recorded, the latest attempt of each, in the order of recording."""
        query = sa.select(*self._outcome_columns, CANDIDATES.c.key)
        query = query.join_from(OUTCOMES, CANDIDATES).order_by(OUTCOMES.c.id)
        if role is not None:
            query = query.where(OUTCOMES.c.role == int(role))
        if candidate is not None:
            query = query.where(CANDIDATES.c.key == candidate)
        if instance is not None:
            query = query.where(OUTCOMES.c.instance == instance)
        latest = {identity(o): o for o in map(outcome_of, self._all(query))}
        return list(latest.values())

    def measures(self, role: Role) -> list[Measure]:
        """Return the outcomes of a role without their curves, in the order of recording.

        Losses are +inf where the instance diverged or failed.
        """
        names = ("instance", "sample", "loss", "seconds", "attempt")
        size = sa.func.length(OUTCOMES.c.curve)
        query = sa.select(CANDIDATES.c.key, size, *(OUTCOMES.c[name] for name in names))
        query = query.join_from(OUTCOMES, CANDIDATES).where(OUTCOMES.c.role == int(role))
        found, again = [], False
        for key, octets, number, sample, loss, seconds, attempt in self._all(
            query.order_by(OUTCOMES.c.id)
        ):
            found.append(Measure(key, role, number, sample, loss, seconds, octets // 4))
            again = again or attempt > 0
        return list({identity(m): m for m in found}.values()) if again else found

    def _all(self, query: sa.Select[Any], optional: sa.Table | None = None) -> list[Any]:
        """Return the rows of a query; none if the journal is older than its ``optional`` table."""
        with self._file.transaction("read") as connection:
            if optional is not None and not sa.inspect(connection).has_table(optional.name):
                return []
            return list(connection.execute(query).all())

    @cached_property
    def _outcome_columns(self) -> list[sa.Column[Any]]:
        with self._file.transaction("read") as connection:
            return present_columns(connection, OUTCOMES)

    @cached_property
    def _latest(self) -> dict[Identity, tuple[int, Status]]:
        """The latest attempt of every instance and how it ended; read when first asked for."""
        roles = {int(role): role for role in Role}
        statuses = {str(status): status for status in Status}
        columns = ("role", "instance", "sample", "attempt", "status")
        query = sa.select(CANDIDATES.c.key, *(OUTCOMES.c[name] for name in columns))
        query = query.join_from(OUTCOMES, CANDIDATES).order_by(OUTCOMES.c.id)
        return {
            (key, roles[role], instance, sample): (attempt, statuses[status])
            for key, role, instance, sample, attempt, status in self._all(query)
        }
