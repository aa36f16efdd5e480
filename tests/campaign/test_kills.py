"""SIGKILL at random moments, of races and of their workers: in the end not a bit is another."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.campaign.campaign import campaign
from tests.campaign.races import content, finish, start, write_race


def children(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def killed(process: int) -> None:
    """Kill a process if it is still there."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("name", "workers", "slow"),
    [
        ("sums", 1, False),
        pytest.param("sums", 1, True, marks=pytest.mark.slow),
        pytest.param("estimators", 2, True, marks=pytest.mark.slow),
    ],
)
def test_killed_races_end_bit_for_bit_as_others(tmp_path, name, workers, slow):
    part = campaign(f"kills of {name}", 1, 500, slow=slow)
    whole = write_race(tmp_path / "whole", name)
    began = time.monotonic()
    assert finish(whole, workers) == (0, "")
    usual, expected = time.monotonic() - began, content(whole)
    kills, races = 0, 0
    dice = (random.Random(f"{part.name} {part.seed} {number}") for number in itertools.count())
    print(f"\n{part.name}: {part.inputs} kills, seed {part.seed}")
    while kills < part.inputs:
        folder = write_race(tmp_path / f"race{races}", name)
        races += 1
        for luck in dice:
            process = start(folder, workers)
            try:
                process.wait(luck.uniform(0.1, 1.0) * usual)
            except subprocess.TimeoutExpired:
                workers_now = children(process.pid)
                if workers_now and luck.random() < 0.5:
                    killed(luck.choice(workers_now))
                    kills += 1
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(luck.uniform(0.1, 1.0) * usual)
                if process.poll() is None:
                    workers_now = children(process.pid)
                    killed(process.pid)
                    kills += 1
                    gone = time.monotonic() + 10.0
                    while any(Path(f"/proc/{one}").exists() for one in workers_now):
                        assert time.monotonic() < gone, "workers outlive their parent"
                        time.sleep(0.05)
            process.communicate()
            if process.returncode == 0 or kills >= part.inputs or luck.random() < 0.2:
                break
        code, said = finish(folder, workers)
        assert code == 0, said
        assert content(folder) == expected
    print(f"{part.name}: {kills} kills in {races} races, all as undisturbed")
