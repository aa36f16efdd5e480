"""The journal's tables and what their rows mean; nothing here opens a file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from surefoot.instances import Outcome, Status
from surefoot.seeds.ledger import Role

APPLICATION = 0x53464A31
"""SQLite's ``application_id`` of a journal: the letters SFJ1."""

FORMAT = 1
"""SQLite's ``user_version``: raised whenever the tables change."""

_metadata = sa.MetaData()

STUDY = sa.Table(
    "study",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("created", sa.Text, nullable=False),
)
"""One row: the study as JSON text, in which integers of any size keep all their digits. An
extension replaces it and keeps what stood there in `EXTENSIONS`."""

NOTES = sa.Table(
    "notes",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("recorded", sa.Text, nullable=False),
)
"""What decides no result, as JSON text; the latest row of a name counts. Older journals lack the
table."""

EXTENSIONS = sa.Table(
    "extensions",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("changes", sa.Text, nullable=False),
    sa.Column("fresh", sa.Integer, nullable=False),
    sa.Column("recorded", sa.Text, nullable=False),
)
"""The earlier descriptions of the study, oldest first, each as it stood until ``recorded``; what
was changed then, as a JSON list of words. Older journals lack the table."""

CANDIDATES = sa.Table(
    "candidates",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("family", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
)

OUTCOMES = sa.Table(
    "outcomes",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("candidate", sa.ForeignKey("candidates.id"), nullable=False),
    sa.Column("role", sa.Integer, nullable=False),
    sa.Column("instance", sa.BigInteger, nullable=False),
    sa.Column("sample", sa.BigInteger, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("loss", sa.Float, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("recorded", sa.Text, nullable=False),
    sa.Column("curve", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("candidate", "role", "instance", "sample", "attempt"),
)
"""One row per outcome. ``attempt`` is 0; only a failed instance may be followed by an attempt 1, 2,
…, and then the latest counts. ``curve`` holds little-endian float32, ``recorded`` UTC."""


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


def create_tables(connection: sa.Connection) -> None:
    """Create the tables and sign the file as a journal, within the caller's transaction."""
    _metadata.create_all(connection)
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION}")
    connection.exec_driver_sql(f"PRAGMA user_version = {FORMAT}")


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
        "message": outcome.message.encode(errors="backslashreplace").decode(),
        "recorded": now(),
        "curve": np.ascontiguousarray(outcome.curve, dtype="<f4").tobytes(),
    }


def outcome_of_row(row: sa.Row[Any]) -> Outcome:
    """Return the outcome a row of `OUTCOMES` holds, joined with its candidate's ``key``."""
    return Outcome(
        candidate=row.key,
        role=Role(row.role),
        instance=row.instance,
        sample=row.sample,
        status=Status(row.status),
        loss=row.loss,
        curve=np.frombuffer(row.curve, dtype="<f4").astype(np.float32),
        seconds=row.seconds,
        engine=row.engine,
        message=row.message,
    )
