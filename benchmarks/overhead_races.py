"""Races with nothing to train, and races of which every second is accounted for."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from rich.console import Console

from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.convnet.notation import convnet
from surefoot.cli.show.live import LiveTable
from surefoot.engines.base import Engine, Monitor
from surefoot.engines.fused_cpu import FusedCpu
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Instance, Setting, Training
from surefoot.journal import Journal
from surefoot.racing.schedules.base import Schedule
from surefoot.studies.duration import TimeLeft
from surefoot.studies.select.cost import count_trainings
from surefoot.studies.select.study import SelectStudy

CHOICES: dict[str, list[Any]] = {
    "side": [0, 1],
    "kernel": [1, 2, 3],
    "channels": [[16, 32], [32, 64]],
    "hidden": [[6], [9], [6, 4], [9, 4], [6, 4, 4], [9, 4, 4]],
    "optimizer": ["nadam", "adamw"],
    "learning_rate": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2],
    "batch_size": [16, 32, 64, 128],
    "decay": [0.001, 0.01, 0.1],
}
"""The paper's grid (examples/paper-energy.toml) with one more learning rate: 8,640 networks."""

FIXED: dict[str, Any] = {"side_layer": 0, "conv_bias": False, "pool": ["max2", "max2s1"]}


def candidates(count: int) -> tuple[ConvNet, ...]:
    """Return so many networks of the grid, spread over it."""
    grid = list(itertools.product(*CHOICES.values()))
    if count > len(grid):
        raise SystemExit(f"--candidates {count} are more than the {len(grid)} of the grid")
    chosen = np.linspace(0, len(grid) - 1, count).round().astype(int)
    return tuple(convnet(**dict(zip(CHOICES, grid[i])), **FIXED) for i in chosen)


EPOCHS = 200
"""Length of the learning curves that trainings of no time leave."""
REFRESHES = 10
"""How often the live table is drawn once more to time it."""


class NoTime(Engine):
    """Gives a made-up loss and a learning curve of usual length at once."""

    name: ClassVar[str] = "no_time"
    workers: ClassVar[Literal["threads", "processes"]] = "threads"
    _curve = np.geomspace(3.0, 1.0, EPOCHS, dtype=np.float32)

    def refusal(self, candidate: Any, setting: Setting) -> str | None:
        return None

    def fit(self, instance: Instance, setting: Setting, monitor: Monitor) -> None:
        quality = int(instance.candidate.key[:8], 16) / 2**32
        luck = ((instance.seed.instance + 1) * 0.6180339887498949 + 7.0 * quality) % 1.0
        monitor.tell(*self._curve * np.float32(0.05 * (1.0 + quality) * (0.9 + 0.2 * luck)))


class Clocked(FusedCpu):
    """The default engine, with the processor seconds of its trainings added up."""

    name: ClassVar[str] = "clocked"
    spent: ClassVar[list[float]] = []

    def train(self, instance: Instance, setting: Setting, stop: Any) -> Training:
        start = time.thread_time()
        training = super().train(instance, setting, stop)
        self.spent.append(time.thread_time() - start)
        return training


def run_race(study: SelectStudy, path: Path, workers: int) -> dict[str, Any]:
    """Run a whole selection and return its seconds and outcomes."""
    wall, cpu = time.perf_counter(), time.process_time()
    planned = count_trainings(study, 1.0)
    table = LiveTable(
        candidates=study.candidates,
        criterion=study.race.criterion,
        plan=planned.rounds,
        certifying_instances=planned.certifying,
        time_left=TimeLeft(study.candidates, study.setting, workers),
    )
    with (
        study.open(path) as journal,
        LocalExecutor(workers, study.engine) as executor,
        Path(os.devnull).open("w") as nowhere,
        table.on(Console(file=nowhere, force_terminal=True, width=120)),
    ):
        opened = time.process_time() - cpu
        selection = study.run(journal, executor=executor, watch=table)
        outcomes = journal.count()
        spent = time.process_time() - cpu
        seconds = time.perf_counter() - wall
        start = time.thread_time()
        for _ in range(REFRESHES):
            table.console.print(table.render())
        refresh = (time.thread_time() - start) / REFRESHES
    return {
        "candidates": len(study.candidates),
        "outcomes": outcomes,
        "rounds": len(selection.state.rounds),
        "wall_seconds": seconds,
        "processor_seconds": spent,
        "of_which_before_the_race": opened,
        "milliseconds_of_a_refresh": 1e3 * refresh,
        "journal_megabytes": path.stat().st_size / 1e6,
    }


def no_time_race(
    count: int, setting: Setting, schedule: Schedule, path: Path, workers: int
) -> dict[str, Any]:
    """Return the overhead of a race whose trainings take no time, candidates and all."""
    wall, cpu = time.perf_counter(), time.process_time()
    study = SelectStudy(
        candidates=candidates(count),
        setting=setting,
        schedule=schedule,
        engine="no_time",
        certify=50,
    )
    made_wall, made_cpu = time.perf_counter() - wall, time.process_time() - cpu
    found = run_race(study, path, workers)
    found["wall_seconds"] += made_wall
    found["processor_seconds"] += made_cpu
    found["of_which_before_the_race"] += made_cpu
    for kind in ("processor", "wall"):
        each = found[f"{kind}_seconds"] / found["outcomes"]
        found[f"{kind}_milliseconds_per_outcome"] = 1e3 * each
    return found


def real_race(
    count: int, setting: Setting, schedule: Schedule, path: Path, workers: int
) -> dict[str, Any]:
    """Return the share outside training of a race of real trainings."""
    study = SelectStudy(
        candidates=candidates(count),
        setting=setting,
        schedule=schedule,
        engine="clocked",
        certify=50,
    )
    Clocked.spent.clear()
    found = run_race(study, path, workers)
    with Journal.read(path) as journal:
        within = sum(outcome.seconds for outcome in journal.outcomes())
    trained = sum(Clocked.spent)
    return found | {
        "workers": workers,
        "mean_training_milliseconds": 1e3 * trained / found["outcomes"],
        "share_of_processor_seconds": 1.0 - trained / found["processor_seconds"],
        "share_of_the_clock": 1.0 - within / (workers * found["wall_seconds"]),
        "processor_milliseconds_per_outcome": 1e3
        * (found["processor_seconds"] - trained)
        / found["outcomes"],
    }
