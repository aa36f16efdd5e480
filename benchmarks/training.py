"""How fast one core trains small networks: surefoot's engine beside torch and JAX.

    python benchmarks/training.py [--quick] [--json FILE] [--docs] [--networks abcde]
                                  [--batches 16,32,64,256]
    python benchmarks/training.py --dense [--quick] [--docs]

Every way trains the same network (see `training_ways.py`) in this process on one thread. All ways
of a case take turns, several rounds of them, and each is given its best round, in CPU time of the
process: other work on the machine then disturbs all alike and least. GFLOP/s count the network's
products and sums, forward and backward, without the first layer's input gradient, as if every
cell of every map were needed (`ConvNet.flops`), whatever an engine leaves out.
``--docs`` writes the table and the figure into docs/. ``--dense`` trains networks without
convolution instead, on tables of 10, 30 and 225 features.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import machine
from threadpoolctl import threadpool_limits
from training_ways import Fused, dense_ways, ways

from surefoot.candidates.convnet.network import Conv, ConvNet, Pool
from surefoot.candidates.convnet.notation import preset
from surefoot.engines.fused_cpu.program import compile_program

POOL = Pool("max", 2)
NETWORKS = {
    "a": ("the paper's model 1, NAdam", preset("model_1")),
    "b": ("model 4, PReLU, side features, AdamW", preset("model_4")),
    "c": (
        "1→16→16, 3×3 valid, max-pool, FC 16, AdamW",
        ConvNet((Conv(16), Conv(16, pool=POOL)), (16,), optimizer="adamw"),
    ),
    "d": (
        "1→8→8, 5×5 same, max-pools, FC 32-16, tanh, SGD",
        ConvNet((Conv(8, 5, "same", pool=POOL),) * 2, (32, 16), "tanh", optimizer="sgd"),
    ),
    "e": (
        "1→24→24, 3×3 same, max-pools, FC 16, batch norm, GELU, Adam",
        ConvNet((Conv(24, 3, "same", pool=POOL),) * 2, (16,), "gelu", batch_norm=True),
    ),
}
DENSE = [
    ConvNet((), (units, units), input_shape=(1, 1, features), batch_size=batch, scale=True)
    for features in (10, 30, 225)
    for units in (32, 64)
    for batch in (32, 256)
]
DOCS = Path(__file__).resolve().parents[1] / "docs"
OURS = "surefoot"


def steps_for(way: Any, seconds: float, limit: int) -> int:
    """Return how many batches a way trains in about so many seconds."""
    way.run(1)
    steps = 2
    while steps < limit:
        start = time.process_time()
        way.run(steps)
        spent = time.process_time() - start
        if spent > seconds / 4:
            return min(limit, max(1, round(steps * seconds / spent)))
        steps *= 4
    return limit


def measure_case(net: ConvNet, rounds: int, seconds: float) -> dict[str, float]:
    """Return microseconds per example of every way, the best of the rounds."""
    return best_of(ways(), net, rounds, seconds, 4096)


def best_of(
    known: dict[str, Any], net: ConvNet, rounds: int, seconds: float, limit: int
) -> dict[str, float]:
    """Return microseconds per example of every known way, the best of the rounds."""
    made = {name: make(net) for name, make in known.items()}
    steps = {name: steps_for(way, seconds, limit) for name, way in made.items()}
    for name, way in made.items():
        way.run(steps[name])
    best = dict.fromkeys(made, float("inf"))
    for _ in range(rounds):
        for name, way in made.items():
            start = time.process_time()
            examples = way.run(steps[name])
            best[name] = min(best[name], (time.process_time() - start) / examples * 1e6)
    return best


def measure_dense(net: ConvNet, rounds: int, seconds: float) -> list[str]:
    """Return a row of the table of networks without convolution."""
    best = best_of(dense_ways(), net, rounds, seconds, 1 << 17)
    ratio = min(best[name] for name in best if name != OURS) / best[OURS]
    times = [f"{best[name]:.2f}" for name in best]
    hidden = "-".join(map(str, net.hidden))
    features, rate = str(net.input_shape[2]), net.flops / best[OURS] / 1e3
    return [features, hidden, str(net.batch_size), *times, f"{rate:.0f}", f"{ratio:.1f}"]


def dense(rounds: int, seconds: float, *, docs: bool) -> None:
    """Measure networks without convolution and print, or write into the docs, their table."""
    head = ["features", "hidden", "batch", *(f"{name}, µs" for name in dense_ways())]
    rows = [[*head, "GFLOP/s", "× best peer"], ["-"] * (len(head) + 2)]
    with threadpool_limits(1):
        for net in DENSE:
            rows.append(measure_dense(net, rounds, seconds))
            print(" | ".join(rows[-1]), flush=True)
    text = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    if docs:
        between_marks(text, "dense")
    print("\n" + text)


def two_threads(rounds: int) -> tuple[float, float]:
    """Return how many times the examples of one thread two threads train in the same time.

    Once by the clock, which needs two idle cores, and once by the threads' CPU time, which tells
    what they lose to each other even if other processes use the cores too.
    """
    net = replace(NETWORKS["a"][1], batch_size=32)
    way, steps = Fused(net), 1000
    way.run(10)

    def seconds(threads: int) -> tuple[float, float]:
        spent = []

        def work() -> None:
            start = time.thread_time()
            way.run(steps)
            spent.append(time.thread_time() - start)

        workers = [threading.Thread(target=work) for _ in range(threads)]
        start = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return time.perf_counter() - start, max(spent)

    ones, twos = zip(*((seconds(1), seconds(2)) for _ in range(rounds)))
    clock, cpu = (2 * min(o[i] for o in ones) / min(t[i] for t in twos) for i in (0, 1))
    return clock, cpu


def first_use() -> tuple[float, float]:
    """Return the seconds of a first batch in a new process: nothing compiled yet, and all cached.

    Imports included, from the start of the import of the engine to the end of the batch.
    """
    code = (
        "import sys, time; start = time.perf_counter(); sys.path.insert(0, sys.argv[1]);"
        "from training import NETWORKS, Fused; Fused(NETWORKS['c'][1]).run(1);"
        "print(time.perf_counter() - start)"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        cold, *warm = (
            float(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
            for _ in range(4)
        )
    return cold, min(warm)


def instance_memory() -> float:
    """Return the MB of the largest instance: workspace, parameters, gradients, state, tables."""
    sizes = []
    for _, net in NETWORKS.values():
        for batch in (16, 32, 64, 256):
            program = compile_program(replace(net, batch_size=batch))
            sizes.append(4 * (program.workspace + 4 * program.parameters) + program.table.nbytes)
    return max(sizes) / 1e6


def row_of(key: str, net: ConvNet, best: dict[str, float], peak: float) -> dict[str, Any]:
    peer = min((name for name in best if name != OURS), key=best.__getitem__)
    rate = net.flops / best[OURS] / 1e3
    return {
        "network": key,
        "batch": net.batch_size,
        "microseconds": best,
        "gflops": rate,
        "share_of_peak": rate / peak,
        "best_peer": peer,
        "ratio": best[peer] / best[OURS],
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the results as a Markdown table."""
    names = list(rows[0]["microseconds"])
    head = ["network", "batch", *(f"{name}, µs" for name in names)]
    head += ["GFLOP/s", "of peak", "× best peer"]
    lines = [head, ["-"] * len(head)]
    for row in rows:
        times = [f"{row['microseconds'][name]:.1f}" for name in names]
        rate = [f"{row['gflops']:.0f}", f"{row['share_of_peak']:.0%}", f"{row['ratio']:.1f}"]
        lines.append([row["network"], str(row["batch"]), *times, *rate])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def figure(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw microseconds per example of every way, one panel a network."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "training"
    keys = sorted({row["network"] for row in rows})
    figure, axes = plt.subplots(1, len(keys), figsize=(2.6 * len(keys), 3.2), sharey=True)
    for key, axis in zip(keys, axes if len(keys) > 1 else [axes]):
        chosen = [row for row in rows if row["network"] == key]
        for name in chosen[0]["microseconds"]:
            axis.plot(
                [row["batch"] for row in chosen],
                [row["microseconds"][name] for row in chosen],
                marker="o",
                markersize=3,
                linewidth=2.2 if name == OURS else 1.0,
                color="black" if name == OURS else None,
                label=name,
            )
        axis.set(title=f"({key})", xscale="log", yscale="log", xlabel="batch size")
        axis.set_xticks([16, 32, 64, 256], ["16", "32", "64", "256"])
        axis.minorticks_off()
    first = axes[0] if len(keys) > 1 else axes
    first.set_ylabel("µs per example, one core")
    handles, labels = first.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=len(labels), frameon=False)
    figure.tight_layout(rect=(0, 0.09, 1, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def write_docs(text: str, rows: list[dict[str, Any]]) -> None:
    """Put the results between the marks in docs/benchmarks.md and draw the figure."""
    between_marks(text, "training")
    figure(rows, DOCS / "figures" / "training.svg")


def between_marks(text: str, name: str) -> None:
    """Put a text between the marks of a name in docs/benchmarks.md."""
    page = DOCS / "benchmarks.md"
    start, end = f"<!-- {name}: measured -->", f"<!-- /{name} -->"
    content = page.read_text(encoding="utf-8")
    before, rest = content.split(start)
    page.write_text(f"{before}{start}\n{text}\n{end}{rest.split(end)[1]}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and batch sizes")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--dense", action="store_true", help="networks without convolution")
    parser.add_argument("--networks", default="abcde")
    parser.add_argument("--batches", default="")
    arguments = parser.parse_args()
    batches = arguments.batches or ("32" if arguments.quick else "16,32,64,256")
    rounds, seconds = (3, 0.1) if arguments.quick else (7, 0.25)

    if arguments.dense:
        return dense(3 if arguments.quick else 7, seconds, docs=arguments.docs)
    cold, warm = first_use()
    figures = machine.measure(arguments.quick)
    rows = []
    for key in arguments.networks:
        for batch in map(int, batches.split(",")):
            net = replace(NETWORKS[key][1], batch_size=batch)
            best = measure_case(net, rounds, seconds)
            rows.append(row_of(key, net, best, float(figures["fma_peak_gflops"])))
            print(table(rows[-1:]).splitlines()[-1], flush=True)
    again = machine.measure(arguments.quick)
    scaling = two_threads(3 if arguments.quick else 8)
    lines = [
        f"Machine: {figures['processor']}, vectors of {figures['vectors']}; FMA peak "
        f"{figures['fma_peak_gflops']:.0f} GFLOP/s (after the run "
        f"{again['fma_peak_gflops']:.0f}), MKL matrix product {figures['gemm_gflops']:.0f}.",
        f"Two threads train {scaling[0]:.2f} times the examples of one by the clock, "
        f"{scaling[1]:.2f} times by CPU time. First batch of a new process, imports included: "
        f"{cold:.0f} s with nothing compiled, {warm:.1f} s from the cache. Largest instance: "
        f"{instance_memory():.1f} MB.",
    ]
    text = table(rows) + "\n\n" + "\n".join(lines)
    print("\n" + text)
    if arguments.docs:
        write_docs(text, rows)
    if arguments.json:
        peak_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        result = {
            "machine": figures,
            "machine_after": again,
            "rows": rows,
            "two_threads": scaling,
            "cold_start_seconds": cold,
            "warm_start_seconds": warm,
            "instance_megabytes": instance_memory(),
            "process_megabytes": peak_memory,
        }
        arguments.json.write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
