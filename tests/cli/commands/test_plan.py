"""The command plan, on small showers."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time

import pytest

from surefoot.studies.duration import duration_words
from tests.cli.commands.small import count
from tests.conftest import STUDY

SPACE = """
[stopping]
max_epochs = 2

[space]
channels = [2]
hidden = [3]
learning_rate = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]
batch_size = [16, 32]
"""
OPTIONS = ("--candidates", "8", "--instances", "3", "--races", "12")


@pytest.fixture
def wide(folder) -> str:
    """A study of ten networks with a screen; the scaled sum beats all of them."""
    start, end = STUDY.index("[space]"), STUDY.index("[race]")
    (folder / "wide.toml").write_text(STUDY[:start] + SPACE + STUDY[end:])
    return "wide.toml"


def test_plan_trains_a_pilot_and_prints_every_race(run, folder, wide) -> None:
    code, out, err = run("plan", wide, *OPTIONS)
    assert (code, err) == (0, "")
    assert "pilot: 27 to go" in out  # eight networks and the baseline
    assert count("wide-pilot.db") == 27
    assert re.search(r"yours \(paper\) +1\d ", out)
    for name in ("default", "paper, warm-up 5", "flat, lean", "flat, rich", "no screen"):
        assert name in out
    assert (folder / "wide-plan.png").stat().st_size > 10_000
    _, again, _ = run("plan", wide, *OPTIONS)
    assert "pilot:" not in again
    _, taken, _ = run("plan", wide, *OPTIONS, "--from", "wide-pilot.db", "-f", "other.svg")
    assert (folder / "other.svg").exists()
    start, end = "trainings", "Figure"
    assert taken[taken.index(start) : taken.index("Figure")].split() == (
        again[again.index(start) : again.index("Journal  ")].split()
    )
    assert end in taken


def test_the_advice_says_what_to_write(run, folder, wide) -> None:
    """The screen would remove everybody, which the plan finds and says."""
    _, out, _ = run("plan", wide, *OPTIONS)
    said = " ".join(out.split())
    assert "yours, no screen" in said
    advice = said[said.index("Advice") : said.index("Basis")]
    assert "yours, no screen" in advice
    assert "screen = false" in advice
    assert "the screen removes the best candidate in 100% of the races" in said
    assert re.search(r"> +yours, no screen", out)
    assert "no winner" in out


def test_a_regret_that_nothing_reaches(run, folder, wide) -> None:
    _, out, _ = run("plan", wide, *OPTIONS, "--regret", "0")
    assert "the one that regrets least; none stays below 0 %" in " ".join(out.split())


def test_figures_and_journals_that_cannot_be_written(run, folder, wide) -> None:
    code, _, err = run("plan", wide, "--figure", "plan.doc")
    assert code == 2
    assert "'.doc'" in err
    code, _, err = run("plan", wide, "--journal", "nowhere/p.db")
    assert code == 2
    assert "nowhere" in err
    assert not (folder / "wide-pilot.db").exists()


def test_small_studies_need_no_plan(run, folder) -> None:
    code, _, err = run("plan", "small.toml")
    assert code == 2
    assert "6 candidates" in err


def test_times_are_in_words() -> None:
    assert duration_words(3.0) == "3 s"
    assert duration_words(0.4) == "0.4 s"


@pytest.mark.slow
def test_ctrl_c_in_the_pilot_loses_nothing(run, folder, wide) -> None:
    text = (folder / wide).read_text()
    (folder / wide).write_text(
        text.replace("max_epochs = 2", "max_epochs = 4000\nreading = 'none'")
    )
    code = "from surefoot.cli.main import main; main()"
    plan = subprocess.Popen(
        [sys.executable, "-c", code, "plan", wide, *OPTIONS], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while count("wide-pilot.db") < 3:
        assert plan.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    plan.send_signal(signal.SIGINT)
    _, err = plan.communicate(timeout=30)
    assert plan.returncode == 130
    assert "the same command goes on" in err
    assert "Traceback" not in err
    before = count("wide-pilot.db")
    assert 3 <= before < 27
    status, out, _ = run("plan", wide, *OPTIONS)
    assert status == 0
    assert f"pilot: {27 - before} to go ({before} before)" in out


def test_a_criterion_of_the_tail_comes_with_a_warning(run, folder, wide) -> None:
    text = (folder / wide).read_text()
    (folder / wide).write_text(text.replace("seed = 5", 'seed = 5\ncriterion = "max"'))
    _, out, _ = run("plan", wide, *OPTIONS)
    assert "a pilot shows little of the tails that decide max" in " ".join(out.split())
    assert "exact max" in out
