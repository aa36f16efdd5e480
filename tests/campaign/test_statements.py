"""SQLite failing at any statement or commit: one sentence, and the same study goes on."""

from __future__ import annotations

import shutil
import sqlite3
from typing import Any

import pytest

import surefoot
from surefoot.errors import JournalError
from tests.campaign.campaign import both, campaign
from tests.campaign.races import content, write_race

CAUSES = ("disk I/O error", "database or disk is full", "database is locked", "interrupted")


class Faults:
    """Counts statements, and lets the one of a number fail."""

    def __init__(self) -> None:
        self.count, self.at, self.cause = 0, -1, ""

    def __call__(self) -> None:
        self.count += 1
        if self.count == self.at:
            raise sqlite3.OperationalError(self.cause)


@pytest.fixture
def faults(monkeypatch):
    made = Faults()

    class Cursor(sqlite3.Cursor):
        def execute(self, *arguments: Any) -> Any:
            made()
            return super().execute(*arguments)

        def executemany(self, *arguments: Any) -> Any:
            made()
            return super().executemany(*arguments)

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def commit(self) -> None:
            made()
            super().commit()

    whole = sqlite3.connect

    def connect(*arguments: Any, **options: Any) -> Any:
        return whole(*arguments, **{"factory": Connection, **options})

    monkeypatch.setattr(sqlite3, "connect", connect)
    monkeypatch.setattr(sqlite3.dbapi2, "connect", connect)
    return made


@both
def test_a_journal_that_fails_at_any_statement_loses_nothing(tmp_path, faults, slow):
    folder = write_race(tmp_path / "race")
    study = surefoot.read_study(folder / "s.toml")
    study.run(folder / "r.db", executor=surefoot.InlineExecutor())
    total, expected = faults.count, content(folder)
    part = campaign("statements", 6, 4 * total, slow=slow)
    refused = 0
    for number, dice in enumerate(part.dice()):
        for old in folder.glob("r.db*"):
            old.unlink()
        faults.count, faults.cause = 0, CAUSES[number % len(CAUSES)]
        faults.at = dice.randrange(1, total + 1)
        if part.inputs == 4 * total:
            faults.at, faults.cause = number // 4 + 1, CAUSES[number % 4]
        where = f"statement {faults.at} of {total}: {faults.cause}"
        try:
            study.run(folder / "r.db", executor=surefoot.InlineExecutor())
        except JournalError:
            refused += 1
        faults.at = -1
        study.run(folder / "r.db", executor=surefoot.InlineExecutor())
        assert content(folder) == expected, where
    assert refused
    print(f"{part.name}: {refused} of {part.inputs} faults told in one sentence")
    shutil.rmtree(folder)
