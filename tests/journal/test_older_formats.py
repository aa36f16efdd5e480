"""Journals as earlier versions left them are opened, resumed to the same bits and migrated.

``data`` holds those of version 0.1.0, of format 1: a race of four networks, whole and interrupted
after 7 of its 19 outcomes, both written by that version from the study file beside them.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import surefoot
from surefoot.journal import Journal, verify
from surefoot.journal.store import FORMAT

DATA = Path(__file__).parent / "data"


def format_of(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as raw:
        return int(raw.execute("PRAGMA user_version").fetchone()[0])


def recorded(path: Path) -> list[tuple[object, ...]]:
    """Return every outcome but for its duration and the order of recording."""
    with Journal.read(path) as journal:
        return sorted(
            (o.candidate, o.role, o.instance, o.sample, o.status, repr(o.loss), o.curve.tobytes())
            for o in journal.outcomes()
        )


@pytest.fixture
def half(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "race.db"
    shutil.copyfile(DATA / "half-0.1.0.db", path)
    return path


def test_there_is_a_journal_of_every_older_format() -> None:
    assert {format_of(path) for path in DATA.glob("*.db")} == set(range(1, FORMAT))


def test_a_journal_of_version_0_1_0_is_read_and_stays_as_it_is(half: Path) -> None:
    before = half.read_bytes()
    assert len(recorded(half)) == 7
    with Journal.read(half) as journal:
        assert journal.written()[0] == "0.1.0"
    assert verify(half).digest == ""
    assert half.read_bytes() == before


def test_a_race_of_version_0_1_0_goes_on_to_the_bits_it_would_have_had_there(half: Path) -> None:
    study = surefoot.read_study(DATA / "study-0.1.0.toml")
    selection = study.run(journal=half)
    assert selection.winner.key == "2a8b984245db1916"
    assert recorded(half) == recorded(DATA / "whole-0.1.0.db")
    assert format_of(half) == FORMAT
    assert verify(half).rows["outcomes"] == 19
    with Journal.read(half) as journal:
        assert journal.notes()["migrated"]["from"] == 1
        assert journal.notes()["migrated"]["instances"] == 7
        assert journal.written()[0] == "0.1.0"


def test_rules_are_tried_on_the_losses_of_version_0_1_0() -> None:
    whole = DATA / "whole-0.1.0.db"
    assert surefoot.rerace(whole).state.winner == "2a8b984245db1916"
    assert surefoot.rerace(whole, criterion="max").missing == {"fe4c2a4e0e8a3495": 1}
