"""Networks that do not fit the data are refused in one sentence, by every engine of networks."""

from dataclasses import replace

import numpy as np
import pytest

from surefoot.data.population import Population
from surefoot.engines.base import Engine
from surefoot.engines.fused_cpu import FusedCpu
from surefoot.engines.torch.eager import TorchEager
from surefoot.learning.losses import Loss
from surefoot.testing import toy_population, toy_setting
from tests.engines.cases import PLAIN, SIDE

networks = pytest.mark.parametrize(
    "engine", [FusedCpu(), TorchEager()], ids=lambda engine: engine.name
)


@networks
def test_features_of_another_size(engine: Engine) -> None:
    population = toy_population()
    small = Population(population.features[:, :100], population.target, name="small blobs")
    reason = engine.refusal(PLAIN, toy_setting(small))
    assert "takes 225 features (1×15×15) but small blobs has 100: set input_shape" in str(reason)


@networks
def test_another_number_of_outputs(engine: Engine) -> None:
    two = toy_setting(toy_population(outputs=2))
    assert "1 outputs but blobs has 2 targets" in str(engine.refusal(PLAIN, two))
    assert engine.refusal(replace(PLAIN, outputs=2), two) is None


@networks
def test_side_features_that_are_missing_or_too_many(engine: Engine) -> None:
    population = toy_population()
    bare = Population(population.features, population.target, name="bare blobs")
    refusal = engine.refusal
    assert "1 side features but bare blobs has 0" in str(refusal(SIDE, toy_setting(bare)))
    assert "3 side features but blobs has 1" in str(refusal(replace(SIDE, side=3), toy_setting()))
    assert refusal(PLAIN, toy_setting(bare)) is None


@networks
def test_a_training_loss_that_the_target_makes_undefined(engine: Engine) -> None:
    population = toy_population()
    signed = Population(population.features, population.target - np.float32(3.0))
    setting = toy_setting(signed, loss=Loss("mse"))
    reason = engine.refusal(replace(PLAIN, loss=Loss("stochastic_rmse")), setting)
    assert "targets must be positive" in str(reason)
    assert engine.refusal(replace(PLAIN, loss=Loss("mae")), setting) is None
