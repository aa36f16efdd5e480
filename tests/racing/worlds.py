"""Loss tables for the tests of schedules: 6,912 candidates, lognormal losses."""

import numpy as np

from surefoot.racing.table import LossTable

KEYS = tuple(f"{i:05d}" for i in range(6912))


def world(candidates, instances, seed=0):
    """Return losses whose logarithms scatter as much within a candidate as between candidates."""
    rng = np.random.default_rng(seed)
    losses = np.exp(
        rng.normal(0, 0.25, (candidates, 1)) + rng.normal(0, 0.25, (candidates, instances))
    )
    return LossTable(KEYS[:candidates], losses)
