"""How often does a race find the best candidate, at what price?

Two parts: simulated worlds of 6,912 candidates whose truth is known (``selection_worlds.py``), and
the recorded losses of 256 networks on real photons, where surefoot and the paper's schedule meet
random search, sequential halving, Optuna and SMAC3 at equal numbers of trainings
(``selection_recorded.py``, ``selection_peers.py``). Nothing is trained.

    python benchmarks/selection_quality.py --json selection_quality.json --docs
    python benchmarks/selection_quality.py --quick

Optuna and SMAC3 take part where they are installed (``pip install optuna smac``); in full they
take an hour. ``--docs`` writes table and figure into docs/.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import selection_recorded as recorded
import selection_worlds as worlds
from rich.progress import Progress
from selection_report import figure, tables, write_docs

PARTS = ("simulated", "recorded")


def simulated(number: int, spreads: tuple[float, ...], seed: int) -> dict[str, Any]:
    """Race in simulated worlds; measure the screen."""
    found = []
    with Progress() as progress:
        bar = progress.add_task("simulated worlds", total=2 * len(spreads))
        for spread in spreads:
            for rho in (0.0, 0.5):
                figures = worlds.race_all(worlds.World(spread, rho), number, seed)
                found.append({"spread": spread, "rho": rho, "races": number, "schedules": figures})
                progress.advance(bar)
    few = max(2, number // 10)
    screens = {margin: worlds.screened_out(margin, few, seed) for margin in ("none", "noise")}
    return {"simulated": found, "screened_out": screens}


def on_the_table(
    most: int, names: list[str], seed: int, workers: int, before: list[dict[str, Any]]
) -> dict[str, Any]:
    """Run methods on the recorded losses; those not run keep their rows of ``before``."""
    methods = tuple(method for method in recorded.METHODS if method.name in names)
    missing = [method.name for method in methods if not method.installed]
    methods = tuple(method for method in methods if method.installed)
    total = sum(min(most, m.repetitions) * len(m.budgets) for m in methods)
    with Progress() as progress:
        bar = progress.add_task("recorded losses", total=total)

        def each(count: int) -> None:
            progress.advance(bar, count)

        rows = list(recorded.measure(methods, most, seed, workers, each))
    rows += [row for row in before if row["method"] not in {method.name for method in methods}]
    order = [method.name for method in recorded.METHODS]
    rows.sort(key=lambda row: order.index(row["method"]))
    return {"recorded": rows, "left out": missing}


def main() -> None:
    """Run, print tables and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--quick", action="store_true", help="fewer races, under a minute")
    parser.add_argument("--part", choices=PARTS, help="only this part")
    parser.add_argument("--races", type=int, help="races per world and method (default 200)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--method", action="append", help="only this one; may be repeated")
    parser.add_argument("--add", type=Path, help="figures of an earlier run to complete")
    parser.add_argument("--docs", action="store_true", help="write table and figure into docs/")
    options = parser.parse_args()
    number = options.races or (5 if options.quick else 200)
    start = time.perf_counter()
    figures: dict[str, Any] = json.loads(options.add.read_text()) if options.add else {}
    if options.part != "recorded":
        figures |= simulated(number, (0.5,) if options.quick else (0.5, 0.0), options.seed)
    if options.part != "simulated":
        usual = [m.name for m in recorded.METHODS if not (options.quick and m.slow)]
        rows = figures.get("recorded", [])
        figures |= on_the_table(
            number, options.method or usual, options.seed, options.workers, rows
        )
    text = tables(figures)
    print(text)
    for name in figures.get("left out", []):
        print(f"{name} is not installed and was left out")
    print(f"{time.perf_counter() - start:.0f} s")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    if options.docs:
        write_docs(text)
        figure(figures["recorded"])


if __name__ == "__main__":
    main()
