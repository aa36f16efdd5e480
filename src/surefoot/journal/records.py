"""What a journal holds, as anyone may read it, while another process writes to it too."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from surefoot.errors import JournalError
from surefoot.instances import Outcome, Status
from surefoot.journal.descriptions import canonical, fingerprint
from surefoot.journal.file import name_of, reported
from surefoot.journal.schema import (
    CANDIDATES,
    EXTENSIONS,
    NOTES,
    OUTCOMES,
    STUDY,
    Extended,
    Identity,
    Known,
    Measure,
    identity,
    outcome_of_row,
)
from surefoot.seeds.ledger import Role


class Records:
    """The study, candidates and outcomes of an open journal; `Journal` adds to them."""

    def __init__(self, path: Path | None, connection: sa.Connection) -> None:
        self.path = path
        self._connection = connection
        self._study: dict[str, Any] = {}
        self._rows: dict[str, int] = {}

    @property
    def study(self) -> dict[str, Any]:
        """The description of the study it belongs to."""
        return self._study

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change whenever the study's description does."""
        return fingerprint(canonical(self._study))

    def notes(self) -> dict[str, Any]:
        """Return what is noted for people and programs and decides no result, by name.

        ``population`` is the table of the study file that the population was loaded by.
        """
        if not self._has_table(NOTES):
            return {}
        rows = self._all(sa.select(NOTES.c.name, NOTES.c.content).order_by(NOTES.c.id))
        return {row.name: json.loads(row.content) for row in rows}

    def extensions(self) -> list[Extended]:
        """Return by what the study was extended, oldest first, with its earlier descriptions."""
        if not self._has_table(EXTENSIONS):
            return []
        return [
            Extended(
                json.loads(row.description),
                tuple(json.loads(row.changes)),
                row.fresh,
                row.recorded,
            )
            for row in self._all(sa.select(EXTENSIONS).order_by(EXTENSIONS.c.id))
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

    def losses(self, role: Role) -> tuple[list[str], NDArray[np.int64], NDArray[np.float64]]:
        """Return candidate keys, instance numbers [n] and losses [n] of a role.

        They are in the order of recording; +inf where the instance diverged or failed.
        """
        known = self.measures(role)
        numbers = np.fromiter((m.instance for m in known), np.int64, len(known))
        losses = np.fromiter((m.loss for m in known), np.float64, len(known))
        return [m.candidate for m in known], numbers, losses

    @property
    def _name(self) -> str:
        return name_of(self.path)

    def _has_table(self, table: sa.Table) -> bool:
        with reported(self.path, "read"), self._connection.begin():
            return sa.inspect(self._connection).has_table(table.name)

    def _all(self, query: sa.Select[Any]) -> list[Any]:
        with reported(self.path, "read"), self._connection.begin():
            return list(self._connection.execute(query).all())

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
            (key, roles[role], instance, sample): (attempt, statuses[status])
            for key, role, instance, sample, attempt, status in self._all(query)
        }
