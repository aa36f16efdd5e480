"""Kinds of processors are noted where they may decide the last digits, and a mixture is said."""

from __future__ import annotations

from pathlib import Path

import pytest

import surefoot
from surefoot.engines import base
from surefoot.journal import Journal
from surefoot.testing import toy_population
from tests.fakes import Fake, FakeThreads


def assess(journal: Path, n: int) -> dict[str, list[str]]:
    surefoot.assess(Fake(), toy_population(), n=n, engine="fake", journal=journal)
    with Journal.read(journal) as read:
        noted: dict[str, list[str]] = read.notes().get("processors", {})
        return noted


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was said of processors."""
    return [message for message in caplog.messages if "trains on" in message]


def test_a_resume_on_another_kind_of_processor_warns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal = tmp_path / "a.db"
    monkeypatch.setattr(base, "processor", lambda: "Old 1")
    assert assess(journal, 2) == assess(journal, 3) == {"fake": ["Old 1"]}
    assert warned(caplog) == []
    monkeypatch.setattr(base, "processor", lambda: "New 2")
    assert assess(journal, 9) == {"fake": ["Old 1", "New 2"]}
    assert warned(caplog) == [
        "fake trains on New 2, and what is recorded was trained on Old 1: losses may differ in "
        "the last digits between them"
    ]
    assert assess(journal, 12) == {"fake": ["Old 1", "New 2"]}
    assert len(warned(caplog)) == 1


def test_an_engine_that_is_the_same_everywhere_notes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeThreads, "same_everywhere", True)
    assert assess(tmp_path / "a.db", 2) == {}
    with Journal.read(tmp_path / "a.db") as journal:
        assert "processors" not in journal.notes()


def test_this_processor_has_a_name() -> None:
    assert base.processor()
