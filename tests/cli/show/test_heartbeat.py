"""Outside a terminal a line says how far it is, however long a training takes."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from surefoot.cli import session
from surefoot.cli.session import counting
from surefoot.cli.show import console, live
from surefoot.cli.show.console import busy, every
from surefoot.cli.show.live import PlainLog
from surefoot.studies.duration import TimeLeft
from tests.studies.races import study


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Console:
    for module in (session, console, live):
        monkeypatch.setattr(module, "HEARTBEAT", 0.02)
    return Console(file=io.StringIO(), width=200)


def said(out: Console) -> str:
    time.sleep(0.1)
    return out.file.getvalue()


def test_a_count_is_told_before_the_first_and_between_two(out: Console) -> None:
    with counting(out, "instances", 2, 10) as advance:
        assert "instances: 2 of 10\n" in said(out)
        advance()
        assert "instances: 3 of 10, about " in said(out)
    told = said(out)
    assert said(out) == told
    assert told.startswith("instances: 8 to go (2 before)\n")


def test_what_takes_long_is_told(out: Console) -> None:
    with busy(out, "checking"):
        assert "checking: 0.0" in said(out)


def test_a_race_is_told_while_nothing_ends(out: Console) -> None:
    asked = study()
    progress = PlainLog(
        candidates=asked.candidates,
        criterion=asked.race.criterion,
        plan=asked.race.plan(),
        certifying_instances=12,
        time_left=TimeLeft(asked.candidates, asked.setting, 1),
        console=out,
    )
    with progress:
        progress.round_started(asked.race.plan()[0], 24)
        assert "0 instances trained · about" in said(out)


def test_nothing_is_said_after_an_error() -> None:
    told: list[int] = []
    with pytest.raises(KeyboardInterrupt), every(0.01, lambda: told.append(1)):
        raise KeyboardInterrupt
    count = len(told)
    time.sleep(0.05)
    assert len(told) == count
