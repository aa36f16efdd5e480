"""What a journal records and gives back: in types, and as tables in SQL of any dialect."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from surefoot.instances import Outcome, Status
from surefoot.seeds.ledger import MAX_NUMBER, Role

Identity = tuple[str, Role, int, int]
"""What is recorded once: candidate key, role, instance number, training examples."""


class Known(NamedTuple):
    """A candidate as the journal describes it; ``spec`` and ``family`` rebuild it."""

    family: str
    spec: dict[str, Any]
    label: str


class Extension(NamedTuple):
    """A changed description under which everything recorded stays valid; the changes in words."""

    changes: tuple[str, ...]


class Extended(NamedTuple):
    """An extension recorded: when (UTC, ISO 8601), what in words, and the ``study`` before it.

    ``fresh`` outcomes of certificates and assessments were in the journal by then.
    """

    study: dict[str, Any]
    changes: tuple[str, ...]
    fresh: int
    recorded: str


class Measure(NamedTuple):
    """An outcome without its curve; the names are those of `Outcome`."""

    candidate: str
    role: Role
    instance: int
    sample: int
    loss: float
    seconds: float
    epochs: int


def identity(outcome: Outcome | Measure) -> Identity:
    """Return what identifies the instance of an outcome."""
    return outcome.candidate, outcome.role, outcome.instance, outcome.sample


def in_words(what: Identity) -> str:
    """Return how messages call an instance."""
    candidate, role, instance, sample = what
    return f"instance {instance} of {candidate} ({role.name.lower()}, {sample} examples)"


TABLES = sa.MetaData()


def _table(name: str, /, *constraints: sa.UniqueConstraint, **columns: Any) -> sa.Table:
    """Define a table of columns that are never null.

    ``id`` numbers the rows from 1 in the order of writing; the writer gives it.
    """
    return sa.Table(
        name,
        TABLES,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(column, kind, nullable=False) for column, kind in columns.items()),
        *constraints,
    )


STUDY = _table("study", fingerprint=sa.Text, description=sa.Text, version=sa.Text, created=sa.Text)
"""One row: the study as JSON text, in which integers of any size keep all their digits. An
extension replaces it and keeps what stood there in `EXTENSIONS`."""

NOTES = _table("notes", name=sa.Text, content=sa.Text, recorded=sa.Text)
"""What decides no result, as JSON text; the latest row of a name counts. Older journals lack the
table."""

EXTENSIONS = _table(
    "extensions",
    fingerprint=sa.Text,
    description=sa.Text,
    version=sa.Text,
    changes=sa.Text,
    fresh=sa.Integer,
    recorded=sa.Text,
)
"""The earlier descriptions of the study, oldest first, each as it stood until ``recorded``; what
was changed then, as a JSON list of words. Older journals lack the table."""

CANDIDATES = _table(
    "candidates",
    sa.UniqueConstraint("key"),
    key=sa.Text,
    family=sa.Text,
    label=sa.Text,
    spec=sa.Text,
)
"""One row per candidate whose outcomes may be recorded; ``spec`` is JSON text."""

OUTCOMES = _table(
    "outcomes",
    sa.UniqueConstraint("candidate", "role", "instance", "sample", "attempt"),
    candidate=sa.ForeignKey("candidates.id"),
    role=sa.Integer,
    instance=sa.BigInteger,
    sample=sa.BigInteger,
    attempt=sa.Integer,
    status=sa.Text,
    loss=sa.Float,
    seconds=sa.Float,
    engine=sa.Text,
    message=sa.Text,
    recorded=sa.Text,
    curve=sa.LargeBinary,
)
OUTCOMES.append_column(sa.Column("plain", sa.LargeBinary))
"""One row per outcome. ``attempt`` is 0; only a failed instance may be followed by an attempt 1, 2,
…, and then the latest counts. ``curve`` and ``plain`` hold little-endian float32, ``plain`` null
without averaged weights; ``recorded`` is UTC. Older journals lack ``plain``, until they are opened
to write."""

PARTIALS = _table(
    "partials",
    sa.UniqueConstraint("candidate", "role", "instance", "sample", "epochs"),
    candidate=sa.ForeignKey("candidates.id"),
    role=sa.Integer,
    instance=sa.BigInteger,
    sample=sa.BigInteger,
    epochs=sa.Integer,
    seconds=sa.Float,
    engine=sa.Text,
    recorded=sa.Text,
    curve=sa.LargeBinary,
)
"""One row per time that a training was put aside: its curve until then, as in `OUTCOMES`, whose row
ends it. Older journals lack the table, until they are opened to write."""

CHAIN = _table("chain", part=sa.Text, row=sa.BigInteger, digest=sa.LargeBinary)
"""One entry per row of the tables above, in the order of writing: the chain of their digests
(`surefoot.journal.chain`). Journals of format 1 lack it."""


def now() -> str:
    """Return the time in UTC, ISO 8601 with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def row_of(outcome: Outcome, candidate: int, attempt: int) -> dict[str, Any]:
    """Return an outcome as a row of `OUTCOMES`; ``candidate`` is its row in `CANDIDATES`."""
    return {
        "candidate": candidate,
        "role": int(outcome.role),
        "instance": int(outcome.instance),
        "sample": int(outcome.sample),
        "attempt": attempt,
        "status": str(outcome.status),
        "loss": float(outcome.loss),
        "seconds": float(outcome.seconds),
        "engine": outcome.engine,
        "message": _plain_text(outcome.message),
        "recorded": now(),
        "curve": np.ascontiguousarray(outcome.curve, dtype="<f4").tobytes(),
        "plain": outcome.plain.astype("<f4").tobytes() or None,
    }


def partial_row_of(outcome: Outcome, candidate: int) -> dict[str, Any]:
    """Return the outcome of a training put aside as a row of `PARTIALS`."""
    row = row_of(outcome, candidate, 0)
    return {name: row[name] for name in row if name in PARTIALS.c} | {"epochs": outcome.epochs}


def partial_of(row: sa.Row[Any]) -> Outcome:
    """Return the outcome a row of `PARTIALS` holds, joined with its candidate's ``key``."""
    curve = np.frombuffer(row.curve, dtype="<f4").astype(np.float32)
    return Outcome(
        candidate=row.key,
        role=Role(row.role),
        instance=row.instance,
        sample=row.sample,
        status=Status.PAUSED,
        loss=float(curve[-1]),
        curve=curve,
        seconds=row.seconds,
        engine=row.engine,
    )


def _plain_text(text: str) -> str:
    """Return a text with what no database holds, halves of characters and NUL, written out."""
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\x00")


def number_of(value: Any) -> int:
    """Return an instance's number or a sample's size; raise `TypeError` for anything else."""
    if type(value) is not int or not 0 <= value < MAX_NUMBER:
        raise TypeError(f"{str(value)[:40]!r} in place of a number")
    return value


def text_of(value: Any) -> str:
    """Return text; raise `TypeError` for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} in place of text")
    return value


def outcome_of(row: sa.Row[Any]) -> Outcome:
    """Return the outcome a row of `OUTCOMES` holds, joined with its candidate's ``key``."""
    return Outcome(
        candidate=row.key,
        role=Role(row.role),
        instance=number_of(row.instance),
        sample=number_of(row.sample),
        status=Status(row.status),
        loss=float(row.loss),
        curve=np.frombuffer(row.curve, dtype="<f4").astype(np.float32),
        seconds=float(row.seconds),
        engine=text_of(row.engine),
        message=text_of(row.message),
        plain=np.frombuffer(getattr(row, "plain", None) or b"", dtype="<f4").astype(np.float32),
    )


def is_there(connection: sa.Connection, table: sa.Table) -> bool:
    """Say whether a journal has a table, which older ones may lack; found once, it stays."""
    found: set[str] = connection.info.setdefault("tables", set())
    if table.name not in found and sa.inspect(connection).has_table(table.name):
        found.add(table.name)
    return table.name in found


def add_missing_columns(connection: sa.Connection) -> None:
    """Give an older journal the column that its outcomes lack."""
    columns = sa.inspect(connection).get_columns(OUTCOMES.name)
    if "plain" not in [column["name"] for column in columns]:
        kind = OUTCOMES.c.plain.type.compile(connection.dialect)
        connection.execute(sa.text(f"ALTER TABLE {OUTCOMES.name} ADD COLUMN plain {kind}"))
