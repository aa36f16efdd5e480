"""Simulated worlds for ``selection_quality.py``: 6,912 candidates whose truth is known.

The logarithm of a candidate's loss is its location, drawn from N(0, 0.25), plus noise. A
candidate's noise has a standard deviation of its own, log-normal around the median 0.25
(``spread`` 0: the same for all; 0.5: from 0.1 to 0.7), and a share ``rho`` of its variance comes
from the draw all candidates have in common (paired instances). The best candidate is the one with
the smallest true mean loss, exp(location + sd^2 / 2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from surefoot.racing.race import Race
from surefoot.racing.replay import Replay
from surefoot.racing.rules.base import EliminationRule
from surefoot.racing.rules.rank import ByPrediction, ByRank
from surefoot.racing.schedules.base import Schedule
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.schedules.stages import Chain, Pairs, default_schedule
from surefoot.racing.screen import Screen
from surefoot.racing.table import LossTable

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


def races() -> dict[str, tuple[Schedule, EliminationRule]]:
    """The races compared."""
    flat, default = FlatBudget(432, cap=32), default_schedule(CANDIDATES)
    pairs = Chain((FlatBudget(432, cap=32, finalists=4), Pairs(cap=192)))
    return {
        "paper, warm-up 1": (Halving(), ByRank()),
        PAPER: (Halving(warmup=5), ByRank()),
        "flat 432, cap 32": (flat, ByRank()),
        "flat 432, cap 32, then top two": (pairs, ByRank()),
        DEFAULT: (default, ByPrediction()),
    }


def race_all(world: World, number: int, seed: int) -> dict[str, dict[str, float]]:
    """Run every race in the same ``number`` worlds."""
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in races()}
    for truth, table in world.tables(number, 512, seed):
        for name, (schedule, rule) in races().items():
            state = Replay(Race(table.keys, schedule=schedule, rule=rule)).run(table)
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


def screened_out(margin: str, number: int, seed: int) -> float:
    """Share of candidates exactly equal to the baseline that the screen removes."""
    rng = np.random.default_rng([seed, 77])
    keys = tuple(f"{i:016x}" for i in range(CANDIDATES))
    equal, out = 500, 0
    screen = Screen(margin=margin)
    for _ in range(number):
        location = rng.normal(0.2, 0.25, CANDIDATES)
        sd = 0.25 * np.exp(0.5 * rng.standard_normal(CANDIDATES))
        location[:equal] = -(sd[:equal] ** 2) / 2.0
        noise = rng.standard_normal((CANDIDATES, 1 + screen.extra))
        losses = np.exp(location[:, None] + sd[:, None] * noise)
        state = Replay(Race(keys, schedule=Halving(), screen=screen)).run(
            LossTable(keys, losses), 1.0
        )
        out += sum(int(e.key, 16) < equal for e in state.rounds[0].eliminations)
    return out / (equal * number)
