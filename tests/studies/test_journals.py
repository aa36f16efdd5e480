"""The journals of a folder and of a database, as they are listed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import surefoot
from surefoot.errors import JournalError
from surefoot.journal import Journal, Place, journals_at
from surefoot.studies.assess.study import AssessStudy
from surefoot.studies.journals import Listed
from surefoot.studies.variance.study import VarianceStudy
from tests.fakes import Fake, fake_setting
from tests.journal.recorded import HOLDER, edit, run_script
from tests.postgres import Server
from tests.studies.races import run, study


def by_name(where: str | Path) -> dict[str, Listed]:
    found = surefoot.journals(where)
    assert [one.name for one in found] == sorted(one.name for one in found)
    return {one.name: one for one in found}


@pytest.fixture(params=["folder", "server"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Where journals are listed, and what comes before and after their names there."""
    if request.param == "folder":
        return str(tmp_path), f"{tmp_path}/{{}}"
    server: Server = request.getfixturevalue("postgres")
    server.sql("DROP DATABASE IF EXISTS listed", database="postgres")
    server.sql("CREATE DATABASE listed OWNER ann", database="postgres")
    return server.url(database="listed"), server.url("{}", database="listed")


def test_every_state_is_told(places: tuple[str, str]) -> None:
    where, named = places
    assert surefoot.journals(where) == []
    run(study(), named.format("a-race"))
    run(study(certify=0), named.format("b-uncertified"))
    study().open(named.format("c-begun")).close()
    asked = AssessStudy(
        candidate=Fake(), n=12, setting=fake_setting(), engine="fake", content=0.8, confidence=0.9
    )
    run(asked, named.format("d-assessed"))
    with study().open(named.format("e-running")):
        found = by_name(where)
    told = {name: (one.state, one.kind, one.progress) for name, one in found.items()}
    rounds = told["b-uncertified"][2]
    assert rounds.startswith("the race's ")
    assert told == {
        "a-race": ("finished", "select", f"{rounds}, 12 of 12 certified"),
        "b-uncertified": ("finished", "select", rounds),
        "c-begun": ("open", "select", "round 1, 24 of 24 candidates left"),
        "d-assessed": ("finished", "assess", "12 of 12 instances"),
        "e-running": ("running", "select", "round 1, 24 of 24 candidates left"),
    }
    assert by_name(where)["e-running"].state == "open"
    assert found["c-begun"].written is None
    age = datetime.now(UTC) - found["a-race"].written
    assert timedelta() < age < timedelta(minutes=5)
    with Journal.read(found["a-race"].place) as journal:
        assert journal.count() == found["a-race"].instances


def test_a_study_with_fixed_instances_says_how_many_are_left(tmp_path: Path) -> None:
    asked = VarianceStudy(
        candidate=Fake(),
        setting=fake_setting(),
        engine="fake",
        alone=5,
        draws=0,
        inits=0,
        tested=0,
    )
    asked.open(tmp_path / "a.db").close()
    run(asked, tmp_path / "b.db")
    planned = len(asked.instances())
    found = by_name(tmp_path)
    assert (found["a.db"].state, found["a.db"].progress) == ("open", f"0 of {planned} instances")
    assert found["b.db"].progress == f"{planned} of {planned} instances"
    assert (found["b.db"].state, found["b.db"].kind) == ("finished", "variance")


def test_a_writer_in_another_process_is_seen(tmp_path: Path) -> None:
    holder = run_script(HOLDER, tmp_path / "race.db")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert [busy for _, busy in journals_at(Place.of(tmp_path))] == [True]
    holder.kill()
    holder.communicate()
    assert [busy for _, busy in journals_at(Place.of(tmp_path))] == [False]


def test_other_files_are_passed_over_and_damage_is_told(tmp_path: Path) -> None:
    run(study(certify=0), tmp_path / "good.db")
    run(study(certify=0), tmp_path / "changed.db")
    edit(tmp_path / "changed.db", "UPDATE outcomes SET loss = 0.1 WHERE id = 3")
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "folder.db").mkdir()
    with closing(sqlite3.connect(tmp_path / "other.db")) as raw, raw:
        raw.execute("CREATE TABLE mine (x)")
    found = by_name(tmp_path)
    assert {name: one.state for name, one in found.items()} == {
        "good.db": "finished",
        "changed.db": "unreadable",
    }
    assert "was changed after it was written" in found["changed.db"].progress


def test_where_nothing_can_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no folder"):
        surefoot.journals(tmp_path / "nowhere")
