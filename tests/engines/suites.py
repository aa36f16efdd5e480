"""What engines of networks and modules promise besides, on whatever device."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from surefoot.candidates.base import Candidate
from surefoot.engines.base import Engine
from surefoot.learning.losses import Loss
from surefoot.testing import EpochEngineSuite, toy_instance, toy_setting
from tests.engines.cases import EXPLODING, MODULES, NETS, STACKED_MODULES, WILD


class NetworkSuite(EpochEngineSuite):
    @pytest.fixture(params=NETS.values(), ids=NETS)
    def candidate(self, request: pytest.FixtureRequest) -> Candidate:
        return request.param

    @pytest.fixture
    def diverging(self) -> Candidate:
        return EXPLODING

    def test_the_loss_is_the_settings_even_if_another_is_trained(
        self, engine: Engine, candidate: Candidate
    ) -> None:
        other = replace(candidate, loss=Loss("mae"))
        setting, instance = toy_setting(), toy_instance(other)
        training = engine.train(instance, setting)
        assert training.outcome.loss != engine.train(toy_instance(candidate), setting).outcome.loss
        assert training.predictor is not None
        test = instance.draw(setting).test
        expected = setting.test_loss(training.predictor, test)
        assert training.outcome.loss == pytest.approx(expected, rel=1e-5)


class ModuleSuite(EpochEngineSuite):
    @pytest.fixture
    def diverging(self) -> Candidate:
        return WILD


class StackedModuleSuite(ModuleSuite):
    """Some that are stacked, and one that is not."""

    candidates: ClassVar[dict[str, Candidate]] = {
        "dropout": MODULES["dense"],
        **{name: STACKED_MODULES[name] for name in ("side", "normed", "own loss")},
    }

    @pytest.fixture(params=candidates.values(), ids=candidates)
    def candidate(self, request: pytest.FixtureRequest) -> Candidate:
        return request.param
