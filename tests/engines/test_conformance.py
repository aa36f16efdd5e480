"""Every engine keeps the promises of `surefoot.testing`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from surefoot.candidates.base import Candidate
from surefoot.checkpoints import CheckpointStore
from surefoot.engines.base import Engine
from surefoot.engines.direct import Direct
from surefoot.engines.estimator.engine import EstimatorEngine
from surefoot.engines.fused_cpu import FusedCpu
from surefoot.engines.torch.eager import TorchEager
from surefoot.engines.torch.stacked.engine import TorchStacked
from surefoot.instances import Status
from surefoot.learning.optimizers import OPTIMIZERS
from surefoot.learning.schedules import SCHEDULES
from surefoot.learning.stopping import Stopping
from surefoot.testing import EngineSuite, toy_instance, toy_setting
from surefoot.testing.toys import content
from tests.engines.cases import (
    ESTIMATORS,
    INFINITE,
    MODULES,
    PLAIN,
    Line,
)
from tests.engines.suites import ModuleSuite, NetworkSuite, StackedModuleSuite

RECIPES: list[dict[str, Any]] = [
    *({"optimizer": name, "schedule": "cosine"} for name in OPTIMIZERS),
    *({"schedule": name} for name in SCHEDULES if name not in ("constant", "cosine", "step")),
    {"schedule": "step(2, 0.5)", "warmup": 1.5},
    {"schedule": "cosine", "average": "ema(20 steps)"},
    {"schedule": "one_cycle", "average": "last(0.8)"},
]


class PausedNetworkSuite(NetworkSuite):
    """What engines promise besides that put networks aside, however these are trained."""

    @pytest.mark.parametrize("recipe", RECIPES, ids=lambda one: " ".join(map(str, one.values())))
    def test_every_recipe_goes_on_where_it_was_put_aside(
        self, engine: Engine, recipe: dict[str, Any], tmp_path: Path
    ) -> None:
        instance = toy_instance(replace(PLAIN, **recipe))
        setting = toy_setting(stopping=Stopping(5, reading="none"))
        kept = replace(setting, checkpoints=CheckpointStore(tmp_path, "toys"))
        for until in (1, 3, 4):
            paused = engine.train(replace(instance, until=until), kept).outcome
            assert (paused.status, paused.epochs) == (Status.PAUSED, until)
        expected = engine.train(instance, setting).outcome
        assert content(engine.train(instance, kept).outcome) == content(expected)


class TestFusedCpu(PausedNetworkSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        return FusedCpu()


class TestTorchStacked(NetworkSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        return TorchStacked("cpu")


class TestTorchStackedOfModules(StackedModuleSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        return TorchStacked("cpu")


class TestTorchEager(PausedNetworkSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        return TorchEager()


class TestTorchEagerOfModules(ModuleSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        return TorchEager()

    @pytest.fixture(params=MODULES.values(), ids=MODULES)
    def candidate(self, request: pytest.FixtureRequest) -> Candidate:
        return request.param


class TestDirect(EngineSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        return Direct()

    @pytest.fixture(params=[1.0, 2.0])
    def candidate(self, request: pytest.FixtureRequest) -> Candidate:
        return Line(request.param)

    @pytest.fixture
    def diverging(self) -> Candidate:
        return Line(float(2**127) * 2)


class TestEstimatorEngine(EngineSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        return EstimatorEngine()

    @pytest.fixture(params=ESTIMATORS.values(), ids=ESTIMATORS)
    def candidate(self, request: pytest.FixtureRequest) -> Candidate:
        return request.param

    @pytest.fixture
    def diverging(self) -> Candidate:
        return INFINITE

    def has_luck(self, candidate: Candidate) -> bool:
        return candidate == ESTIMATORS["tree"]
