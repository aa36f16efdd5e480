"""The suites of stacks, and what only a GPU can show, where there is one: ``pytest -m gpu``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from surefoot.candidates.convnet.network import Conv, ConvNet
from surefoot.candidates.convnet.notation import PRESETS, preset
from surefoot.data.population import Population
from surefoot.engines.base import Engine
from surefoot.engines.choose import Chooser
from surefoot.engines.devices import gpus
from surefoot.engines.torch.eager import TorchEager
from surefoot.engines.torch.stacked import graph, training
from surefoot.engines.torch.stacked.engine import TorchStacked
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Outcome, Setting, Status
from surefoot.learning.optimizers import OPTIMIZERS
from surefoot.testing import toy_instance, toy_population, toy_setting
from tests.engines.cases import MODULES, NETS, NOISY, PLAIN, STACKED_MODULES
from tests.engines.suites import NetworkSuite, StackedModuleSuite

pytestmark = pytest.mark.gpu

if not gpus():
    pytest.skip("no GPU that torch can use: what needs one is left out", allow_module_level=True)

POOLED = ConvNet((Conv(5, 3, "same"), Conv(6, 2)), (7,), learning_rate=2e-3)


class TestConvNets(NetworkSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        return TorchStacked("cuda", size=4)


class TestModules(StackedModuleSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        return TorchStacked("cuda", size=4)


def trained(
    candidate: Any, numbers: range, size: int | None = None, setting: Setting | None = None
) -> dict[int, Outcome]:
    instances = (toy_instance(candidate, number) for number in numbers)
    stop = np.zeros(1, dtype=np.uint8)
    engine = TorchStacked("cuda", size)
    stack = engine.train_stack(instances, setting or toy_setting(), stop)
    return {one.outcome.instance: one.outcome for one in stack}


def agree(candidate: Any, setting: Setting | None = None) -> None:
    setting = setting or toy_setting()
    for number, found in trained(candidate, range(3), 8, setting).items():
        expected = TorchEager().train(toy_instance(candidate, number), setting).outcome
        assert found.status is Status.FINISHED, found.message
        np.testing.assert_allclose(found.curve, expected.curve, rtol=1e-3)


@pytest.mark.parametrize("name", NETS)
def test_networks_agree_with_the_reference(name: str) -> None:
    agree(NETS[name])


@pytest.mark.parametrize("name", STACKED_MODULES)
def test_modules_agree_with_the_reference(name: str) -> None:
    agree(STACKED_MODULES[name])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers_agree_with_the_reference(optimizer: Any) -> None:
    agree(replace(POOLED, optimizer=optimizer, decay=0.1, activation="tanh"))


@pytest.mark.parametrize("name", PRESETS)
def test_the_papers_networks_agree_with_the_reference(name: str) -> None:
    net, base = preset(name, learning_rate=min(1e-3, preset(name).learning_rate)), toy_population()
    side = np.tile(base.side, (1, net.side)) if net.side and base.side is not None else None
    population = Population(base.features, base.target, side, base.groups)
    agree(net, replace(toy_setting(), halves=toy_setting(population).halves))


@pytest.mark.parametrize("candidate", [NOISY, STACKED_MODULES["normed"]], ids=["net", "module"])
def test_what_shares_the_stack_changes_no_bit(candidate: Any) -> None:
    together = trained(candidate, range(20), 16)
    for number in (0, 7, 19):
        alone = trained(candidate, range(number, number + 1), 16)[number]
        assert alone.curve.tobytes() == together[number].curve.tobytes()


@pytest.mark.parametrize("candidate", [NOISY, STACKED_MODULES["normed"]], ids=["net", "module"])
def test_a_graph_gives_the_bits_of_its_steps(
    candidate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = trained(replace(candidate, batch_size=16), range(3), 4)
    monkeypatch.setattr(graph, "CAPTURED", ())
    stepped = trained(replace(candidate, batch_size=16), range(3), 4)
    monkeypatch.undo()
    monkeypatch.setattr(training, "STEPS_AT_ONCE", 2)
    in_portions = trained(replace(candidate, batch_size=16), range(3), 4)
    for number in range(3):
        curves = (one[number].curve.tobytes() for one in (recorded, stepped, in_portions))
        assert len(set(curves)) == 1


@pytest.fixture
def _little_memory() -> Iterator[None]:
    """A hundredth of the GPU's memory."""
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.01)
    yield
    torch.cuda.set_per_process_memory_fraction(1.0)
    torch.cuda.empty_cache()


@pytest.mark.usefixtures("_little_memory")
def test_a_stack_that_does_not_fit_is_halved(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="surefoot")
    found = trained(replace(preset("model_1"), batch_size=64), range(3), 1 << 16)
    assert [found[number].status for number in range(3)] == [Status.FINISHED] * 3
    assert any("out of memory on cuda:0" in one.message for one in caplog.records)


def test_auto_takes_the_gpu_for_networks_and_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = toy_setting()
    assert Chooser().choose(PLAIN, setting).name == "torch_stacked"
    assert Chooser().choose(MODULES["dense"], setting).name == "torch_eager"
    with LocalExecutor(2) as executor:
        (outcome,) = executor.run([toy_instance(PLAIN)], setting)
    assert (outcome.engine, outcome.processor) == (
        "torch_stacked",
        torch.cuda.get_device_name("cuda:0"),
    )


@pytest.mark.skipif(gpus() < 2, reason="one GPU only")
def test_every_gpu_has_a_stack_and_all_agree() -> None:
    setting = toy_setting()
    curves = {
        TorchStacked(f"cuda:{number}", 4)
        .train(toy_instance(NOISY), setting)
        .outcome.curve.tobytes()
        for number in range(gpus())
    }
    assert len(curves) == 1
    asked = [toy_instance(net, number) for number in range(40) for net in (NOISY, PLAIN)]
    with LocalExecutor(4, "torch_stacked") as executor:
        assert len(list(executor.run(asked, setting))) == 80
