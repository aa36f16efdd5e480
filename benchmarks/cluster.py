"""What a Dask cluster costs beside a machine's own cores, and how busy it keeps many workers.

    python benchmarks/cluster.py [--pairs N] [--seconds S] [--json FILE] [--quick]

Three measurements, all through the public path: a study, its journal, an executor.

1. Races of real networks on real photons, trainings of 0.1 to 0.3 s, half a minute on two cores, by
   two worker processes of a Dask cluster (``local:2``) and by the local executor with two workers,
   in turns, the same race with the same seeds. Given is the ratio of their wall-clock seconds, pair
   by pair and in sum, and that of the processor seconds of all processes, scheduler and nannies
   included, which other programs on the machine disturb less. The same with simulated trainings
   that sleep 0.2 s, where the cores are left to the overhead alone: its processor seconds per
   second of the two workers.
2. An assessment of simulated trainings that sleep 1 s on 64 Dask workers: the share of
   ``64 x wall-clock seconds`` that was slept. The workers are threads of one other process, each
   with its own connection to the scheduler, so that a small machine can hold 64.
3. An assessment of many simulated trainings of 0.1 s on the same workers, its journal on the disk:
   the largest resident memory of the coordinating process, imports included, and how many
   outcomes pass in a second.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import psutil

from surefoot import (
    Candidate,
    DaskExecutor,
    Engine,
    Executor,
    LocalExecutor,
    Population,
    Sampling,
    Stopping,
    assess,
    convnet,
    load_population,
    register,
    select,
)
from surefoot.journal import Journal
from surefoot.racing import Halving

MANY = 64
MEASURED = ("wall", "processor")


@dataclass(frozen=True)
class Sleep(Candidate):
    """Takes some seconds and loses a number that only its seed decides."""

    family: ClassVar[str] = "sleep"
    seconds: float = 1.0

    def spec(self):
        return {"seconds": self.seconds}

    @classmethod
    def from_spec(cls, spec):
        return cls(**spec)

    @property
    def label(self):
        return f"sleep {self.seconds:g} s"


class Sleeper(Engine):
    """Sleeps without the GIL."""

    name: ClassVar[str] = "sleeper"
    workers: ClassVar[Literal["threads", "processes"]] = "threads"
    same_everywhere = True

    def refusal(self, candidate, setting):
        return None if isinstance(candidate, Sleep) else "it only sleeps"

    def fit(self, instance, setting, monitor):
        end = time.perf_counter() + instance.candidate.seconds
        while (left := end - time.perf_counter()) > 0:
            monitor.check()
            time.sleep(min(left, 0.5))
        monitor.tell(1.0 + (instance.seed.instance * 0.6180339887) % 1.0)
        return None


def small_population() -> Population:
    numbers = np.random.default_rng(1)
    return Population(numbers.normal(size=(100, 3)), numbers.normal(size=100), name="numbers")


def own_seconds() -> float:
    """Return the processor seconds of this process and all that it has started and that live."""
    total = 0.0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def race(
    executor: Executor, photons: Population, folder: Path, warmup: int, certify: int
) -> dict[str, Any]:
    """Return seconds of a race of real networks, and its losses."""
    networks = [
        convnet([width], [16], padding="same", pool="max2", learning_rate=rate)
        for width in (6, 8, 10)
        for rate in np.geomspace(1e-3, 2e-2, 8)
    ]
    journal = folder / f"{time.monotonic_ns()}.db"
    processor, start = own_seconds(), time.perf_counter()
    select(
        networks,
        photons,
        loss="relative_rmse",
        sampling=Sampling(3000, test_size=3000),
        stopping=Stopping(max_epochs=24, reading="none"),
        schedule=Halving(warmup=warmup),
        certify=certify,
        executor=executor,
        journal=journal,
    )
    wall, processor = time.perf_counter() - start, own_seconds() - processor
    with Journal.read(journal) as read:
        trainings, losses = read.count(), [one.loss for one in read.outcomes()]
    return {
        "wall": wall,
        "processor": processor,
        "trainings": trainings,
        "losses": sorted(losses),
    }


def paired_races(pairs: int, folder: Path) -> dict[str, Any]:
    """Race in turns here and on Dask; which is first changes from pair to pair."""
    photons = load_population("photons:A", target="energy", side="sum")
    with LocalExecutor(2) as local, DaskExecutor("local:2") as dask:
        for executor in (local, dask):
            race(executor, photons, folder, warmup=1, certify=10)
        here, there = [], []
        for pair in range(pairs):
            turns = [(local, here), (dask, there)]
            for executor, results in turns[:: 1 if pair % 2 else -1]:
                results.append(race(executor, photons, folder, warmup=8, certify=300))
            pair_of = {what: [one[-1][what] for one in (there, here)] for what in MEASURED}
            ratios = ", ".join(f"{what} {a / b:.3f}" for what, (a, b) in pair_of.items())
            print(f"pair {pair + 1} of {pairs}: {ratios}", file=sys.stderr, flush=True)
    assert len({tuple(one["losses"]) for one in [*here, *there]}) == 1, "all have the same losses"
    trainings = here[0]["trainings"]
    processor = sum(one["processor"] for one in here) / pairs

    def total(results: list[dict[str, Any]], what: str) -> float:
        return sum(one[what] for one in results)

    ratios = [b["wall"] / a["wall"] for a, b in zip(here, there, strict=True)]
    return {
        "pairs": pairs,
        "trainings": trainings,
        "processor_seconds_of_a_training": processor / trainings,
        "local_wall_seconds": [one["wall"] for one in here],
        "dask_wall_seconds": [one["wall"] for one in there],
        "wall_ratio_median": statistics.median(ratios),
        "wall_ratio_of_sums": total(there, "wall") / total(here, "wall"),
        "wall_ratio_of_the_quickest": min(one["wall"] for one in there)
        / min(one["wall"] for one in here),
        "processor_ratio_of_sums": total(there, "processor") / total(here, "processor"),
    }


def paired_sleeps(pairs: int, n: int, folder: Path) -> dict[str, Any]:
    """Let trainings sleep in turns here and on Dask."""
    sleep, population = Sleep(0.2), small_population()
    found: dict[str, list[dict[str, float]]] = {"local": [], "dask": []}
    with LocalExecutor(2, "sleeper") as local, DaskExecutor("local:2", "sleeper") as dask:
        for pair in range(-1, pairs):
            for name, executor in (("local", local), ("dask", dask)):
                processor, start = own_seconds(), time.perf_counter()
                assess(
                    sleep,
                    population,
                    n=n,
                    executor=executor,
                    journal=folder / f"{name}{pair}.db",
                )
                wall = time.perf_counter() - start
                used = {"wall": wall, "processor": own_seconds() - processor}
                found[name] += [used] if pair >= 0 else []
    walls = {name: sum(one["wall"] for one in of) for name, of in found.items()}
    used = {name: sum(one["processor"] for one in of) for name, of in found.items()}
    return {
        "trainings": n * pairs,
        "wall_ratio_of_sums": walls["dask"] / walls["local"],
        "local_share_of_two_cores": used["local"] / walls["local"] / 2,
        "dask_share_of_two_cores": used["dask"] / walls["dask"] / 2,
    }


WORKERS = """
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(
        n_workers=int(sys.argv[1]), threads_per_worker=1, processes=False, protocol="tcp://",
        dashboard_address=":0",
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@contextmanager
def many_workers(count: int = MANY):
    """Yield the address of a scheduler with so many workers, all in one other process."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
        "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
        "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
        "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "10s",
        "DASK_LOGGING__DISTRIBUTED": "error",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", WORKERS, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def sleeping(address: str, seconds: float, n: int, folder: Path) -> dict[str, Any]:
    """Assess a candidate that sleeps, and return how busy it kept the workers."""
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            peak[0] = max(peak[0], psutil.Process().memory_info().rss)

    threading.Thread(target=watch, daemon=True).start()
    with DaskExecutor(address, "sleeper") as executor:
        executor.cluster.client.wait_for_workers(MANY)
        assess(Sleep(0.01), small_population(), n=4 * MANY, executor=executor)
        start, processor = time.perf_counter(), time.process_time()
        assess(
            Sleep(seconds), small_population(), n=n, executor=executor, journal=folder / f"{n}.db"
        )
        wall, processor = time.perf_counter() - start, time.process_time() - processor
    ended.set()
    return {
        "trainings": n,
        "seconds_of_a_training": seconds,
        "wall_seconds": wall,
        "busy": n * seconds / (MANY * wall),
        "outcomes_in_a_second": n / wall,
        "coordinator_processor_seconds": processor,
        "coordinator_megabytes": peak[0] / 1e6,
        "coordinator_megabytes_by_the_kernel": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        * 1024
        / 1e6,
    }


def alone(what: str, quick: bool) -> dict[str, Any]:
    """Run one measurement in a process of its own, whose memory is its own."""
    command = [sys.executable, __file__, "--only", what, *(["--quick"] if quick else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--pairs", type=int, default=9, help="of races")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="less of everything, a few minutes")
    parser.add_argument("--only", choices=("races", "busy", "many"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    register("engines", "sleeper", Sleeper)
    register("candidates", "sleep", Sleep)
    if options.only:
        with tempfile.TemporaryDirectory() as scratch:
            print(json.dumps(measured(options, Path(scratch))))
        return
    report: dict[str, Any] = {"cores": os.cpu_count(), "load_average": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as scratch:
        pairs = 2 if options.quick else options.pairs
        report["two workers against the local executor"] = paired_races(pairs, Path(scratch))
        sleeps = (1, 50) if options.quick else (3, 150)
        report["the same, sleeping 0.2 s each"] = paired_sleeps(*sleeps, Path(scratch))
    report["64 workers, 1 s each"] = alone("busy", options.quick)
    report["64 workers, 0.1 s each"] = alone("many", options.quick)
    for name, figures in report.items():
        if not isinstance(figures, dict):
            print(f"{name:<36}{figures:.4g}")
            continue
        print(name)
        for inner, value in figures.items():
            shown = " ".join(f"{one:.4g}" for one in np.atleast_1d(value))
            print(f"  {inner:<40}{shown}")
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


def measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return the figures of one measurement."""
    with many_workers() as address:
        if options.only == "busy":
            return sleeping(address, 1.0, MANY * (8 if options.quick else 40), folder)
        return sleeping(address, 0.1, 5_000 if options.quick else 100_000, folder)


if __name__ == "__main__":
    main()
