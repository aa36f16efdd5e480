"""Curves of simulated candidates, for rungs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surefoot.racing import LossTable, Race, RaceState, Replay
from surefoot.racing.curves import CurveTable

EPOCHS = 100


@dataclass(frozen=True)
class Curves:
    """Losses ``[instances, candidates, epochs]`` and the true criterion ``[candidates]``."""

    losses: np.ndarray
    truth: np.ndarray
    recipes: tuple[int, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(f"{row:05d}" for row in range(len(self.truth)))

    def race(self, **rules: object) -> Race:
        return Race(self.keys, epochs=EPOCHS, recipes=self.recipes, **rules)

    def table(self, race: Race) -> CurveTable:
        """All that the rungs may look at."""
        assert race.rungs is not None
        instances = race.rungs.instances(race.criterion)
        width = max(race.rungs.at(EPOCHS), default=0)
        return CurveTable(self.losses[:instances, :, :width], np.ones(len(self.truth)))

    def climb(self, race: Race) -> RaceState:
        """The race with everything trained that it may ask for."""
        ended = LossTable(self.keys, self.losses[:, :, -1].T)
        return Replay(race).run(ended, curves=self.table(race))


def world(
    rng: np.random.Generator,
    candidates: int = 400,
    instances: int = 40,
    *,
    dead: float = 0.4,
    slow: float = 0.0,
    crossing: bool = False,
    noise: float = 0.05,
) -> Curves:
    """Exponential falls from 1 to a floor, faster or slower; the ``dead`` never fall.

    The ``slow`` share of the others falls five times as slowly and ends better than all the rest.
    ``crossing``: who falls faster ends worse.
    """
    floor = np.exp(rng.normal(-3.5, 0.3, candidates))
    pace = np.exp(rng.normal(np.log(6.0), 0.5, candidates))
    if crossing:
        pace = np.exp(np.log(6.0) - 1.2 * (np.log(floor) + 3.5) + rng.normal(0, 0.2, candidates))
    late = rng.random(candidates) < slow
    pace[late] *= 4.0
    floor[late] *= 0.5
    lost = ~late & (rng.random(candidates) < dead)
    luck = np.exp(noise * rng.normal(size=(instances, candidates, 1)))
    speed = pace * np.exp(0.1 * rng.normal(size=(instances, candidates)))
    epochs = np.arange(1, EPOCHS + 1)
    falls = np.exp(-epochs / speed[:, :, None])
    losses = floor[:, None] * luck + falls
    losses *= np.exp(0.05 * rng.normal(size=losses.shape))
    losses[:, lost] = np.exp(0.02 * rng.normal(size=(instances, int(lost.sum()), EPOCHS)))
    return Curves(losses, losses[:, :, -1].mean(axis=0))


def left_at_rungs(state: RaceState) -> set[str]:
    """The keys of those whom a rung removed."""
    rungs = {one.number for one in state.rounds if one.name == "rung"}
    return {one.key for one in state.eliminations if one.round in rungs}
