"""What putting trainings aside costs: the paper's network trained in one go and with three pauses.

    python benchmarks/pausing.py [--json FILE] [--quick]

Paired runs of the compiled engine in CPU time, so that other work on the machine counts little: 100
epochs of 1,000 photons at once, and the same put aside after 5, 15 and 40 of them, each time
written to a folder and read again. Also told: the bytes of a checkpoint, what 7,000 of the paper's
grid take, and the seconds that `trim` takes to look through so many files.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import surefoot
from surefoot.checkpoints import Checkpoint, CheckpointStore
from surefoot.engines.fused_cpu import FusedCpu
from surefoot.instances import Instance
from surefoot.learning.optimizers import state_vectors
from surefoot.seeds.ledger import InstanceSeed, Role

ROOT = Path(__file__).parents[1]
PAUSES = (5, 15, 40)
GRID = 7_000


def measure(pairs: int, epochs: int, sample: int) -> dict[str, Any]:
    """Return the shares of time that pauses add, and what checkpoints take."""
    study = surefoot.read_study(ROOT / "examples" / "paper-energy.toml")
    sampling = surefoot.Sampling(sample, test_size=sample)
    stopping = surefoot.Stopping(max_epochs=epochs, reading="none")
    setting = replace(study.setting, sampling=sampling, stopping=stopping)
    grid, engine = study.candidates, FusedCpu()
    candidate = grid[len(grid) // 2]
    pauses = [max(1, epochs * pause // 100) for pause in PAUSES]
    added, size = [], 0
    with TemporaryDirectory() as folder:
        kept = replace(setting, checkpoints=CheckpointStore(Path(folder), "benchmark"))
        for number in range(-1, pairs):
            instance = Instance(candidate, InstanceSeed(1, Role.RACE, max(0, number)))
            began = time.process_time()
            whole = engine.train(instance, setting).outcome
            middle = time.process_time()
            for pause in pauses:
                engine.train(replace(instance, until=pause), kept)
                size = max(file.stat().st_size for file in Path(folder).glob("*/*.npz"))
            ended = engine.train(instance, kept).outcome
            paused, at_once = time.process_time() - middle, middle - began
            assert whole.curve.tobytes() == ended.curve.tobytes()
            if number >= 0:
                added.append(paused / at_once - 1.0)
    vectors = np.mean(
        [one.number_of_parameters * (1 + state_vectors(one.optimizer)) for one in grid]
    )
    return {
        "epochs": epochs,
        "sample": sample,
        "pairs": pairs,
        "time added, median": statistics.median(added),
        "time added, quartiles": np.quantile(added, (0.25, 0.75)).tolist(),
        "bytes of this network's checkpoint": size,
        f"bytes of {GRID:,} of the paper's grid": int(GRID * (4 * vectors + 3_000)),
        "seconds to trim": trimming(GRID),
    }


def trimming(files: int) -> float:
    """Return the seconds that `trim` takes for so many checkpoints."""
    one = Checkpoint(np.zeros(5, np.float32), np.zeros(0, np.float32), 1.0, {"x": np.zeros(10)})
    with TemporaryDirectory() as folder:
        store = CheckpointStore(Path(folder), "benchmark")
        for number in range(files):
            store.save(store.name(number), one)
        began = time.perf_counter()
        store.trim()
        return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few short pairs")
    parser.add_argument("--json", type=Path, help="write what was measured to this file")
    options = parser.parse_args()
    found = measure(3, 40, 300) if options.quick else measure(9, 100, 1_000)
    for name, value in found.items():
        print(f"{name}: {value}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
