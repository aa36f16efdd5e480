"""A copy holds the same rows and digests, in any direction, whole or not at all."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from surefoot.errors import JournalError
from surefoot.instances import Status
from surefoot.journal import Extension, Journal, copy, verify
from surefoot.journal import copying as module
from surefoot.journal.chain import Chain, seal
from surefoot.journal.file import JournalFile
from surefoot.seeds.ledger import Role
from tests.journal.recorded import FAKE, STUDY, edit, make_old, outcome, same
from tests.postgres import Server

LONGER = {**STUDY, "stopping": {"max_epochs": 200}}
_numbers = itertools.count()


@pytest.fixture(params=["file", "server"])
def make_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Name places of a kind where no journal is yet."""
    if request.param == "file":
        return lambda: str(tmp_path / f"{next(_numbers)}.db")
    server: Server = request.getfixturevalue("postgres")
    return lambda: server.url(f"copy-{next(_numbers)}")


@pytest.fixture(params=["file", "server"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A journal of a kind with rows in all its tables."""
    place = str(tmp_path / "source.db")
    if request.param == "server":
        place = request.getfixturevalue("postgres").url(f"source-{next(_numbers)}")
    with Journal.open(place, STUDY, [FAKE], {"author": "one"}) as journal:
        journal.add(*map(outcome, range(25)))
        journal.add(outcome(30, np.inf, status=Status.FAILED, message="«no»"))
        journal.add(outcome(30, 5e-324, plain=np.array([0.5], np.float32)), retry=True)
    with Journal.open(place, LONGER, extends=lambda old, new: Extension(("longer",))) as journal:
        journal.add(outcome(0, role=Role.CERTIFY))
    return place


def test_a_copy_is_the_same_journal(
    source: str, make_place: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PIECE", 10)
    target = make_place()
    copied = copy(source, target)
    there, here = verify(target), verify(source)
    assert (copied.digest, copied.rows) == (there.digest, there.rows) == (here.digest, here.rows)
    assert str(copied.journal) == target
    with Journal.read(source) as one, Journal.read(target) as other:
        assert all(map(same, one.outcomes(), other.outcomes()))
        assert one.extensions() == other.extensions()
        assert (one.study, one.notes(), [when for when, _ in one.latest()]) == (
            other.study,
            other.notes(),
            [when for when, _ in other.latest()],
        )
    with Journal.open(target, LONGER, [FAKE]) as journal:
        journal.add(outcome(31))
    assert verify(target).rows["outcomes"] == 29


def test_a_copy_leaves_what_is_there_alone(source: str, make_place: Callable[[], str]) -> None:
    target = make_place()
    with Journal.open(target, STUDY, [FAKE]) as journal:
        journal.add(outcome())
    before = verify(target).digest
    with pytest.raises(JournalError, match="exists: copy to another name, or remove it first"):
        copy(source, target)
    assert verify(target).digest == before


def test_a_race_that_goes_on_is_copied_as_far_as_it_is(
    source: str, make_place: Callable[[], str]
) -> None:
    with Journal.open(source, LONGER, [FAKE]) as journal:
        assert copy(source, make_place()).rows["outcomes"] == 28
        journal.add(outcome(31))


def test_a_copy_that_fails_leaves_nothing(
    tmp_path: Path, make_place: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "a" / "race.db", make_place()
    source.parent.mkdir()
    with Journal.open(source, STUDY, [FAKE]) as journal:
        journal.add(*map(outcome, range(25)))
    monkeypatch.setattr(module, "PIECE", 10)
    found, left = module._found, itertools.count()

    def fails(*given: object) -> object:
        if next(left) == 3:
            raise JournalError("a disk failed")
        return found(*given)

    monkeypatch.setattr(module, "_found", fails)
    with pytest.raises(JournalError, match="a disk failed"):
        copy(source, target)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with pytest.raises(JournalError, match="there is no journal"):
        Journal.read(target)
    copy(source, target)


def test_a_changed_journal_is_not_copied(tmp_path: Path, make_place: Callable[[], str]) -> None:
    source, target = tmp_path / "race.db", make_place()
    with Journal.open(source, STUDY, [FAKE]) as journal:
        journal.add(outcome())
    edit(source, "UPDATE outcomes SET loss = 0.1")
    with pytest.raises(JournalError, match="was changed after it was written"):
        copy(source, target)
    with pytest.raises(JournalError, match="there is no journal"):
        Journal.read(target)


def test_what_cannot_be_copied_is_one_sentence(tmp_path: Path) -> None:
    source = tmp_path / "race.db"
    Journal.open(source, STUDY, [FAKE]).close()
    with pytest.raises(JournalError, match="in memory would be lost"):
        copy(source, ":memory:")
    with pytest.raises(JournalError, match="there is no journal"):
        copy(tmp_path / "none.db", tmp_path / "other.db")
    make_old(source)
    with pytest.raises(JournalError, match="of an older format"):
        copy(source, tmp_path / "other.db")
    assert [path.name for path in tmp_path.iterdir()] == ["race.db"]


def test_a_text_that_no_server_holds_is_one_sentence(tmp_path: Path, postgres: Server) -> None:
    source = tmp_path / "race.db"
    with Journal.open(source, {**STUDY, "kind": "x"}, [FAKE]) as journal:
        journal.add(outcome())
    edit(source, "UPDATE outcomes SET message = 'a' || char(0)", "DELETE FROM chain")
    file = JournalFile(source, writable=True)
    file.run("written", lambda connection: seal(connection, Chain()))
    file.close()
    with pytest.raises(JournalError, match="NUL"):
        copy(source, postgres.url("nul"))
