"""The journal: the append-only record of every outcome, from which every number shown is derived.

A journal is one SQLite file in WAL mode with ``synchronous = FULL``, or one schema of a PostgreSQL
database: when `Journal.add` returns, the outcomes are on the disk and survive a killed process and
a power cut. It belongs to one study, whose whole description is stored in it; opening it for a
changed study is refused, unless the opener knows the change as an extension: then the new
description counts and the earlier one is kept. No outcome is ever changed or deleted; a failed
instance may be tried again, which appends a further attempt.

One process writes at a time, which a lock ensures that dies with its process; any number may read
meanwhile (`Journal.read`), also on and on (`Journal.catch_up`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from importlib.metadata import version
from typing import Any, Self

import numpy as np
import sqlalchemy as sa

from surefoot.candidates.base import Candidate
from surefoot.errors import JournalError, JournalMismatchError
from surefoot.instances import Outcome, Status
from surefoot.journal.chain import Chain, Verified, seal
from surefoot.journal.descriptions import canonical, fingerprint, mismatches
from surefoot.journal.lookup import open_store
from surefoot.journal.rows import Rows
from surefoot.journal.schema import (
    CANDIDATES,
    EXTENSIONS,
    NOTES,
    OUTCOMES,
    PARTIALS,
    STUDY,
    TABLES,
    Extended,
    Extension,
    Identity,
    Known,
    Measure,
    add_missing_columns,
    identity,
    in_words,
    now,
    number_of,
    outcome_of,
    partial_of,
    partial_row_of,
    row_of,
    text_of,
)
from surefoot.journal.store import FORMAT, Store
from surefoot.places import Place
from surefoot.racing.registry import modern
from surefoot.seeds.ledger import Role

Judge = Callable[[Mapping[str, Any], Mapping[str, Any]], Extension | str]
"""Says of an earlier and a new description how the new one extends it, or what to add to the
refusal."""


class Journal:
    """An open journal; make one with `Journal.open` (to write) or `Journal.read`.

    Used from one thread; a context manager that closes it. ``study`` describes what it belongs
    to, ``place`` says where it is and ``store`` keeps its tables. ``extended`` is the extension
    that opening it recorded, None if the study is as it was. Methods raise `JournalError` if it
    cannot be read.
    """

    def __init__(self, store: Store) -> None:
        self.store, self.place = store, store.place
        self.extended: Extended | None = None
        self._rows = Rows(store)
        self.study = self._read_study()
        self._numbers = self._read_numbers()

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
            The file; a study on a server, ``postgresql://user@host/database?study=NAME``; or
            ``":memory:"``.
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
        MissingExtraError
            If it is on a server and ``surefoot[postgres]`` is not installed.
        """
        store = open_store(Place.of(path), writable=True)

        def create(connection: sa.Connection) -> None:
            if store.is_new(connection):
                store.sign(connection)
                TABLES.create_all(connection)
                row = {"id": 1, "created": now(), **_described(study)}
                connection.execute(STUDY.insert(), row)
                seal(connection, Chain())

        try:
            store.run("opened", create)
            journal = cls(store)
            new = modern(json.loads(canonical(study)))
            changes = journal._changes(new, extends)
            journal._upgrade()
            if changes is not None:
                journal._extend(new, changes)
            journal._declare(candidates)
            journal.note(notes or {})
        except BaseException:
            store.close()
            raise
        return journal

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Open an existing journal to look at it, even while another process writes to it.

        Raises `JournalError` if it is missing, no journal or damaged.
        """
        store = open_store(Place.of(path), writable=False)
        try:
            return cls(store)
        except BaseException:
            store.close()
            raise

    def notes(self) -> dict[str, Any]:
        """Return what is noted for people and programs and decides no result, by name.

        ``population`` is the table of the study file that the population was loaded by;
        ``processors`` are the kinds that engines whose last digits depend on them trained on.
        """
        query = sa.select(NOTES.c.name, NOTES.c.content).order_by(NOTES.c.id)
        return dict(
            self._rows.made_of(query, lambda row: (row.name, json.loads(row.content)), NOTES)
        )

    def note(self, notes: Mapping[str, Any]) -> None:
        """Append the notes, plain JSON values by name, that are new; see `notes`.

        Raises `JournalError` if they cannot be written.
        """
        known = {name: canonical(content) for name, content in self.notes().items()}
        rows = [
            {"name": name, "content": text, "recorded": now()}
            for name, content in notes.items()
            if (text := canonical(content)) != known.get(name)
        ]
        self._rows.insert((NOTES, rows))

    def extensions(self) -> list[Extended]:
        """Return by what the study was extended, oldest first, with its earlier descriptions."""

        def extended(row: sa.Row[Any]) -> Extended:
            changes = tuple(json.loads(row.changes))
            return Extended(_plain(row.description), changes, row.fresh, row.recorded)

        return self._rows.made_of(
            sa.select(EXTENSIONS).order_by(EXTENSIONS.c.id), extended, EXTENSIONS
        )

    def written(self) -> tuple[str, str]:
        """Return the version of surefoot that described the study, and when it was made (UTC)."""
        query = sa.select(STUDY.c.version, STUDY.c.created)
        return self._rows.made_of(query, lambda row: (str(row.version), str(row.created)))[0]

    def engines(self) -> dict[str, int]:
        """Return how many outcomes each engine left, all attempts counted."""
        query = sa.select(OUTCOMES.c.engine, sa.func.count().label("outcomes"))
        query = query.group_by(OUTCOMES.c.engine)
        return dict(self._rows.made_of(query, lambda row: (str(row.engine), int(row.outcomes))))

    def has(self, candidate: str, role: Role, instance: int, sample: int) -> bool:
        """Say whether an instance is recorded."""
        return (candidate, role, instance, sample) in self._latest

    def failed(self) -> set[Identity]:
        """Return the instances whose latest attempt failed."""
        return {one for one, (_, status) in self._latest.items() if status is Status.FAILED}

    def count(self, role: Role | None = None) -> int:
        """Return the number of instances recorded."""
        return sum(role in (None, what[1]) for what in self._latest)

    def candidates(self) -> dict[str, Known]:
        """Return every declared candidate by key, in the order of their declaration."""

        def known(row: sa.Row[Any]) -> tuple[str, Known]:
            family, label = text_of(row.family), text_of(row.label)
            return text_of(row.key), Known(family, _plain(row.spec), label)

        return dict(self._rows.made_of(sa.select(CANDIDATES).order_by(CANDIDATES.c.id), known))

    def outcomes(
        self,
        role: Role | None = None,
        candidate: str | None = None,
        instance: int | None = None,
    ) -> list[Outcome]:
        """Return the outcomes recorded, the latest attempt of each, in the order of recording."""
        query = _outcomes(_WHOLE)
        wanted = {CANDIDATES.c.key: candidate, OUTCOMES.c.role: role, OUTCOMES.c.instance: instance}
        query = query.where(*(column == one for column, one in wanted.items() if one is not None))
        return list({identity(o): o for o in self._rows.made_of(query, outcome_of)}.values())

    def lost(self, role: Role | None = None) -> list[Outcome]:
        """Return those of `outcomes` that diverged or failed; no other is read."""
        query = _outcomes(_WHOLE)
        query = query.where(OUTCOMES.c.status != str(Status.FINISHED))
        if role is not None:
            query = query.where(OUTCOMES.c.role == role)
        found = {identity(one): one for one in self._rows.made_of(query, outcome_of)}
        ended = {what: self._latest.get(what, (0, one.status))[1] for what, one in found.items()}
        return [one for what, one in found.items() if ended[what] is not Status.FINISHED]

    def catch_up(self) -> list[Outcome]:
        """Take in what another process recorded since this journal was read or last caught up.

        Only what is new is read, and its digests are checked. Returns the new outcomes, all
        attempts at an instance in the order of recording. A journal of format 1 never gets any:
        who goes on with it brings it to the present format, after which it is to be read again.

        Raises `JournalError` if something new is not what was written.
        """
        before = self.chain.last
        new = self._rows.follow(OUTCOMES, _outcomes(_WHOLE), outcome_of)
        after = self.chain.last
        if after[STUDY.name] > before[STUDY.name]:
            self.study = self._read_study()
        if after[CANDIDATES.name] > before[CANDIDATES.name]:
            self._numbers = self._read_numbers()
        vars(self).pop("_partial", None)
        if "_latest" in vars(self):
            for outcome in new:
                last, _ = self._latest.get(identity(outcome), (-1, outcome.status))
                self._latest[identity(outcome)] = last + 1, outcome.status
        return new

    def latest(self, number: int = 200) -> list[tuple[datetime, Outcome]]:
        """Return the latest outcomes, of all attempts, and when each was recorded (UTC).

        The oldest of them comes first.
        """
        query = _outcomes(_WHOLE).order_by(None)
        query = query.order_by(OUTCOMES.c.id.desc()).limit(number)
        found = self._rows.made_of(
            query, lambda r: (datetime.fromisoformat(r.recorded), outcome_of(r))
        )
        return found[::-1]

    def paused(self, role: Role | None = None, instance: int | None = None) -> list[Outcome]:
        """Return the trainings put aside that have not ended since, each as it was left last."""
        query = sa.select(PARTIALS, CANDIDATES.c.key).join_from(PARTIALS, CANDIDATES)
        wanted = {PARTIALS.c.role: role, PARTIALS.c.instance: instance}
        query = query.where(*(column == one for column, one in wanted.items() if one is not None))
        latest: dict[Identity, Outcome] = {}
        for one in self._rows.made_of(query.order_by(PARTIALS.c.epochs), partial_of, PARTIALS):
            latest[identity(one)] = one
        return [one for what, one in latest.items() if what not in self._latest]

    def epochs_put_aside(self, candidate: str, role: Role, instance: int, sample: int) -> int:
        """Return after how many epochs an instance was put aside last; 0 if it never was."""
        return self._partial.get((candidate, role, instance, sample), 0)

    def measures(self, role: Role) -> list[Measure]:
        """Return the outcomes of a role without their curves, in the order of recording.

        Losses are +inf where the instance diverged or failed.
        """
        names = ("instance", "sample", "loss", "seconds")
        query = _outcomes(*(OUTCOMES.c[name] for name in names), sa.func.length(OUTCOMES.c.curve))

        def measure(row: Any) -> Measure:
            instance, sample, loss, seconds, octets, key = row
            numbers = number_of(instance), number_of(sample)
            return Measure(key, role, *numbers, float(loss), float(seconds), octets // 4)

        measures = self._rows.made_of(query.where(OUTCOMES.c.role == role), measure)
        return list({identity(one): one for one in measures}.values())

    def add(self, *outcomes: Outcome, retry: bool = False) -> None:
        """Record outcomes, all or none of them; they are on the disk when this returns.

        While a server is away, this waits for it. A training that was put aside is recorded apart,
        and its instance is as if unrecorded until it ends.

        ``retry`` records them as a further attempt at instances that failed. Raises `JournalError`
        if an instance is recorded already, a candidate unknown or the disk full.
        """
        if not outcomes:
            return
        if not self.store.writable:
            raise JournalError(f"{self.store.name} was opened to be read only: nothing is added")
        name, rows, added = self.store.name, [], {}
        aside: list[dict[str, Any]] = []
        partial: dict[Identity, int] = {}
        for outcome in outcomes:
            what = identity(outcome)
            last, status = self._latest.get(what, (-1, Status.FAILED))
            if outcome.candidate not in self._numbers:
                raise JournalError(f"{in_words(what)} is of a candidate that {name} does not know")
            if what in added or (last >= 0 and not (retry and status is Status.FAILED)):
                raise JournalError(f"{in_words(what)} is recorded in {name} already")
            if np.isnan(outcome.loss):
                raise JournalError(f"{in_words(what)} has the loss NaN; a loss is finite or +inf")
            if outcome.status is Status.PAUSED:
                if outcome.epochs > max(self._partial.get(what, 0), partial.get(what, 0)):
                    partial[what] = outcome.epochs
                    aside.append(partial_row_of(outcome, self._numbers[outcome.candidate]))
                continue
            added[what] = (last + 1, outcome.status)
            rows.append(row_of(outcome, self._numbers[outcome.candidate], last + 1))
        self._rows.insert((OUTCOMES, rows), (PARTIALS, aside))
        self._latest.update(added)
        self._partial.update(partial)

    @property
    def chain(self) -> Chain:
        """How far its chain of digests goes; empty in a journal of format 1, which has none."""
        return self._rows.chain

    def close(self) -> None:
        """Close it and let go of its lock; closing twice does nothing."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _changes(self, new: dict[str, Any], extends: Judge | None) -> tuple[str, ...] | None:
        """Return by what a study extends the journal's, None if it is the same; else refuse it."""
        found = mismatches(self.study, new)
        if not found:
            return None
        judged = "" if extends is None else extends(self.study, new)
        if isinstance(judged, Extension):
            return judged.changes
        more = f"; and {len(found) - 8} more" if len(found) > 8 else ""
        raise JournalMismatchError(
            f"{self.store.name} belongs to another study (journal -> now): "
            + "; ".join(found[:8])
            + f"{more}; change it back or give another journal"
            + (f"; {judged}" if judged else "")
        )

    def _upgrade(self) -> None:
        """Bring a journal of an older format to the present one, and note it."""
        old = self.store.format
        if old == FORMAT:
            self.store.run("opened", _complete)
            return
        note = {"from": old, "instances": self.count(), "version": version("surefoot")}

        def upgrade(connection: sa.Connection) -> None:
            _complete(connection)
            last = connection.execute(sa.select(sa.func.max(NOTES.c.id))).scalar() or 0
            row = {"name": "migrated", "content": canonical(note), "recorded": now()}
            connection.execute(NOTES.insert(), {"id": last + 1, **row})
            self.store.sign(connection)

        self._rows.write("opened", upgrade)

    def _extend(self, new: dict[str, Any], changes: tuple[str, ...]) -> None:
        """Make a description the study's and keep the earlier one, both or neither."""
        fresh, time = self.count(Role.CERTIFY) + self.count(Role.ASSESS), now()
        query = sa.select(STUDY.c.fingerprint, STUDY.c.description, STUDY.c.version)
        added = {"changes": json.dumps(changes), "fresh": fresh, "recorded": time}
        added["id"] = self.chain.last[EXTENSIONS.name] + 1

        def extend(connection: sa.Connection) -> None:
            before = connection.execute(query).one()
            connection.execute(EXTENSIONS.insert(), {**before._mapping, **added})
            connection.execute(STUDY.update().values(_described(new)))

        self._rows.write("written", extend, STUDY, EXTENSIONS)
        self.extended = Extended(self.study, changes, fresh, time)
        self.study = new

    def _declare(self, candidates: Iterable[Candidate]) -> None:
        """Record what candidates are, once each, so that their outcomes can be added."""
        new = {c.key: c for c in candidates if c.key not in self._numbers}
        numbers = {key: number for number, key in enumerate(new, start=len(self._numbers) + 1)}
        rows = [
            {
                "key": key,
                "family": candidate.family,
                "label": candidate.label,
                "spec": canonical(candidate.spec()),
            }
            for key, candidate in new.items()
        ]
        self._rows.insert((CANDIDATES, rows))
        self._numbers |= numbers

    def _read_study(self) -> dict[str, Any]:
        """Return the present description."""
        studies = self._rows.made_of(
            sa.select(STUDY.c.description), lambda row: _plain(row.description)
        )
        if len(studies) != 1:
            raise JournalError(f"{self.store.name} holds no study: it is not a whole journal")
        present: dict[str, Any] = modern(studies[0])
        return present

    def _read_numbers(self) -> dict[str, int]:
        """Return which row each candidate is."""
        known = sa.select(CANDIDATES.c.key, CANDIDATES.c.id).order_by(CANDIDATES.c.id)
        return dict(self._rows.made_of(known, tuple))

    @cached_property
    def _latest(self) -> dict[Identity, tuple[int, Status]]:
        """The latest attempt of every instance and how it ended; read when first asked for."""
        roles = {int(role): role for role in Role}
        statuses = {str(status): status for status in Status}
        names = ("role", "instance", "sample", "attempt", "status")

        def latest(row: Any) -> tuple[Identity, tuple[int, Status]]:
            role, instance, sample, attempt, status, key = row
            what = key, roles[role], number_of(instance), number_of(sample)
            return what, (number_of(attempt), statuses[status])

        return dict(self._rows.made_of(_outcomes(*(OUTCOMES.c[name] for name in names)), latest))

    @cached_property
    def _partial(self) -> dict[Identity, int]:
        """The epochs after which instances were put aside last; read when first asked for."""
        longest = sa.func.max(PARTIALS.c.epochs)
        what = (CANDIDATES.c.key, *(PARTIALS.c[name] for name in ("role", "instance", "sample")))
        query = sa.select(*what, longest).join_from(PARTIALS, CANDIDATES).group_by(*what)

        def partial(row: Any) -> tuple[Identity, int]:
            key, role, instance, sample, epochs = row
            return (key, Role(role), instance, sample), epochs

        return dict(self._rows.made_of(query, partial, PARTIALS))


def _complete(connection: sa.Connection) -> None:
    """Add the columns and the tables that an older journal lacks."""
    add_missing_columns(connection)
    TABLES.create_all(connection)


def _described(study: Mapping[str, Any]) -> dict[str, str]:
    """Return a description as columns of `STUDY`."""
    text, by = canonical(study), version("surefoot")
    return {"description": text, "fingerprint": fingerprint(text), "version": by}


_WHOLE = sa.text(f"{OUTCOMES.name}.*")
"""All the columns of outcomes that a journal has."""


def _outcomes(*columns: Any) -> sa.Select[Any]:
    """Return the query of columns of all outcomes and their candidates' keys, as recorded."""
    query = sa.select(*columns, CANDIDATES.c.key)
    return query.join_from(OUTCOMES, CANDIDATES).order_by(OUTCOMES.c.id)


def _plain(text: str) -> dict[str, Any]:
    """Return what JSON text describes; raise `TypeError` if it is not names with values."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError(f"{text[:40]!r} in place of a description")
    return found


def verify(path: str | os.PathLike[str]) -> Verified:
    """Check a journal's chain of digests, as opening it does.

    Raises `JournalError` if it is missing, no journal, damaged, or a row is not the one that was
    written; the message says which.
    """
    with Journal.read(path) as journal:
        return Verified(Place.of(path), journal.chain.last, journal.chain.digest.hex())
