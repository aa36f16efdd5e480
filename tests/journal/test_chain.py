"""Whatever is changed behind the journal's back is found, with the place."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import JournalError, JournalMismatchError
from surefoot.instances import Outcome, Status
from surefoot.journal import Extension, Journal, verify
from surefoot.seeds.ledger import Role
from tests.fakes import Fake
from tests.journal.recorded import FAKE, STUDY, edit, make_old, outcome

OTHER = Fake(quality=0.4)
CURVES = ("curve", "plain")
TABLES = ("study", "candidates", "extensions", "notes", "outcomes", "chain")


def extended(path: Path) -> None:
    """Write a journal with rows in all its tables."""
    with Journal.open(path, STUDY, [FAKE, OTHER], {"population": {"source": "a"}}) as journal:
        journal.add(*(outcome(number) for number in range(6)))
        journal.add(outcome(6, np.inf, status=Status.FAILED, message="out of memory"))
        journal.add(outcome(6, 0.5), retry=True)
    grown = STUDY | {"stopping": {"max_epochs": 200}}
    with Journal.open(
        path, grown, notes={"author": "one"}, extends=lambda old, new: Extension(("longer",))
    ) as journal:
        journal.add(outcome(0, role=Role.CERTIFY), outcome(1, candidate=OTHER.key))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chain") / "whole.db"
    extended(path)
    return path


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "copy.db"))


def content(path: Path) -> list[object]:
    """Return all that a journal gives back."""
    with Journal.read(path) as journal:
        outcomes = [
            (
                *(getattr(o, f) for f in Outcome.__dataclass_fields__ if f not in CURVES),
                *(getattr(o, f).tobytes() for f in CURVES),
            )
            for o in journal.outcomes()
        ]
        return [
            journal.study,
            journal.candidates(),
            journal.notes(),
            journal.extensions(),
            outcomes,
        ]


def test_a_whole_journal_says_what_it_holds(whole: Path) -> None:
    found = verify(whole)
    rows = {"study": 2, "candidates": 2, "extensions": 1, "notes": 2, "outcomes": 10, "partials": 0}
    assert found.rows == rows
    assert len(found.digest) == 64
    assert "as it was written (2 study, 2 candidates" in str(found)
    assert "no signature" in str(found)


def test_a_changed_loss_is_refused_with_its_place(copy: Path) -> None:
    edit(copy, "UPDATE outcomes SET loss = 0.01 WHERE id = 4")
    place = r"was changed after it was written: row 4 of its table 'outcomes' \(instance 3 of fake"
    for attempt in (Journal.read, lambda path: Journal.open(path, STUDY), verify):
        with pytest.raises(JournalError, match=place):
            attempt(copy)


def changed(value: object) -> object:
    """Return a value of the same kind that differs as little as can be."""
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, float):
        return float(np.nextafter(value, 0.0)) if np.isfinite(value) else 1e308
    return value + 1 if isinstance(value, int) else f"{value} "


@pytest.mark.parametrize("table", TABLES)
def test_every_changed_value_is_found(table: str, whole: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(whole)) as raw:
        cursor = raw.execute(f"SELECT * FROM {table}")
        columns, rows = [column[0] for column in cursor.description], cursor.fetchall()
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            if (table, column) == ("study", "id"):
                continue  # one row, which nothing refers to
            copy = Path(shutil.copy(whole, tmp_path / "copy.db"))
            with closing(sqlite3.connect(copy)) as raw, raw:
                raw.execute("PRAGMA foreign_keys = OFF")
                try:
                    raw.execute(
                        f'UPDATE {table} SET "{column}" = ? WHERE id = ?', (changed(value), row[0])
                    )
                except sqlite3.IntegrityError:
                    continue
            with pytest.raises(JournalError):
                Journal.read(copy)


@pytest.mark.parametrize("table", TABLES)
def test_every_deleted_row_is_found(table: str, whole: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(whole)) as raw:
        numbers = [number for (number,) in raw.execute(f"SELECT id FROM {table}")]
    for number in numbers:
        copy = Path(shutil.copy(whole, tmp_path / "copy.db"))
        edit(copy, f"DELETE FROM {table} WHERE id = {number}")
        with pytest.raises(JournalError):
            Journal.read(copy)


@given(pair=st.lists(st.integers(1, 10), min_size=2, max_size=2, unique=True), chain=st.booleans())
@settings(max_examples=25)
def test_every_exchange_of_two_rows_is_found(
    pair: list[int], chain: bool, whole: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(whole, tmp_path / "copy.db"))
    table, (one, other) = "chain" if chain else "outcomes", pair
    edit(
        copy,
        f"UPDATE {table} SET id = 1000 WHERE id = {one}",
        f"UPDATE {table} SET id = {one} WHERE id = {other}",
        f"UPDATE {table} SET id = {other} WHERE id = 1000",
    )
    with pytest.raises(JournalError):
        Journal.read(copy)


def test_an_added_row_is_found(copy: Path) -> None:
    columns = "candidate, role, instance + 50, sample, attempt, status, loss, seconds, engine"
    edit(
        copy,
        f"INSERT INTO outcomes SELECT 99, {columns}, message, recorded, curve, plain "
        "FROM outcomes WHERE id = 1",
    )
    with pytest.raises(JournalError, match=r"row 99 .* was not written by surefoot"):
        Journal.read(copy)


@given(data=st.data())
@settings(max_examples=150)
def test_no_changed_byte_changes_what_is_read(
    data: st.DataObject, whole: Path, tmp_path: Path
) -> None:
    """A byte of the file may be unused; then the journal reads as before, else it is refused."""
    octets = bytearray(whole.read_bytes())
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] ^= data.draw(st.integers(1, 255))
    copy = tmp_path / "copy.db"
    copy.write_bytes(octets)
    try:
        read = content(copy)
    except JournalError:
        return
    assert read == content(whole)


def test_a_journal_of_the_older_format_is_read_as_it_is_and_migrated_to_write(copy: Path) -> None:
    before = content(copy)
    make_old(copy)
    assert content(copy) == before
    assert verify(copy).digest == ""
    assert "without digests" in str(verify(copy))
    study = before[0]
    assert isinstance(study, dict)
    with Journal.open(copy, study) as journal:
        assert journal.notes()["migrated"]["from"] == 1
        assert journal.notes()["migrated"]["instances"] == 9
        journal.add(outcome(20))
    assert verify(copy).rows["outcomes"] == 11
    edit(copy, "UPDATE outcomes SET loss = 0.5 WHERE id = 2")
    with pytest.raises(JournalError, match="row 2 of its table 'outcomes'"):
        Journal.read(copy)


def test_a_journal_of_the_older_format_stays_so_where_another_study_is_refused(copy: Path) -> None:
    make_old(copy)
    before = copy.read_bytes()
    with pytest.raises(JournalMismatchError):
        Journal.open(copy, STUDY | {"seed": "1"})
    assert copy.read_bytes() == before


def test_a_migration_that_fails_leaves_the_journal_as_it_was(copy: Path) -> None:
    make_old(copy)
    edit(copy, "CREATE TRIGGER no BEFORE INSERT ON notes BEGIN SELECT RAISE(ABORT, 'no'); END")
    study = STUDY | {"stopping": {"max_epochs": 200}}
    with pytest.raises(JournalError, match="cannot be opened: no"):
        Journal.open(copy, study)
    edit(copy, "DROP TRIGGER no")
    assert verify(copy).digest == ""


def test_equal_records_written_alike_end_in_one_digest_and_others_do_not(tmp_path: Path) -> None:
    """The digest covers the times of recording, so that no two journals share it."""
    for name in ("a.db", "b.db"):
        extended(tmp_path / name)
    assert verify(tmp_path / "a.db").digest != verify(tmp_path / "b.db").digest


def test_columns_added_later_leave_the_digests_as_they_are(copy: Path) -> None:
    edit(copy, "ALTER TABLE outcomes ADD COLUMN later REAL")
    verify(copy)
    edit(copy, "UPDATE outcomes SET later = 0.5 WHERE id = 3")
    with pytest.raises(JournalError, match="row 3 of its table 'outcomes'"):
        verify(copy)


def test_who_follows_checks_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "race.db"
    with Journal.open(path, STUDY, [FAKE]) as journal, Journal.read(path) as follower:
        journal.add(outcome(0), outcome(1))
        assert [one.instance for one in follower.catch_up()] == [0, 1]
        journal.add(outcome(2))
        edit(path, "UPDATE outcomes SET loss = 0.1 WHERE instance = 2")
        with pytest.raises(JournalError, match=r"instance 2 .* is not the one that was written"):
            follower.catch_up()


def test_who_follows_learns_of_another_study_and_of_other_candidates(tmp_path: Path) -> None:
    path = tmp_path / "race.db"
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(outcome(0))
    with Journal.read(path) as follower:
        grown = STUDY | {"stopping": {"max_epochs": 200}}
        longer = Extension(("longer",))
        with Journal.open(path, grown, [OTHER], extends=lambda old, new: longer) as journal:
            journal.add(outcome(0, candidate=OTHER.key))
            assert [one.candidate for one in follower.catch_up()] == [OTHER.key]
            assert follower.study == grown
            assert list(follower.candidates()) == [FAKE.key, OTHER.key]


def test_a_journal_of_the_older_format_brings_nothing_new(tmp_path: Path) -> None:
    path = tmp_path / "race.db"
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(outcome(0))
    make_old(path)
    with Journal.read(path) as follower:
        assert follower.catch_up() == []
