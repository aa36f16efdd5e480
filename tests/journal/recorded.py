"""A small study and its outcomes, for journals to record."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from surefoot.instances import Outcome, Status
from surefoot.seeds.ledger import Role
from tests.fakes import Fake

ROOT = Path(__file__).parents[2]
FAKE = Fake(quality=0.3, when=(1, 2))
STUDY = {"seed": str(2**64 - 1), "stopping": {"max_epochs": 100}, "candidates": [FAKE.key]}


def outcome(number: int = 0, loss: float = 0.25, **changes: object) -> Outcome:
    curve = np.array([1.5, np.nan, 0.25], np.float32)
    made = Outcome(FAKE.key, Role.RACE, number, 20, Status.FINISHED, loss, curve, 0.125, "fake", "")
    return replace(made, **changes)


def edit(path: Path, *statements: str) -> None:
    """Change a journal behind surefoot's back."""
    with closing(sqlite3.connect(path)) as raw, raw:
        for statement in statements:
            raw.execute(statement)


def make_old(path: Path, *missing: str) -> None:
    """Make a journal one of format 1, from before digests, without the tables ``missing`` then."""
    tables = [f"DROP TABLE {table}" for table in ("chain", *missing)]
    column = "ALTER TABLE outcomes DROP COLUMN plain"
    edit(path, *tables, column, "PRAGMA user_version = 1")


def same(one: Outcome, other: Outcome) -> bool:
    fields = ("candidate", "role", "instance", "sample", "status", "loss", "engine", "message")
    return (
        all(getattr(one, name) == getattr(other, name) for name in fields)
        and one.seconds == other.seconds
        and one.curve.dtype == other.curve.dtype == np.float32
        and one.curve.tobytes() == other.curve.tobytes()
        and one.plain.dtype == other.plain.dtype == np.float32
        and one.plain.tobytes() == other.plain.tobytes()
    )


HOLDER = """
    import sys, time
    from surefoot.journal import Journal
    from tests.journal.recorded import FAKE, STUDY, outcome

    journal = Journal.open(sys.argv[1], STUDY, [FAKE])
    journal.add(outcome(0))
    print("held", flush=True)
    number = 1
    while True:
        journal.add(outcome(number))
        number += 1
        print(number, flush=True)
"""


def run_script(text: str, *arguments: object, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(text), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )
