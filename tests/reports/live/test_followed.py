"""Journals followed: what is new is told at once, and what has not changed is not read."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from surefoot.errors import JournalError
from surefoot.instances import Status
from surefoot.journal import Journal, Place
from surefoot.reports.live import followed as module
from surefoot.reports.live.followed import Followed, Reader
from surefoot.reports.views.kinds import views_of
from surefoot.studies.select.selection import recorded_selection
from tests.journal.recorded import edit, make_old
from tests.reports.raced import Drawn, large_study, write

STUDY = large_study(16, certify=4, schedule="halving")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "race.db"


def follow(path) -> Followed:
    return Followed("race", Place.of(path))


def test_a_followed_race_stands_where_a_race_read_anew_stands(path, monkeypatch):
    monkeypatch.setattr(module, "SHARE", 1e9)
    one = follow(path)
    with STUDY.open(path) as journal:
        for outcomes in Drawn(STUDY).rounds():
            journal.add(*outcomes)
            assert one.look()
            assert one.draw()
            with Journal.read(path) as read:
                anew = recorded_selection(read)
                views = [view.name for view in views_of(read)]
            assert one.snapshot.progress.done == journal.count()
            assert one.snapshot.latest[-1][1].instance == outcomes[-1].instance
            assert one.snapshot.standing == anew.standing()
            assert [view.name for view in one.snapshot.views] == views
            assert not one.look()
            assert not one.draw()
    assert one.snapshot.state(datetime.now(UTC)) == "finished"
    one.rest()
    one.put_down()


def test_a_journal_that_has_not_changed_is_not_asked(path, monkeypatch):
    write(path, STUDY, 16)
    one = follow(path)
    assert one.look()
    one.look()  # SQLite's log appeared beside the file when it was opened

    def refuse(*arguments: object) -> None:
        raise AssertionError("the journal was read")

    monkeypatch.setattr(Journal, "catch_up", refuse)
    monkeypatch.setattr(Journal, "read", refuse)
    assert not one.look()
    one.rest()
    one.put_down()


def test_views_that_take_long_wait_while_everything_else_is_told(path, monkeypatch):
    one, made = follow(path), []
    monkeypatch.setattr(module, "views_of", lambda journal: made.append(journal.count()) or ())
    monkeypatch.setattr(module, "SHARE", 1e-9)
    with STUDY.open(path) as journal:
        for outcomes in list(Drawn(STUDY).rounds())[:2]:
            journal.add(*outcomes)
            assert one.look()
            assert one.draw() is (len(outcomes) == 16)
            assert one.snapshot.progress.done == journal.count()
    assert made == [16]
    one.rest()
    one.put_down()


def test_a_failed_instance_that_is_tried_again_counts_once(path):
    study = large_study(4, certify=0)
    drawn = Drawn(study)
    first = [drawn.outcome(one.key, module.Role.RACE, 0) for one in study.candidates]
    lost = drawn.outcome(study.candidates[0].key, module.Role.RACE, 0)
    object.__setattr__(lost, "status", Status.FAILED)
    object.__setattr__(lost, "loss", float("inf"))
    one = follow(path)
    with study.open(path) as journal:
        journal.add(lost, *first[1:])
        one.look()
        journal.add(first[0], retry=True)
        one.look()
        anew = recorded_selection(journal)
    assert one.snapshot.progress.done == 4
    assert one._selection.losses(lost.candidate).tolist() == [first[0].loss]
    assert one._selection.state.ranking == anew.state.ranking
    one.rest()
    one.put_down()


def test_a_journal_changed_behind_its_back_is_told_and_read_again_once_restored(path, tmp_path):
    write(path, STUDY, 16)
    one = follow(path)
    one.look()
    whole = path.read_bytes()
    edit(path, "UPDATE outcomes SET loss = 0.1 WHERE id = 3")
    one.rest()
    one.put_down()
    one._mark = None
    assert one.look()
    assert "row 3 of its table 'outcomes'" in one.snapshot.trouble
    assert one.snapshot.state(datetime.now(UTC)) == "cannot be read"
    restored = tmp_path / "restored"
    restored.write_bytes(whole)
    restored.replace(path)
    one._again = 0.0
    assert one.look()
    assert one.snapshot.trouble == ""
    assert one.snapshot.progress.done == 16
    one.rest()
    one.put_down()


def test_another_file_in_its_place_is_read_from_its_beginning(path, tmp_path):
    write(path, STUDY, 16)
    one = follow(path)
    one.look()
    write(tmp_path / "other.db", large_study(9))
    (tmp_path / "other.db").replace(path)
    assert one.look()
    assert one.snapshot.progress.left == 0
    assert len(one._selection.table.keys) == 9
    one.rest()
    one.put_down()


def test_a_journal_of_the_older_format_is_shown(path):
    write(path, STUDY, 16)
    make_old(path)
    one = follow(path)
    assert one.look()
    assert one.snapshot.progress.done == 16
    one.rest()
    one.put_down()


def test_a_race_that_nobody_survives_is_told_with_its_reason(path):
    study = large_study(4, certify=0, schedule="halving")
    with study.open(path) as journal:
        drawn = Drawn(study)
        for one in study.candidates:
            outcome = drawn.outcome(one.key, module.Role.RACE, 0)
            object.__setattr__(outcome, "status", Status.DIVERGED)
            object.__setattr__(outcome, "loss", float("inf"))
            journal.add(outcome)
    one = follow(path)
    one.look()
    assert "diverged" in one.snapshot.trouble
    assert one.snapshot.state(datetime.now(UTC)) == "ended without a winner"
    one.rest()
    one.put_down()


def test_a_known_journal_is_not_opened_anew_when_others_are_looked_for(tmp_path, monkeypatch):
    write(tmp_path / "a.db", STUDY, 16)
    reader, asked = Reader(Place.of(tmp_path)), []
    write(tmp_path / "b.db", STUDY, 16)
    monkeypatch.setattr(module, "is_journal", lambda file: asked.append(file.name) or True)
    reader._find()
    assert asked == ["b.db"], "closing a file that SQLite has open drops its locks"
    assert reader.names == ["a.db", "b.db"]


def test_a_journal_on_a_server_and_all_of_its_database_are_followed(postgres):
    place = Place.of(postgres.url("followed"))
    with STUDY.open(place) as journal:
        rounds = Drawn(STUDY).rounds()
        journal.add(*next(rounds))
        one = Followed("followed", place)
        assert one.look()
        assert not one.look()
        journal.add(*next(rounds))
        assert one.look()
        assert one.draw()
        assert one.snapshot.progress.done == journal.count() == 24
        one.rest()
        one.put_down()
    reader = Reader(Place.of(postgres.url()))
    assert "followed" in reader.names
    assert Reader(place).names == ["followed"]


def test_a_folder_without_journals_and_a_missing_one_are_refused(tmp_path):
    with pytest.raises(JournalError, match="there is no journal in"):
        Reader(Place.of(tmp_path))
    with pytest.raises(JournalError, match="there is no journal"):
        Reader(Place.of(tmp_path / "missing.db"))


def test_a_reader_tells_who_watches_and_finds_new_journals(tmp_path):
    write(tmp_path / "a.db", STUDY, 16)
    reader = Reader(Place.of(tmp_path))
    told, seen = [], threading.Event()

    def tell(snapshot) -> None:
        told.append(snapshot)
        if snapshot.progress.done == 17:
            seen.set()

    reader.start()
    try:
        reader.watch("a.db", tell)
        for _ in range(400):
            if any(one.views for one in told):
                break
            seen.wait(0.05)
        with STUDY.open(tmp_path / "a.db") as journal:
            rounds = Drawn(STUDY).rounds()
            next(rounds)
            journal.add(next(rounds)[0])
            assert seen.wait(20.0)
        reader.leave("a.db", tell)
        for _ in range(400):
            if not list(tmp_path.glob("*-wal")):
                break
            seen.clear()
            seen.wait(0.05)
        assert not list(tmp_path.glob("*-wal")), "a journal that nobody looks at stays open"
        write(tmp_path / "b.db", STUDY, 16)
        found = threading.Event()
        for _ in range(400):
            if reader.snapshot("b.db") and reader.snapshot("b.db").progress:
                break
            reader.listed()
            found.wait(0.05)
        assert [one.name for one in reader.listed()] == ["a.db", "b.db"]
        assert reader.snapshot("b.db").progress.done == 16
    finally:
        reader.stop()
    assert any(one.views for one in told)
    assert reader.snapshot("c.db") is None
