"""Small data, and settings and instances over it, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Self

import numpy as np

from surefoot.candidates.base import Candidate
from surefoot.candidates.function import DrawnData, candidate
from surefoot.data.population import Population, Sampling
from surefoot.instances import Instance, Outcome, Setting
from surefoot.learning.losses import Loss
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import InstanceSeed, Role


def toy_population(n: int = 240, seed: int = 5, outputs: int = 1) -> Population:
    """Return n images [15, 15] of a blob: target its energy (and x), side feature the sum."""
    generator = np.random.default_rng(seed)
    energy = generator.uniform(1.0, 5.0, n)
    x, y = generator.uniform(-2.0, 2.0, (2, n))
    cells = np.arange(15) - 7.0
    profile = np.exp(
        -0.5 * (cells[:, None] - y[:, None, None]) ** 2 - 0.5 * (cells - x[:, None, None]) ** 2
    )
    images = energy[:, None, None] * profile * generator.normal(1.0, 0.1, (n, 15, 15)) / 6.0
    target = np.stack([energy, x + 4.0], axis=1)[:, :outputs]
    side = images.sum(axis=(1, 2))[:, None]
    return Population(images, target, side, groups=np.arange(n) // 2, name="blobs")


def toy_setting(population: Population | None = None, **changes: Any) -> Setting:
    """Return a setting of three epochs, 70 bootstrapped and 50 test examples, but for changes."""
    fields: dict[str, Any] = {
        "halves": (population or toy_population()).split(11),
        "sampling": Sampling(70, test_size=50),
        "loss": Loss("relative_rmse"),
        "stopping": Stopping(max_epochs=3, reading="none"),
    }
    return Setting(**{**fields, **changes})


def toy_instance(
    candidate: Candidate, number: int = 0, *, salt: int = 0, **overrides: int
) -> Instance:
    """Return the instance with this number of a race with study seed 1."""
    return Instance(candidate, InstanceSeed(1, Role.RACE, number, salt, **overrides))


@candidate
def toy_function(draw: DrawnData, seed: int, *, shrink: float = 1.0) -> Any:
    """Predict the mean of the sample's targets times ``shrink``: a function candidate."""
    mean = shrink * draw.target.mean(axis=0)
    return lambda features: np.tile(mean, (len(features), 1))


def content(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome's fields, without its seconds, to be compared."""
    curves = {"curve": outcome.curve.tobytes(), "plain": outcome.plain.tobytes()}
    return asdict(outcome) | curves | {"seconds": 0.0}


class Stranger(Candidate):
    """A candidate that no engine trains."""

    family = label = "stranger"

    def spec(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Return another."""
        return cls()
