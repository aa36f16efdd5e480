"""Loss tables for the tests of schedules, pilots and simulated worlds."""

import numpy as np

from surefoot.racing.table import LossTable

NORMAL = np.random.default_rng(0).standard_normal(20_000)
NORMAL = (NORMAL - NORMAL.mean()) / NORMAL.std()
KEYS = tuple(f"{i:05d}" for i in range(6912))


def world(candidates, instances, seed=0):
    """Return losses whose logarithms scatter as much within a candidate as between candidates."""
    rng = np.random.default_rng(seed)
    losses = np.exp(
        rng.normal(0, 0.25, (candidates, 1)) + rng.normal(0, 0.25, (candidates, instances))
    )
    return LossTable(KEYS[:candidates], losses)


def keys(count):
    return tuple(f"{i:08d}" for i in range(count))


def pilot_table(candidates, instances, apart=0.25, noise=0.25, rho=0.0, seed=0, broken=0.0):
    rng = np.random.default_rng(seed)
    luck = np.sqrt(rho) * rng.normal(size=instances)
    noises = np.sqrt(1 - rho) * rng.normal(size=(candidates, instances)) + luck
    losses = np.exp(rng.normal(-4, apart, (candidates, 1)) + noise * noises)
    losses[rng.random(losses.shape) < broken] = np.inf
    return LossTable(tuple(f"{i:03d}" for i in range(candidates)), losses)
