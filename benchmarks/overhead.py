"""What a race costs beside its trainings, and how long racing again on recorded losses takes.

    python benchmarks/overhead.py [--workers N] [--candidates 7000] [--json FILE] [--quick]

Three measurements, all through the public path: a study of real networks on real photons, its
journal on the disk (`--folder` says where), the local executor's threads.

1. A race whose trainings take no time, under the paper's schedule (five instances each first, then
   half of the candidates leave after every further one) and under the default one: all its seconds
   are overhead, from making the candidates to the certificate. Given are processor seconds and
   wall-clock seconds per outcome, and the share they would have beside trainings of t = 50 ms and
   of the lengths measured in the same run. Since the executor hands outcomes over four times a
   second, up to ``min(1, 4 t / workers)`` commits per outcome come on top then, each as dear as
   the commit of a single outcome is measured to be.
2. A race of real, short trainings, in which the share outside training is measured itself:
   ``1 - processor seconds within trainings / processor seconds of the process``, and by the clock
   ``1 - seconds within trainings / (workers x wall-clock seconds)``, in which workers that idle
   at the end of a round count as overhead too.
3. ``surefoot rerace`` of a journal with over 50,000 outcomes: of the whole process, start-up and
   imports included, and of the replay alone in a process that is warm.

Other programs on the machine disturb wall-clock seconds more than processor seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from surefoot import Loss, Sampling, Stopping, registry
from surefoot.candidates.convnet import ConvNet
from surefoot.candidates.notation import convnet_space
from surefoot.candidates.presets import preset
from surefoot.data_files import load_population
from surefoot.engines.base import Engine, Instance, Setting, Status, Training, outcome_of
from surefoot.engines.fused_cpu import FusedCpu
from surefoot.executors.local import LocalExecutor
from surefoot.journal import Journal
from surefoot.racing.schedule import Halving, Schedule
from surefoot.racing.toptwo import default_schedule
from surefoot.seeds import InstanceSeed, Role
from surefoot.studies.rerace import rerace
from surefoot.studies.select import select
from surefoot.studies.study import SelectStudy

SPACE: dict[str, Any] = {
    "side": [0, 1],
    "side_layer": 0,
    "kernel": [1, 2, 3],
    "channels": [[16, 32], [32, 64]],
    "hidden": [[6], [9], [6, 4], [9, 4], [6, 4, 4], [9, 4, 4]],
    "optimizer": ["nadam", "adamw"],
    "learning_rate": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2],
    "batch_size": [16, 32, 64, 128],
    "decay": [0.001, 0.01, 0.1],
    "conv_bias": False,
    "pool": [["max2", "max2s1"]],
    "activation": "relu",
    "outputs": 1,
    "input_shape": [(1, 15, 15)],
}
"""The paper's grid (examples/paper-energy.toml) with one more learning rate: 8,640 networks."""

EXAMPLE: dict[str, Any] = {
    "channels": [[8]],
    "padding": "same",
    "pool": "max2",
    "hidden": [[16]],
    "input_shape": [(1, 15, 15)],
}
"""A network of examples/energy.toml."""

PAPER_EPOCHS = 100
"""The fewest epochs after which the paper's stopping rule may end a training."""
BATCHES_PER_SECOND = 4
"""How often a `LocalExecutor` hands outcomes over at most."""
EPOCHS = 200
"""Length of the learning curves that trainings of no time leave."""


class NoTime(Engine):
    """Gives a made-up loss and a learning curve of usual length at once."""

    name: ClassVar[str] = "no_time"
    workers: ClassVar[Literal["threads", "processes"]] = "threads"
    _curve = np.geomspace(3.0, 1.0, EPOCHS, dtype=np.float32)

    def refusal(self, candidate: Any, setting: Setting) -> str | None:
        return None

    def train(self, instance: Instance, setting: Setting, stop: Any) -> Training:
        quality = int(instance.candidate.key[:8], 16) / 2**32
        luck = ((instance.seed.instance + 1) * 0.6180339887498949 + 7.0 * quality) % 1.0
        curve = self._curve * np.float32(0.05 * (1.0 + quality) * (0.9 + 0.2 * luck))
        outcome = outcome_of(instance, setting, self.name, Status.FINISHED, curve, 0.0)
        return Training(outcome, None)


class Clocked(FusedCpu):
    """The default engine, with the processor seconds of its trainings added up."""

    name: ClassVar[str] = "clocked"
    spent: ClassVar[list[float]] = []

    def train(self, instance: Instance, setting: Setting, stop: Any) -> Training:
        start = time.thread_time()
        training = super().train(instance, setting, stop)
        self.spent.append(time.thread_time() - start)
        return training


class Progress:
    """Says where the benchmark is."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def __call__(self, what: str) -> None:
        print(f"[{time.perf_counter() - self._start:6.1f} s] {what}", file=sys.stderr, flush=True)


def candidates(count: int) -> tuple[ConvNet, ...]:
    """Return so many networks of the grid, spread over it."""
    everyone = convnet_space(SPACE).candidates
    if count > len(everyone):
        raise SystemExit(f"--candidates {count} are more than the {len(everyone)} of the grid")
    chosen = np.linspace(0, len(everyone) - 1, count).round().astype(int)
    return tuple(everyone[i] for i in chosen)


def run_race(study: SelectStudy, path: Path, workers: int) -> dict[str, Any]:
    """Run a whole selection and return its seconds and outcomes."""
    wall, cpu = time.perf_counter(), time.process_time()
    with study.open(path) as journal, LocalExecutor(workers, study.engine) as executor:
        opened = time.process_time() - cpu
        selection = select(study, journal, executor)
        outcomes = journal.count()
    return {
        "candidates": len(study.candidates),
        "outcomes": outcomes,
        "rounds": len(selection.state.rounds),
        "wall_seconds": time.perf_counter() - wall,
        "processor_seconds": time.process_time() - cpu,
        "of_which_before_the_race": opened,
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


def commit_seconds(setting: Setting, path: Path, count: int = 500) -> float:
    """Return the processor seconds of recording one outcome by itself."""
    study = SelectStudy(candidates=candidates(2), setting=setting, engine="no_time")
    engine, stop = NoTime(), np.zeros(1, np.uint8)
    key = study.candidates[0].key
    with study.open(path) as journal:
        outcomes = [
            engine.train(study.instance(key, Role.RACE, number), setting, stop).outcome
            for number in range(count)
        ]
        start = time.process_time()
        for outcome in outcomes:
            journal.add(outcome)
        return (time.process_time() - start) / count


def shares(each: float, commit: float, workers: int, lengths: dict[str, float]) -> dict[str, float]:
    """Return the share of overhead beside trainings of given lengths."""
    found = {}
    for name, seconds in lengths.items():
        overhead = each + commit * min(1.0, BATCHES_PER_SECOND * seconds / workers)
        found[name] = overhead / (overhead + seconds)
    return found


def real_race(count: int, setting: Setting, path: Path, workers: int) -> dict[str, Any]:
    """Return the share outside training of a race of real trainings."""
    study = SelectStudy(
        candidates=candidates(count),
        setting=setting,
        schedule=Halving(warmup=5),
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


def training_seconds(candidate: ConvNet, setting: Setting, epochs: int, of: int) -> float:
    """Return the processor seconds of a training of ``of`` epochs, from one of ``epochs``."""
    engine = FusedCpu()
    stop = np.zeros(1, np.uint8)

    def seconds(number: int) -> float:
        stopping = Stopping(max_epochs=number, min_epochs=1, reading="none")
        start = time.thread_time()
        instance = Instance(candidate, InstanceSeed(1, Role.PILOT, 0))
        outcome = engine.train(instance, replace(setting, stopping=stopping), stop).outcome
        if outcome.status is Status.FAILED:
            raise SystemExit(f"{candidate.label} failed: {outcome.message}")
        return time.thread_time() - start

    seconds(1)
    first = seconds(1)
    return first + (seconds(epochs) - first) / (epochs - 1) * (of - 1)


def rerace_seconds(path: Path, options: list[str], repeats: int) -> dict[str, Any]:
    """Return the seconds of ``surefoot rerace`` as a process, the best of several."""
    script = "from surefoot.cli.main import main; main()"
    command = [sys.executable, "-c", script, "rerace", str(path), *options]
    best_wall, best_cpu = float("inf"), float("inf")
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in (0, 3):
            raise SystemExit(f"{' '.join(command)} failed: {done.stderr}")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best_wall, best_cpu = min(best_wall, wall), min(best_cpu, cpu)
    return {"wall_seconds": best_wall, "processor_seconds": best_cpu}


def recorded_table(study: SelectStudy, path: Path, instances: int) -> int:
    """Write a journal in which every candidate has so many instances; return their number."""
    engine, stop = NoTime(), np.zeros(1, np.uint8)
    with study.open(path) as journal:
        for number in range(instances):
            journal.add(
                *(
                    engine.train(
                        study.instance(key, Role.RACE, number), study.setting, stop
                    ).outcome
                    for key in study.known
                )
            )
        return journal.count()


def reraces(count: int, setting: Setting, folder: Path, repeats: int) -> dict[str, Any]:
    """Return how long it takes to race again over eight recorded instances of everyone."""
    path = folder / "recorded.db"
    study = SelectStudy(
        candidates=candidates(count),
        setting=setting,
        schedule=Halving(warmup=5, keep=0.1),
        engine="no_time",
    )
    outcomes = recorded_table(study, path, 8)
    within = []
    for _ in range(repeats + 1):
        start = time.process_time()
        with Journal.read(path) as journal:
            assert rerace(journal, criterion="max").state.winner is not None
        within.append(time.process_time() - start)
    asked: dict[str, list[str]] = {
        "--criterion max": ["--criterion", "max"],
        "--criterion mean+2*sd --schedule halving --keep 0.2 --warmup 2": [
            *("--criterion", "mean+2*sd"),
            *("--schedule", "halving", "--keep", "0.2", "--warmup", "2"),
        ],
    }
    return {
        "candidates": count,
        "outcomes": outcomes,
        "megabytes": path.stat().st_size / 1e6,
        "processes": {name: rerace_seconds(path, more, repeats) for name, more in asked.items()},
        "in_a_warm_process_processor_seconds": min(within),
    }


def say(name: str, value: Any, depth: int = 0) -> None:
    """Print a figure, or a group of them."""
    if isinstance(value, dict):
        print(f"{'  ' * depth}{name}")
        for inner, one in value.items():
            say(inner, one, depth + 1)
    else:
        shown = f"{value:.4g}" if isinstance(value, float) else f"{value}"
        print(f"{'  ' * depth}{name:<{44 - 2 * depth}}{shown}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--candidates", type=int, default=7000, help="of the races of no time")
    parser.add_argument("--real", type=int, default=500, help="candidates of the real race")
    parser.add_argument("--folder", type=Path, help="where journals are written meanwhile")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="fewer candidates, under a minute")
    options = parser.parse_args()
    count, real, repeats = options.candidates, options.real, 5
    if options.quick:
        count, real, repeats = min(count, 1000), min(real, 25), 1
    progress = Progress()
    registry.register("engines", "no_time", NoTime)
    registry.register("engines", "clocked", Clocked)
    load = os.getloadavg()[0]
    progress("measuring trainings")
    population = load_population("photons:A", target="energy", side="sum")
    stopping = Stopping(max_epochs=6, min_epochs=1, reading="none")
    sampling = Sampling(1000, test_size=1000)
    setting = Setting(population.split(1), sampling, Loss("relative_rmse"), stopping)
    paper = replace(setting, sampling=Sampling(32_000))
    example = replace(setting, sampling=Sampling(4_000, test_size=4_000))
    small = convnet_space(EXAMPLE).candidates[0]
    lengths = {
        "50 ms": 0.05,
        "the example study": training_seconds(small, example, 5, 30),
        "model 1 of the paper": training_seconds(preset("model_1"), paper, 2, PAPER_EPOCHS),
    }
    report: dict[str, Any] = {
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_average": load,
        "workers": options.workers,
        "training_processor_seconds": lengths,
    }
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        folder = Path(scratch)
        commit = commit_seconds(setting, folder / "commits.db")
        report["processor_milliseconds_of_a_commit"] = 1e3 * commit
        schedules = {"paper": Halving(warmup=5), "default": default_schedule(count)}
        report["no_time"] = {}
        for name, schedule in schedules.items():
            progress(f"racing {count:,} candidates without trainings, {name} schedule")
            found = no_time_race(count, setting, schedule, folder / f"{name}.db", options.workers)
            each = found["processor_seconds"] / found["outcomes"]
            report["no_time"][name] = found | {
                "share": shares(each, commit, options.workers, lengths)
            }
        progress("racing again")
        report["rerace"] = reraces(7000, setting, folder, repeats)
        progress(f"racing {real:,} candidates with real trainings")
        report["real"] = real_race(real, setting, folder / "real.db", options.workers)
    progress("done")
    for name, value in report.items():
        say(name, value)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
