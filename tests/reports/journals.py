"""A small race on showers whose journal has everything that reports show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from surefoot.calorimeter.baselines import ScaledSum
from surefoot.data.population import Population, Sampling
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Setting
from surefoot.journal import Journal
from surefoot.learning.losses import Loss
from surefoot.racing.schedules.rounds import Halving
from surefoot.studies.select.selection import Selection
from surefoot.studies.select.study import SelectStudy


def showers(name: str = "showers") -> Setting:
    """Return a setting of 120 showers of 5 x 5 cells."""
    rng = np.random.default_rng(2)
    energy = rng.uniform(1.0, 50.0, 120)
    cells = rng.dirichlet(np.ones(25), 120) * energy[:, None] * 0.3
    population = Population(cells, energy, name=name, target_unit="GeV")
    return Setting(population.split(1), Sampling(40), Loss("rmse"))


def study(**fields: object) -> SelectStudy:
    """Return a race of four sums, the first of them the baseline."""
    candidates = tuple(ScaledSum(window, linear) for window in ("full", "3x3") for linear in (0, 1))
    given = {"schedule": Halving(warmup=6), "certify": 6, "baseline": candidates[0], **fields}
    return SelectStudy(setting=showers(), candidates=candidates, **given)


@contextmanager
def raced(path: str = ":memory:", **fields: object) -> Iterator[tuple[Journal, Selection]]:
    """Run the race and yield its journal and its selection."""
    asked = study(**fields)
    with asked.open(path) as journal, LocalExecutor(1) as executor:
        yield journal, asked.run(journal, executor=executor)
