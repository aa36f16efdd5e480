"""Killed and interrupted races go on to the same end; real processes, real signals."""

import os
import signal
import subprocess
import sys
import time

import pytest

from surefoot.errors import JournalError
from surefoot.journal import Journal

COMMAND = [sys.executable, "-c", "from surefoot.cli.main import main; main()", "select"]


def start(*arguments):
    return subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def recorded(path):
    with Journal.read(path) as journal:
        return {
            (o.candidate, o.role, o.instance): (o.loss.hex(), o.curve.tobytes())
            for o in journal.outcomes()
        }


def count(path):
    """Return the outcomes recorded so far, 0 while there is no whole journal yet."""
    try:
        return len(recorded(path))
    except JournalError:
        return 0


def wait_for(process, path, outcomes):
    deadline = time.monotonic() + 240
    while count(path) < outcomes:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def longer(folder):
    """A study whose race and certificate take some seconds."""
    text = (folder / "networks.toml").read_text()
    for old, new in (
        ("max_epochs = 3", "max_epochs = 400\nreading = 'none'"),
        ("channels = [2]", "channels = [[2], [3], [4], [5]]"),
        ("n = 3", "n = 12"),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "networks.toml").write_text(text)
    return folder


@pytest.mark.slow
def test_a_race_killed_three_times_ends_as_one_that_was_not(longer):
    whole = start("networks.toml", "-j", "whole.db")
    out, err = whole.communicate(timeout=300)
    assert (whole.returncode, err) == (0, "")
    for outcomes in (3, 14, 25):
        killed = start("networks.toml", "-j", "killed.db")
        wait_for(killed, "killed.db", outcomes)
        os.kill(killed.pid, signal.SIGKILL)
        killed.communicate()
        assert killed.returncode == -signal.SIGKILL
    last = start("networks.toml", "-j", "killed.db")
    resumed, err = last.communicate(timeout=300)
    assert (last.returncode, err) == (0, "")
    assert "resumed: " in resumed
    assert recorded("killed.db") == recorded("whole.db")
    end = out[out.index("Winner") : out.index("Journal ")]
    assert resumed[resumed.index("Winner") : resumed.index("Journal ")] == end


@pytest.mark.slow
def test_ctrl_c_stops_within_two_seconds_and_loses_nothing(longer):
    interrupted = start("networks.toml", "-j", "r.db")
    wait_for(interrupted, "r.db", 5)
    before = count("r.db")
    began = time.monotonic()
    interrupted.send_signal(signal.SIGINT)
    _, err = interrupted.communicate(timeout=30)
    assert time.monotonic() - began < 3.0
    assert interrupted.returncode == 130
    assert "Go on with: surefoot select networks.toml --journal r.db" in err
    assert count("r.db") >= before
    assert "Traceback" not in err
