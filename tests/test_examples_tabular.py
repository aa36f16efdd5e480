"""The examples' candidates are as many as they say, and an engine takes each of them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from surefoot.data.population import Sampling
from surefoot.engines.estimator.engine import EstimatorEngine
from surefoot.instances import Setting
from surefoot.learning.losses import Loss

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize(
    ("population", "space", "loss"),
    [("diabetes", "regressors", "rmse"), ("cancer", "classifiers", "error_rate")],
)
def test_sixty_estimators_can_be_trained(population: str, space: str, loss: str) -> None:
    example = runpy.run_path(str(EXAMPLES / "tabular.py"))
    halves = example[population]().split(1)
    setting = Setting(halves, Sampling(stratify=loss == "error_rate"), Loss(loss))
    candidates = example[space]()
    assert len(candidates) == 60
    engine = EstimatorEngine()
    assert [engine.refusal(candidate, setting) for candidate in candidates] == [None] * 60


def test_networks_and_machines_are_made_for_the_digits() -> None:
    example = runpy.run_path(str(EXAMPLES / "digits.py"))
    population = example["digits"]()
    assert population.outputs == 10
    assert {net.outputs for net in example["networks"]()} == {10}
    assert (len(example["networks"]()), len(example["machines"]())) == (6, 6)
