"""What a race costs beside its trainings, and how long racing again on recorded losses takes.

    python benchmarks/overhead.py [--workers N] [--candidates 7000] [--real 500] [--json FILE]
        [--schedule paper|default] [--folder DIRECTORY] [--quick]

Three measurements, all through the public path: a study of real networks on real photons, its
journal on the disk (`--folder` says where), the local executor's threads, and the live table that
``surefoot select`` shows in a terminal, here one whose text goes nowhere.

1. A race whose trainings take no time, under the paper's schedule (five instances each first, then
   half of the candidates leave after every further one) and under the default one: all its seconds
   are overhead, from making the candidates to the certificate. Given are processor seconds and
   wall-clock seconds per outcome, and the share they would have beside trainings of t = 50 ms and
   of lengths measured in the same run: a network of examples/energy.toml and the paper's model 1.
   Beside trainings that take time, two things come on top, each measured and counted in: up to
   ``min(1, 4 t / workers)`` commits per outcome, since the executor hands outcomes over four
   times a second, and the live table's two refreshes a second.
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
from typing import Any

import numpy as np
from overhead_races import Clocked, NoTime, candidates, no_time_race, real_race

from surefoot import Loss, Sampling, Stopping, registry
from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.convnet.notation import convnet, preset
from surefoot.data.files import load_population
from surefoot.engines.fused_cpu import FusedCpu
from surefoot.instances import Instance, Setting, Status
from surefoot.journal import Journal
from surefoot.racing.schedules.rounds import Halving
from surefoot.racing.schedules.stages import default_schedule
from surefoot.seeds.ledger import InstanceSeed, Role
from surefoot.studies.select.rerace import rerace
from surefoot.studies.select.study import SelectStudy

PAPER_EPOCHS = 100
"""The fewest epochs after which the paper's stopping rule may end a training."""
BATCHES_PER_SECOND = 4
"""How often a `LocalExecutor` hands outcomes over at most."""
REFRESHES_PER_SECOND = 2
"""How often the live table is drawn."""


class Progress:
    """Says where the benchmark is."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def __call__(self, what: str) -> None:
        print(f"[{time.perf_counter() - self._start:6.1f} s] {what}", file=sys.stderr, flush=True)


def commit_seconds(setting: Setting, path: Path, count: int = 500) -> float:
    """Return the processor seconds of recording one outcome by itself."""
    study = SelectStudy(
        candidates=candidates(2), setting=setting, engine="no_time", schedule=Halving()
    )
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


def shares(
    race: dict[str, Any], commit: float, workers: int, lengths: dict[str, float]
) -> dict[str, float]:
    """Return the share of the overhead of a race beside trainings of given lengths."""
    each = race["processor_seconds"] / race["outcomes"]
    refresh = race["milliseconds_of_a_refresh"] / 1e3
    found = {}
    for name, seconds in lengths.items():
        between = seconds / workers
        overhead = each + commit * min(1.0, BATCHES_PER_SECOND * between)
        overhead += refresh * REFRESHES_PER_SECOND * between
        found[name] = overhead / (overhead + seconds)
    return found


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
    parser.add_argument("--schedule", choices=("paper", "default"), default="paper", help="of it")
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
    small = convnet([8], [16], padding="same", pool="max2")
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
            found["share"] = shares(found, commit, options.workers, lengths)
            report["no_time"][name] = found
        progress("racing again")
        report["rerace"] = reraces(7000, setting, folder, repeats)
        progress(f"racing {real:,} candidates with real trainings")
        schedule = Halving(warmup=5) if options.schedule == "paper" else default_schedule(real)
        report["real"] = {"schedule": options.schedule} | real_race(
            real, setting, schedule, folder / "real.db", options.workers
        )
    progress("done")
    for name, value in report.items():
        say(name, value)
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
