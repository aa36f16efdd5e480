"""How often does a race find the best candidate, at what price?

Simulated worlds of 6,912 candidates: the logarithm of a candidate's loss is its location, drawn
from N(0, 0.25), plus noise. A candidate's noise has a standard deviation of its own, log-normal
around the median 0.25 (``spread`` 0: the same for all; 0.5: from 0.1 to 0.7), and a share ``rho``
of its variance comes from the draw all candidates have in common (paired instances). The best
candidate is the one with the smallest true mean loss, exp(location + sd^2 / 2).

    python benchmarks/selection_quality.py --json selection_quality.json
    python benchmarks/selection_quality.py --quick
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from surefoot.racing.race import Race
from surefoot.racing.schedule import Chain, FlatBudget, Halving, Schedule
from surefoot.racing.screen import Screen
from surefoot.racing.table import LossTable
from surefoot.racing.toptwo import TopTwo, default_schedule

CANDIDATES = 6912
PAPER = "paper, warm-up 5"
DEFAULT = "surefoot's default"


@dataclass(frozen=True)
class World:
    """A family of simulated populations."""

    spread: float
    rho: float
    noise: float = 0.25

    def tables(
        self, races: int, instances: int, seed: int
    ) -> Iterator[tuple[np.ndarray, LossTable]]:
        """Yield the true means and the full loss table of each race."""
        rng = np.random.default_rng([seed, int(100 * self.spread), int(100 * self.noise)])
        keys = tuple(f"{i:016x}" for i in range(CANDIDATES))
        shared, own = np.float32(np.sqrt(self.rho)), np.float32(np.sqrt(1.0 - self.rho))
        for _ in range(races):
            location = rng.normal(0.0, 0.25, CANDIDATES)
            sd = self.noise * np.exp(self.spread * rng.standard_normal(CANDIDATES))
            luck = shared * rng.standard_normal(instances, dtype=np.float32)
            noise = own * rng.standard_normal((CANDIDATES, instances), dtype=np.float32) + luck
            losses = np.exp(location[:, None] + sd[:, None] * noise)
            yield np.exp(location + sd**2 / 2.0), LossTable(keys, losses)


def schedules() -> dict[str, Schedule]:
    """The schedules compared."""
    return {
        "paper, warm-up 1": Halving(),
        PAPER: Halving(warmup=5),
        "flat 432, cap 32": FlatBudget(432, cap=32),
        "flat 432, cap 32, then top two": Chain(
            (FlatBudget(432, cap=32, finalists=4), TopTwo(cap=192))
        ),
        DEFAULT: default_schedule(CANDIDATES),
    }


def race_all(world: World, races: int, seed: int) -> dict[str, dict[str, float]]:
    """Race every schedule in the same worlds."""
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in schedules()}
    for truth, table in world.tables(races, 512, seed):
        for name, schedule in schedules().items():
            state = Race(table.keys, schedule=schedule).replay(table)
            assert state.winner is not None
            mean = truth[int(state.winner, 16)]
            regret = mean / truth.min() - 1.0
            curse = state.values[state.winner] / mean - 1.0
            found[name].append((state.trainings, regret == 0.0, regret <= 0.01, regret, curse))
    names = ("trainings", "p_best", "p_within_1_percent", "regret", "winners_curse")
    return {
        name: dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))
        for name, rows in found.items()
    }


def screened_out(margin: str, races: int, seed: int) -> float:
    """Share of candidates exactly equal to the baseline that the screen removes."""
    rng = np.random.default_rng([seed, 77])
    keys = tuple(f"{i:016x}" for i in range(CANDIDATES))
    equal, out = 500, 0
    screen = Screen(margin=margin)
    for _ in range(races):
        location = rng.normal(0.2, 0.25, CANDIDATES)
        sd = 0.25 * np.exp(0.5 * rng.standard_normal(CANDIDATES))
        location[:equal] = -(sd[:equal] ** 2) / 2.0
        noise = rng.standard_normal((CANDIDATES, 1 + screen.extra))
        losses = np.exp(location[:, None] + sd[:, None] * noise)
        state = Race(keys, schedule=Halving(), screen=screen).replay(LossTable(keys, losses), 1.0)
        out += sum(int(e.key, 16) < equal for e in state.rounds[0].eliminations)
    return out / (equal * races)


def main() -> None:
    """Run, print a table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--quick", action="store_true", help="fewer races, under a minute")
    parser.add_argument("--races", type=int, help="races per world (default 200)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    races = options.races or (15 if options.quick else 200)
    spreads = (0.5,) if options.quick else (0.5, 0.0)
    start = time.perf_counter()
    results = []
    for spread in spreads:
        for rho in (0.0, 0.5):
            world = World(spread, rho)
            figures = race_all(world, races, options.seed)
            results.append({"spread": spread, "rho": rho, "races": races, "schedules": figures})
            print(f"\nnoise 0.25 with spread {spread}, rho {rho}, {races} races")
            print(f"{'schedule':32} trainings  P(best)  P(1 %)   regret  winner's curse")
            for name, row in figures.items():
                print(
                    f"{name:32} {row['trainings']:9,.0f}  {row['p_best']:7.3f}  "
                    f"{row['p_within_1_percent']:6.3f}  {row['regret']:7.4f}  "
                    f"{row['winners_curse']:+8.2%}",
                    flush=True,
                )
            ours, paper = figures[DEFAULT], figures[PAPER]
            print(
                f"default / paper: {ours['trainings'] / paper['trainings']:.1%} of the trainings, "
                f"{ours['regret'] / paper['regret']:.1%} of the regret"
            )
    screens = {m: screened_out(m, max(2, races // 10), options.seed) for m in ("none", "noise")}
    print(
        f"\nequal to the baseline yet screened out: single shot {screens['none']:.1%}, "
        f"noise-aware {screens['noise']:.2%}"
    )
    print(f"{time.perf_counter() - start:.0f} s")
    if options.json:
        figures = {"simulated": results, "screened_out": screens}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
