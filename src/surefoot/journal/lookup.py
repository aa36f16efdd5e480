"""What a journal holds, as anyone may read it, while another process writes to it too."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

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

Made = TypeVar("Made")


class Lookup:
    """The study, candidates and outcomes of an open journal; `Journal` adds to them.

    ``chain`` is how far its chain of digests goes, empty in a journal of format 1, which has none.
    Its methods raise `JournalError` if the file cannot be read.
    """

    def __init__(self, file: JournalFile) -> None:
        self._file = file
        with file.transaction("read") as connection:
            self.chain = verified(connection, file.name) if file.format > 1 else Chain()
        studies = self._all(sa.select(STUDY.c.description), lambda row: _plain(row.description))
        if len(studies) != 1:
            raise JournalError(f"{file.name} holds no study: it is not a whole journal")
        self._study = modern(studies[0])
        known = sa.select(CANDIDATES.c.key, CANDIDATES.c.id).order_by(CANDIDATES.c.id)
        self._rows: dict[str, int] = dict(self._all(known, tuple))

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
        query = sa.select(NOTES.c.name, NOTES.c.content).order_by(NOTES.c.id)
        return dict(self._all(query, lambda row: (row.name, json.loads(row.content)), NOTES))

    def extensions(self) -> list[Extended]:
        """Return by what the study was extended, oldest first, with its earlier descriptions."""

        def extended(row: sa.Row[Any]) -> Extended:
            changes = tuple(json.loads(row.changes))
            return Extended(_plain(row.description), changes, row.fresh, row.recorded)

        return self._all(sa.select(EXTENSIONS).order_by(EXTENSIONS.c.id), extended, EXTENSIONS)

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

        def known(row: sa.Row[Any]) -> tuple[str, Known]:
            return row.key, Known(row.family, _plain(row.spec), row.label)

        return dict(self._all(sa.select(CANDIDATES).order_by(CANDIDATES.c.id), known))

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
        return list({identity(o): o for o in self._all(query, outcome_of)}.values())

    def measures(self, role: Role) -> list[Measure]:
        """Return the outcomes of a role without their curves, in the order of recording.

        Losses are +inf where the instance diverged or failed.
        """
        names = ("instance", "sample", "loss", "seconds", "attempt")
        size = sa.func.length(OUTCOMES.c.curve)
        query = sa.select(CANDIDATES.c.key, size, *(OUTCOMES.c[name] for name in names))
        query = query.join_from(OUTCOMES, CANDIDATES).where(OUTCOMES.c.role == int(role))

        def measure(row: Any) -> tuple[Measure, bool]:
            key, octets, number, sample, loss, seconds, attempt = row
            epochs = octets // 4
            return Measure(key, role, number, sample, float(loss), seconds, epochs), attempt > 0

        found = self._all(query.order_by(OUTCOMES.c.id), measure)
        measures = [one for one, _ in found]
        if any(again for _, again in found):
            return list({identity(one): one for one in measures}.values())
        return measures

    def _all(
        self,
        query: sa.Select[Any],
        make: Callable[[sa.Row[Any]], Made],
        optional: sa.Table | None = None,
    ) -> list[Made]:
        """Return what is made of each row; none if the journal is older than ``optional``."""
        with self._file.transaction("read") as connection:
            if optional is not None and not sa.inspect(connection).has_table(optional.name):
                return []
            rows = connection.execute(query).all()
        try:
            return [make(row) for row in rows]
        except (ValueError, KeyError, TypeError) as error:
            raise JournalError(
                f"{self._file.name} is damaged, it holds what surefoot never writes ({error}): "
                "restore it from a copy"
            ) from None

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

        def latest(row: Any) -> tuple[Identity, tuple[int, Status]]:
            key, role, instance, sample, attempt, status = row
            return (key, roles[role], instance, sample), (attempt, statuses[status])

        return dict(self._all(query, latest))


def _plain(text: str) -> dict[str, Any]:
    """Return what JSON text describes; raise `TypeError` if it is not names with values."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError(f"{text[:40]!r} in place of a description")
    return found
