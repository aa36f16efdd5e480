"""The journal's tables, in SQL of any dialect, and its outcomes as rows of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from surefoot.instances import Outcome, Status
from surefoot.seeds.ledger import Role

TABLES = sa.MetaData()


def _table(name: str, /, *constraints: sa.UniqueConstraint, **columns: Any) -> sa.Table:
    """Define a table of columns that are never null, numbered by ``id`` in the order of writing."""
    return sa.Table(
        name,
        TABLES,
        sa.Column("id", sa.Integer, primary_key=True),
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
        "message": outcome.message.encode(errors="backslashreplace").decode(),
        "recorded": now(),
        "curve": np.ascontiguousarray(outcome.curve, dtype="<f4").tobytes(),
        "plain": outcome.plain.astype("<f4").tobytes() or None,
    }


def outcome_of(row: sa.Row[Any]) -> Outcome:
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
        plain=np.frombuffer(getattr(row, "plain", None) or b"", dtype="<f4").astype(np.float32),
    )


def present_columns(connection: sa.Connection, table: sa.Table) -> list[sa.Column[Any]]:
    """Return the columns of a table that the journal has."""
    names = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    return [column for column in table.c if column.name in names]


def add_missing_columns(connection: sa.Connection) -> None:
    """Give an older journal the column that its outcomes lack."""
    if OUTCOMES.c.plain not in present_columns(connection, OUTCOMES):
        kind = OUTCOMES.c.plain.type.compile(connection.dialect)
        connection.execute(sa.text(f"ALTER TABLE {OUTCOMES.name} ADD COLUMN plain {kind}"))
