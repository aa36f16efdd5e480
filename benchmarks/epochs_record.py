"""Record whole curves: candidates drawn from the paper's grid, each trained several times.

A *world* is one learning task (photon energy, or the position x) and one recipe (the paper's
constant rate, or a cosine with an exponential average of the weights). Instance i has the same draw
and the same stream of initial weights for all of its candidates. Every curve is kept in a journal
beside the file as soon as it is there: an interrupted run goes on where it was, and more
candidates, instances or another world later train only what is new.

    python benchmarks/epochs_record.py benchmarks/data/curves-energy-constant.parquet
    python benchmarks/epochs_record.py --recipe cosine benchmarks/data/curves-energy-cosine.parquet

What races make of the curves is measured by ``epochs.py``, which trains nothing. ``--quick``
records a world of 70 candidates, six instances and 20 epochs.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import Progress

import surefoot
from surefoot.instances import Outcome
from surefoot.journal import Role
from surefoot.studies.plan.pilot import PilotStudy
from surefoot.studies.watch import Watcher

ROOT = Path(__file__).parents[1]
SEED = 33
RECIPES: dict[str, dict[str, Any]] = {
    "constant": {},
    "cosine": {"schedule": "cosine", "average": "ema(2 epochs)"},
}
FILES = {"energy": "paper-energy.toml", "position": "paper-position.toml"}


def candidates_of(task: str, recipe: str, count: int) -> tuple[surefoot.ConvNet, ...]:
    """Return candidates of a task's grid, drawn by lot; more of them begin with the same."""
    grid = surefoot.read_study(ROOT / "examples" / FILES[task]).candidates
    order = np.random.default_rng(SEED).permutation(len(grid))[:count]
    return tuple(replace(grid[place], **RECIPES[recipe]) for place in order)


def record(path: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Train what the journal lacks and write the curves, a row per candidate and instance."""
    asked = surefoot.read_study(ROOT / "examples" / FILES[options.task])
    candidates = candidates_of(options.task, options.recipe, options.candidates)
    setting = replace(
        asked.setting,
        sampling=surefoot.Sampling(options.sample, test_size=options.test),
        stopping=surefoot.Stopping(max_epochs=options.epochs, reading="none"),
    )
    size = len(candidates)
    study = PilotStudy(
        setting=setting, seed=SEED, candidates=candidates, size=size, n=options.instances
    )
    total = size * options.instances
    with study.open(path.with_suffix(".db")) as journal, Progress() as progress:
        bar = progress.add_task("training", total=total, completed=journal.count())

        class Bar(Watcher):
            def outcome(self, outcome: Outcome) -> None:
                progress.advance(bar)

        study.run(journal, workers=options.workers, watch=Bar())
        place = {candidate.key: row for row, candidate in enumerate(candidates)}
        found = [
            one
            for one in journal.outcomes(Role.PILOT)
            if one.candidate in place and one.instance < options.instances
        ]
    found.sort(key=lambda one: (place[one.candidate], one.instance))
    columns = {
        "key": [one.candidate for one in found],
        "instance": [one.instance for one in found],
        "status": [str(one.status) for one in found],
        "seconds": np.array([one.seconds for one in found], np.float32),
        "curve": pa.array([one.curve for one in found], pa.list_(pa.float32())),
    }
    about = {
        "task": options.task,
        "recipe": options.recipe,
        "loss": str(setting.loss),
        "candidates": size,
        "instances": options.instances,
        "epochs": options.epochs,
        "sample": options.sample,
        "test": options.test,
        "seed": SEED,
        "surefoot": surefoot.__version__,
    }
    written = pa.table(columns).replace_schema_metadata({"recorded": json.dumps(about)})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(written, path, compression="zstd")
    print(f"{path}: {size} candidates x {options.instances}, {path.stat().st_size:,} bytes")
    return {**about, "bytes": path.stat().st_size}


def main() -> None:
    """Record a world."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="the Parquet file to write")
    parser.add_argument("--task", choices=FILES, default="energy")
    parser.add_argument("--recipe", choices=RECIPES, default="constant")
    parser.add_argument("--candidates", type=int, default=400)
    parser.add_argument("--instances", type=int, default=8, help="of each candidate")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--sample", type=int, default=1_000, help="training examples")
    parser.add_argument("--test", type=int, default=1_000, help="test examples")
    parser.add_argument("--workers", type=int, help="instances at once; one per core by default")
    parser.add_argument("--quick", action="store_true", help="a small world")
    parser.add_argument("--json", type=Path, help="write what was recorded to this file")
    options = parser.parse_args()
    if options.quick:
        options.candidates, options.instances, options.epochs = 70, 6, 20
        options.sample = options.test = 200
    found = record(options.path, options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
