"""A race on a cluster whose workers, scheduler and coordinator are killed again and again."""

from __future__ import annotations

import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from surefoot import registry
from surefoot.engines.base import Monitor
from surefoot.executors.inline import InlineExecutor
from surefoot.instances import Instance, Setting
from surefoot.journal import Journal
from tests.campaign.cluster_race import race
from tests.executors.processes import ROOT
from tests.fakes import FakePredictor, FakeThreads, fake_loss

WORKERS, WORKER_KILLS, SCHEDULER_KILLS, COORDINATOR_KILLS = 3, 50, 2, 3
EVERY = 2.0
"""Seconds from one kill of a worker to the next, at most: sooner where the race gets ahead."""
AHEAD = 0.9
"""Share of the race by which all kills have been."""


COORDINATOR = """
import sys
from pathlib import Path
from surefoot import DaskExecutor
from tests.campaign.cluster_race import race

if __name__ == "__main__":
    with DaskExecutor(sys.argv[1], "fake") as executor:
        print(race(executor, Path(sys.argv[2])), flush=True)
"""


class Kept:
    """A process that is started again whenever it ends; ``starts`` counts."""

    def __init__(self, *command: str, log: Path) -> None:
        self.command, self.log, self.starts = command, log.open("ab"), 0
        self.start()

    def start(self) -> None:
        self.starts += 1
        self.process = subprocess.Popen(
            [sys.executable, *self.command],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE if self.command[0] == "-c" else self.log,
            stderr=self.log,
            text=True,
        )

    def keep(self) -> None:
        if self.process.poll() is not None:
            self.start()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.log.close()


class Quick(FakeThreads):
    """The same losses at once."""

    def fit(self, instance: Instance, setting: Setting, monitor: Monitor) -> FakePredictor:
        loss = fake_loss(instance, setting)
        monitor.tell(2 * loss, loss)
        return FakePredictor(loss)


def recorded(journal: Path) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    with Journal.read(journal) as read:
        outcomes = read.outcomes()
    found = {
        (one.candidate, one.role, one.instance, one.sample): (
            one.status,
            repr(one.loss),
            one.curve.tobytes(),
        )
        for one in outcomes
    }
    assert len(found) == len(outcomes)
    return found


def count(journal: Path) -> int:
    """Return how many outcomes a journal that is being written holds."""
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as read:
            return int(read.execute("SELECT COUNT(*) FROM outcomes").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_race_survives_everything_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_added", dict(registry._added))
    registry.register("engines", "fake", Quick)
    winner = race(InlineExecutor("fake"), tmp_path / "undisturbed.db")
    whole = count(tmp_path / "undisturbed.db")
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"seed {seed}")
    chance, port = random.Random(seed), free_port()
    address, log, journal = f"tcp://127.0.0.1:{port}", tmp_path / "log", tmp_path / "killed.db"
    module = "-m", "distributed.cli.dask_scheduler"
    with ExitStack() as stack:
        options = "--host", "127.0.0.1", "--port", str(port), "--dashboard-address", ":0"
        scheduler = stack.enter_context(Kept(*module, *options, log=log))
        module = "-m", "distributed.cli.dask_worker"
        options = "--no-nanny", "--nthreads", "1", "--dashboard-address", ":0"
        workers = [
            stack.enter_context(Kept(*module, address, *options, log=log)) for _ in range(WORKERS)
        ]
        time.sleep(3.0)
        coordinator = stack.enter_context(Kept("-c", COORDINATOR, address, str(journal), log=log))
        killed, due, fatal = 0, time.monotonic() + 10.0, {}
        for number in range(SCHEDULER_KILLS):
            fatal[round(WORKER_KILLS * (number + 1) / (SCHEDULER_KILLS + 1))] = scheduler
        for number in range(COORDINATOR_KILLS):
            fatal[round(WORKER_KILLS * (number + 1) / (COORDINATOR_KILLS + 1)) + 1] = coordinator
        began = time.monotonic()
        while coordinator.process.poll() != 0:
            assert time.monotonic() - began < 1500, log.read_text()[-3000:]
            assert coordinator.process.poll() in (None, -signal.SIGKILL), log.read_text()[-3000:]
            ahead = count(journal) * WORKER_KILLS > killed * AHEAD * whole
            if killed < WORKER_KILLS and (ahead or time.monotonic() >= due):
                alive = [one for one in workers if one.process.poll() is None]
                if alive:
                    chance.choice(alive).kill()
                    killed += 1
                    if (other := fatal.get(killed)) is not None:
                        other.kill()
                due = time.monotonic() + EVERY
            for one in (scheduler, *workers):
                one.keep()
            if coordinator.process.poll() == -signal.SIGKILL:
                coordinator.start()
            time.sleep(0.1)
        assert coordinator.process.stdout is not None
        assert coordinator.process.stdout.read().strip() == winner
        assert coordinator.starts == 1 + COORDINATOR_KILLS
        assert scheduler.starts >= 1 + SCHEDULER_KILLS
    assert killed == WORKER_KILLS
    assert recorded(journal) == recorded(tmp_path / "undisturbed.db")
    print(f"{len(recorded(journal))} outcomes in {time.monotonic() - began:.0f} s")
