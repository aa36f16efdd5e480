"""Races with rungs in simulated populations: losses fall as those of the pilot did."""

from __future__ import annotations

import numpy as np
import pytest

from surefoot.errors import ConfigurationError
from surefoot.racing import Race
from surefoot.racing.simulation.pilot import Pilot
from surefoot.racing.simulation.planner import Scenario, simulate
from surefoot.racing.simulation.world import World
from tests.racing.worlds import keys, pilot_table

TABLE = pilot_table(16, 4, apart=0.6, noise=0.1)
FALLS = np.exp(3.0 * np.exp(-np.arange(1, 21) / 3.0))
CURVES = TABLE.losses[:, :, None] * FALLS
EPOCHS = 20


def test_a_simulated_curve_ends_at_its_loss_and_falls_as_the_pilots() -> None:
    world = World.like(Pilot.of(TABLE, curves=CURVES), 50, np.random.default_rng(1))
    curves = world.curves(3, EPOCHS)
    assert curves.shape == (3, 50, EPOCHS)
    losses = world.train(np.arange(50), 3)[:, :3]
    np.testing.assert_allclose(curves[:, :, -1], losses.T * FALLS[-1])
    np.testing.assert_allclose(
        curves / curves[:, :, -1:], np.broadcast_to(FALLS / FALLS[-1], curves.shape)
    )


def test_rungs_spend_epochs_in_place_of_trainings() -> None:
    pilot = Pilot.of(TABLE, curves=CURVES, costs={"visits": np.full(16, 2000.0)})
    plain, rungs = Race(keys(300)), Race(keys(300), rungs="prediction", epochs=EPOCHS)
    one, other = simulate(
        pilot,
        300,
        {"plain": Scenario(plain), "rungs": Scenario(rungs)},
        rng=np.random.default_rng(0),
        races=6,
    )
    assert other.trainings < 0.75 * one.trainings
    assert other.costs["visits"] == pytest.approx(2000 * other.trainings, rel=0.01)
    assert other.regret < 0.1


def test_rungs_need_a_pilot_with_curves() -> None:
    world = World.like(Pilot.of(TABLE), 300, np.random.default_rng(1))
    with pytest.raises(ConfigurationError, match="holds no curves"):
        world.race(Race(keys(300), rungs="prediction", epochs=EPOCHS))
