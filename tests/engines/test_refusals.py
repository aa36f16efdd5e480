"""Networks that do not fit the data are refused in one sentence, by every engine of networks."""

from dataclasses import replace

import numpy as np
import pytest

from surefoot.candidates.convnet.network import ConvNet
from surefoot.data.population import Population
from surefoot.learning.losses.base import Loss
from tests.engines.cases import PLAIN, SIDE, Case, blobs, cases, setting_of

networks = pytest.mark.parametrize(
    "case", cases(lambda case: all(isinstance(c, ConvNet) for c in case.candidates.values()))
)


@networks
def test_features_of_another_size(case: Case) -> None:
    population = blobs()
    small = Population(population.features[:, :100], population.target, name="small blobs")
    reason = case.make().refusal(PLAIN, setting_of(small))
    assert "takes 225 features (1×15×15) but small blobs has 100: set input_shape" in str(reason)


@networks
def test_another_number_of_outputs(case: Case) -> None:
    two = setting_of(blobs(outputs=2))
    assert "1 outputs but blobs has 2 targets" in str(case.make().refusal(PLAIN, two))
    assert case.make().refusal(replace(PLAIN, outputs=2), two) is None


@networks
def test_side_features_that_are_missing_or_too_many(case: Case) -> None:
    population = blobs()
    bare = Population(population.features, population.target, name="bare blobs")
    refusal = case.make().refusal
    assert "1 side features but bare blobs has 0" in str(refusal(SIDE, setting_of(bare)))
    assert "3 side features but blobs has 1" in str(refusal(replace(SIDE, side=3), setting_of()))
    assert refusal(PLAIN, setting_of(bare)) is None


@networks
def test_a_training_loss_that_the_target_makes_undefined(case: Case) -> None:
    population = blobs()
    signed = Population(population.features, population.target - np.float32(3.0))
    setting = setting_of(signed, loss=Loss("mse"))
    reason = case.make().refusal(replace(PLAIN, loss=Loss("stochastic_rmse")), setting)
    assert "targets must be positive" in str(reason)
    assert case.make().refusal(replace(PLAIN, loss=Loss("mae")), setting) is None
