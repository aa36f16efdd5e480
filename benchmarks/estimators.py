"""What a race over estimators costs beside the fits themselves, and how busy it keeps the cores.

    python benchmarks/estimators.py [--workers 2] [--instances 5] [--repeats 3]
        [--examples N] [--json FILE] [--quick]

The same instances of the 60 regressors of examples/tabular.py are trained twice: by hand (``fit``,
``predict`` and nothing else), in as many processes at once as the race has workers, because cores
share caches; and by the executor's worker processes. Compared are processor seconds, which other
programs on the machine disturb less than wall-clock seconds, and the least of the repeats:

overhead
    (processor seconds of the parent and all workers) / (those of the fits by hand) - 1
busy
    (seconds that workers spent within trainings) / (workers x wall-clock seconds)

Starting the workers (imports of scikit-learn) is measured apart.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from surefoot import Loss, Population, Sampling
from surefoot.engines.estimator.engine import one_thread
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Instance, Setting
from surefoot.seeds.ledger import InstanceSeed, Role, Stream

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))


def by_hand(instances: list[Instance], setting: Setting) -> tuple[float, list[float]]:
    """Return the processor seconds of all fits and predictions, and the losses."""
    population = setting.halves.population
    x, y = population.features.astype(np.float64), population.target[:, 0].astype(np.float64)
    spent, losses = 0.0, []
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for instance in instances:
            draw = instance.draw(setting)
            model = instance.candidate.make(instance.seed.generator(Stream.NOISE))  # type: ignore[attr-defined]
            train, target, test = x[draw.train], y[draw.train], x[draw.test]
            start = time.process_time()
            predicted = model.fit(train, target).predict(test)
            spent += time.process_time() - start
            losses.append(float(np.sqrt(np.mean((predicted - y[draw.test]) ** 2))))
    return spent, losses


def processor_seconds(process: int) -> float:
    """Return the user and system seconds of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def study(instances: int, examples: int) -> tuple[Setting, list[Instance]]:
    """Return the study of the diabetes data, or of so many examples of Friedman's function."""
    from sklearn.datasets import make_friedman1
    from tabular import diabetes, regressors

    if examples:
        x, y = make_friedman1(examples, n_features=20, noise=1.0, random_state=1)
        population = Population(x, y, name="Friedman 1")
    else:
        population = diabetes()
    setting = Setting(population.split(1), Sampling(), Loss("rmse"))
    return setting, [
        Instance(candidate, InstanceSeed(1, Role.RACE, number))
        for number in range(instances)
        for candidate in regressors()
    ]


def hand_worker(
    part: int, workers: int, instances: int, examples: int
) -> tuple[float, list[float]]:
    """Train every ``workers``-th instance by hand, once everything is imported and warm."""
    setting, todo = study(instances, examples)
    by_hand(todo[:60], setting)
    return by_hand(todo[part::workers], setting)


def children() -> list[int]:
    """Return the process numbers of this process's children (Linux)."""
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(number) for task in tasks for number in task.read_text().split()]


def by_hands(workers: int, instances: int, examples: int) -> tuple[float, list[float]]:
    """Train all instances by hand, in as many processes at once as the race has workers."""
    losses = [0.0] * (60 * instances)
    spent = 0.0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        parts = [
            pool.submit(hand_worker, part, workers, instances, examples) for part in range(workers)
        ]
        for part, future in enumerate(parts):
            seconds, losses[part::workers] = future.result()
            spent += seconds
    return spent, losses


def race(executor: LocalExecutor, setting: Setting, todo: list[Instance]) -> dict[str, Any]:
    """Train the instances in worker processes that are warm; return times and losses."""
    executor.pool(setting)
    workers = children()
    before = sum(map(processor_seconds, workers)) + time.process_time()
    start = time.perf_counter()
    outcomes = list(executor.run(todo, setting))
    wall = time.perf_counter() - start
    spent = sum(map(processor_seconds, workers)) + time.process_time() - before
    found = {(o.candidate, o.instance): o.loss for o in outcomes}
    return {
        "spent": spent,
        "wall": wall,
        "busy": sum(o.seconds for o in outcomes) / (executor.workers * wall),
        "losses": [found[i.candidate.key, i.seed.instance] for i in todo],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--instances", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--examples", type=int, default=0, help="0 for the diabetes data")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="one instance, once: under a minute")
    options = parser.parse_args()
    if options.quick:
        options.instances, options.repeats = 1, 1
    setting, todo = study(options.instances, options.examples)
    hands, races = [], []
    with LocalExecutor(options.workers) as executor:
        start = time.perf_counter()
        warm_up = [Instance(i.candidate, InstanceSeed(1, Role.PILOT, 0)) for i in todo[:60]]
        list(executor.run([*warm_up, *warm_up], setting))
        warm = time.perf_counter() - start
        for _ in range(options.repeats):
            hands.append(by_hands(options.workers, options.instances, options.examples))
            races.append(race(executor, setting, todo))
    fits = min(seconds for seconds, _ in hands)
    spent = min(one["spent"] for one in races)
    ours, theirs = np.array(races[0]["losses"]), np.array(hands[0][1])
    report = {
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "workers": options.workers,
        "population": setting.halves.population.name,
        "examples": len(setting.halves.population),
        "trainings": len(todo),
        "repeats": options.repeats,
        "fit_seconds_by_hand": round(fits, 3),
        "processor_seconds_of_the_race": round(spent, 3),
        "wall_seconds": round(float(np.median([one["wall"] for one in races])), 3),
        "start_and_warm_up_seconds": round(warm, 3),
        "overhead": round(spent / fits - 1, 4),
        "overhead_milliseconds_per_training": round(1e3 * (spent - fits) / len(todo), 3),
        "busy": round(float(np.median([one["busy"] for one in races])), 4),
        "largest_relative_difference_of_losses": float(np.max(np.abs(ours / theirs - 1))),
    }
    for name, value in report.items():
        print(f"{name:40} {value}")
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
