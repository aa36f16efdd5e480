"""Record a loss table: 256 small networks, each trained many times on draws of real photons.

The networks predict x of a photon's impact (RMSE in mm). They are every combination of four stacks
of convolutions, side features or none, two dense layers, two activations, two optimisers and four
learning rates; instance i has the same draw of 1,000 photons and the same initialisation stream for
all of them. The highest learning rate is meant to be too high for some: their losses have heavy
tails. What selection methods make of the table is measured by ``selection_quality.py``, which
trains nothing.

    python benchmarks/record_losses.py --instances 64 benchmarks/data/photon_losses.parquet

Every loss is kept in a journal beside the file as soon as it is there: an interrupted run goes on
where it was, and more instances later train only what is new. ``--quick`` records 3 instances of
every network.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import Progress

import surefoot
from surefoot.data.files import load_population
from surefoot.instances import Outcome, Setting
from surefoot.learning.losses import parse_loss
from surefoot.studies.plan.pilot import PilotStudy
from surefoot.studies.watch import Watcher

SEED = 20
SAMPLE, EPOCHS = 1_000, 30
CHOICES: dict[str, list[Any]] = {
    "channels": [(4,), (8,), (4, 8), (8, 8)],
    "side": [0, 2],
    "hidden": [8, 16],
    "activation": ["relu", "tanh"],
    "optimizer": ["adamw", "nadam"],
    "learning_rate": [1e-3, 3e-3, 1e-2, 3e-2],
}
"""The parameters of the space and their values; the file has a column for each."""


def network(channels: tuple[int, ...], hidden: int, **rest: Any) -> surefoot.ConvNet:
    """Return the candidate of one combination."""
    pool = surefoot.Pool("max", 2)
    convolutions = tuple(surefoot.Conv(n, kernel=3, pool=pool, padding="same") for n in channels)
    return surefoot.ConvNet(convolutions, (hidden,), batch_size=16, **rest)


def record(path: Path, instances: int, workers: int | None) -> dict[str, Any]:
    """Train what the journal lacks and write the table, a row per candidate; return what it is."""
    combinations = [dict(zip(CHOICES, v)) for v in itertools.product(*CHOICES.values())]
    candidates = tuple(network(**one) for one in combinations)
    population = load_population("photons:A", target="x", side=True)
    setting = Setting(
        population.split(SEED),
        surefoot.Sampling(SAMPLE, test_size=SAMPLE),
        parse_loss("rmse"),
        surefoot.Stopping(max_epochs=EPOCHS, reading="none"),
    )
    size = len(candidates)
    study = PilotStudy(setting=setting, seed=SEED, candidates=candidates, size=size, n=instances)
    with study.open(path.with_suffix(".db")) as journal, Progress() as progress:
        bar = progress.add_task("training", total=size * instances, completed=journal.count())

        class Bar(Watcher):
            def outcome(self, outcome: Outcome) -> None:
                progress.advance(bar)

        pilot = study.run(journal, workers=workers, watch=Bar())
    table = pilot.table.select(tuple(candidate.key for candidate in candidates))
    columns: dict[str, Any] = {name: [plain(one[name]) for one in combinations] for name in CHOICES}
    columns["key"] = [candidate.key for candidate in candidates]
    losses = table[:, :instances].astype(np.float32)
    columns["losses"] = pa.array(list(losses), pa.list_(pa.float32(), instances))
    about = {
        "population": population.name,
        "loss": "rmse",
        "sample": SAMPLE,
        "epochs": EPOCHS,
        "seed": SEED,
        "surefoot": surefoot.__version__,
        "mean seconds of a training": round(pilot.seconds, 4),
    }
    written = pa.table(columns).replace_schema_metadata({"recorded": json.dumps(about)})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(written, path, compression="zstd")
    size = path.stat().st_size
    print(f"{path}: {losses.shape[0]} x {losses.shape[1]} losses, {size:,} bytes")
    return {**about, "candidates": losses.shape[0], "instances": losses.shape[1], "bytes": size}


def plain(value: Any) -> Any:
    """Return a value as a column holds it."""
    return "-".join(map(str, value)) if isinstance(value, tuple) else value


def main() -> None:
    """Record a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="the Parquet file to write")
    parser.add_argument("--instances", type=int, default=64, help="of each candidate")
    parser.add_argument("--workers", type=int, help="instances at once; one per core by default")
    parser.add_argument("--quick", action="store_true", help="3 instances, under a minute")
    parser.add_argument("--json", type=Path, help="write what was recorded to this file")
    options = parser.parse_args()
    found = record(options.path, 3 if options.quick else options.instances, options.workers)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
