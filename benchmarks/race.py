"""One selection among 64 networks: surefoot against the loop that users write today.

The loop is Optuna's ask and tell around a torch training function, two worker processes of one
thread each. Both sides run as many trainings of the same length, on draws of the same size from
the same photons; the networks of the space differ in hyperparameters, hardly in cost. Times are
wall-clock from the first ask to the last loss, process start-up included on both sides.

    python benchmarks/race.py [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import platform
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import surefoot
from surefoot.data.files import load_population
from surefoot.racing.schedules.rounds import Halving

CHOICES: dict[str, list[Any]] = {
    "hidden": [16, 24],
    "optimizer": ["adam", "adamw"],
    "learning_rate": [3e-4, 1e-3, 3e-3, 1e-2],
    "batch_size": [32, 64],
    "decay": [0.001, 0.01],
}
CHANNELS = (16, 16)
_data: dict[str, np.ndarray] = {}


def candidates(choices: dict[str, list[Any]]) -> list[surefoot.ConvNet]:
    """Return every combination as a candidate."""
    pool = surefoot.Pool("max", 2)
    convolutions = tuple(surefoot.Conv(c, kernel=3, pool=pool) for c in CHANNELS)
    return [
        surefoot.ConvNet(convolutions, (hidden,), **dict(zip(list(choices)[1:], rest)))
        for hidden, *rest in itertools.product(*choices.values())
    ]


def run_surefoot(choices, population, size, epochs, workers) -> tuple[float, int, float]:
    """Return seconds, trainings and the winner's mean loss on fresh instances."""
    start = time.perf_counter()
    selection = surefoot.select(
        candidates(choices),
        population,
        loss="relative_rmse",
        sampling=surefoot.Sampling(size, test_size=size),
        stopping=surefoot.Stopping(max_epochs=epochs, reading="none"),
        schedule=Halving(),
        certify=10,
        workers=workers,
        engine="fused_cpu",
    )
    seconds = time.perf_counter() - start
    losses = selection.certificate.losses
    return seconds, selection.state.trainings + len(losses), float(np.mean(losses))


def start_worker(path: str) -> None:
    """Load the data once per process; one thread each."""
    import torch

    torch.set_num_threads(1)
    with np.load(path) as arrays:
        _data.update({name: torch.from_numpy(arrays[name]) for name in arrays.files})


def train(trial: dict[str, Any], seed: int, size: int, epochs: int) -> float:
    """Train one network the usual way and return its test loss."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    first, second = CHANNELS
    model = nn.Sequential(
        nn.Unflatten(1, (1, 15, 15)),
        nn.Conv2d(1, first, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(first, second, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(second * 4, trial["hidden"]), nn.ReLU(),
        nn.Linear(trial["hidden"], 1),
    )  # fmt: skip
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[trial["optimizer"]]
    optimizer = kind(model.parameters(), lr=trial["learning_rate"], weight_decay=trial["decay"])
    pool, test = _data["pool"], _data["test"]
    rows = pool[torch.randint(len(pool), (size,))]
    held_out = test[torch.randperm(len(test))[:size]]
    x, y = _data["x"], _data["y"]
    loss = math.nan
    for _ in range(epochs):
        model.train()
        for batch in rows[torch.randperm(size)].split(trial["batch_size"]):
            optimizer.zero_grad()
            error = ((model(x[batch]) - y[batch]) / y[batch]).square().mean()
            error.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            parts = [((model(x[b]) - y[b]) / y[b]).square().sum() for b in held_out.split(512)]
            loss = math.sqrt(float(torch.stack(parts).sum()) / size)
    return loss


def run_optuna(choices, population, size, epochs, workers, trainings, path) -> float:
    """Return the seconds of an ask-and-tell loop over as many trainings."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distributions = {
        name: optuna.distributions.CategoricalDistribution(values)
        for name, values in choices.items()
    }
    start = time.perf_counter()
    halves = population.split(0)
    np.savez(
        path, x=population.features, y=population.target,
        pool=halves.pool.astype(np.int64), test=halves.test.astype(np.int64),
    )  # fmt: skip
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    running: dict[Future[float], optuna.trial.Trial] = {}
    asked = 0
    with ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=start_worker, initargs=(path,)
    ) as pool:
        while running or asked < trainings:
            while len(running) < 2 * workers and asked < trainings:
                trial = study.ask(distributions)
                running[pool.submit(train, trial.params, asked, size, epochs)] = trial
                asked += 1
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                loss = future.result()
                study.tell(running.pop(future), loss if math.isfinite(loss) else 1e9)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="16 candidates, under a minute")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    choices = dict(CHOICES)
    size, epochs = (2000, 8)
    if options.quick:
        choices |= {"hidden": [16], "optimizer": ["adam"], "decay": [0.001]}
        size, epochs = 1000, 5
    population = load_population("photons:A", target="energy")
    here, trainings, loss = run_surefoot(choices, population, size, epochs, options.workers)
    scratch = Path(os.environ.get("TMPDIR", "/tmp")) / f"surefoot-race-{os.getpid()}.npz"
    try:
        there = run_optuna(
            choices, population, size, epochs, options.workers, trainings, str(scratch)
        )
    finally:
        scratch.unlink(missing_ok=True)
    figures = {
        "machine": platform.processor() or platform.machine(),
        "candidates": len(candidates(choices)),
        "trainings": trainings,
        "sample_size": size,
        "epochs": epochs,
        "workers": options.workers,
        "surefoot_seconds": here,
        "optuna_torch_seconds": there,
        "ratio": there / here,
        "winner_mean_loss": loss,
    }
    print(
        f"{figures['candidates']} candidates, {trainings} trainings of {epochs} epochs on {size} "
        f"photons, {options.workers} workers"
    )
    print(f"surefoot                {here:8.1f} s")
    print(f"Optuna around torch     {there:8.1f} s   ratio {there / here:.1f}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
