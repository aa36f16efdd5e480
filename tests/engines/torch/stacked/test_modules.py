"""Which modules are trained in a stack, and that a stack of them is what each is by itself."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from surefoot.candidates.base import Candidate
from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.data.population import Population
from surefoot.engines.torch.eager import TorchEager
from surefoot.engines.torch.stacked import modules
from surefoot.engines.torch.stacked.engine import TorchStacked
from surefoot.instances import Outcome, Setting, Status
from surefoot.learning.losses import parse_loss
from surefoot.testing import toy_instance, toy_population, toy_setting
from surefoot.testing.toys import content
from tests.engines.cases import IMAGES, MODULES, STACKED_MODULES

ENGINE = TorchStacked("cpu", size=2)


def module(name: str, parameters: dict[str, Any] | None = None, **others: Any) -> ModuleCandidate:
    return ModuleCandidate(f"tests.engines.modules.{name}", parameters, **others)


ALONE = {
    "random operation": MODULES["dense"],
    "torch.optim.SGD updates one module": MODULES["he"],
    "StepLR updates one module": replace(
        MODULES["he"], optimizer="adam", optimizer_parameters=None
    ),
    "data-dependent control flow": module("Choosy"),
    r"\.item\(\)": module("Normed", {"momentum": None}, **IMAGES),
    "lstm": module("Recurrent", **IMAGES),
    "not close": module("Lucky"),
    "changes attributes that are no buffers": module("Moody"),
    r"have shape \(3, 2\), not \(3, 1\)": module("Dense", {"outputs": 2}),
    "Expected size for first two dimensions": module("Dense", {"inputs": 10}),
}


def trained(candidate: Candidate, setting: Setting, numbers: range = range(3)) -> list[Outcome]:
    instances = (toy_instance(candidate, number) for number in numbers)
    stop = np.zeros(1, dtype=np.uint8)
    found = [one.outcome for one in ENGINE.train_stack(instances, setting, stop)]
    return sorted(found, key=lambda one: one.instance)


@pytest.mark.parametrize("name", STACKED_MODULES)
def test_an_instance_is_that_of_the_reference(name: str) -> None:
    candidate, setting = STACKED_MODULES[name], toy_setting(plain_curves=True)
    assert ENGINE.alone(candidate, setting) is None
    for number, found in enumerate(trained(candidate, setting)):
        expected = TorchEager().train(toy_instance(candidate, number), setting).outcome
        assert (found.status, found.engine) == (Status.FINISHED, "torch_stacked"), found.message
        assert len(set(expected.curve)) == 3
        np.testing.assert_allclose(found.curve, expected.curve, rtol=1e-3)
        np.testing.assert_allclose(found.plain, expected.plain, rtol=1e-3)


@pytest.mark.parametrize("name", STACKED_MODULES)
def test_its_weights_are_those_of_the_reference(name: str) -> None:
    candidate, setting = STACKED_MODULES[name], toy_setting()
    found, expected = (
        engine.train(toy_instance(candidate, 4), setting).predictor
        for engine in (ENGINE, TorchEager())
    )
    assert found is not None
    assert expected is not None
    assert set(found.weights) == set(expected.weights)
    population = setting.halves.population
    predictions = [one.predict(population.features, population.side) for one in (found, expected)]
    np.testing.assert_allclose(*predictions, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("reason", ALONE)
def test_what_vmap_does_not_take_is_trained_one_by_one(reason: str) -> None:
    candidate, setting = ALONE[reason], toy_setting()
    why = ENGINE.alone(candidate, setting)
    assert why is not None
    assert "\n" not in why
    assert re.search(reason, why)
    for number, found in enumerate(trained(candidate, setting, range(2))):
        expected = TorchEager().train(toy_instance(candidate, number), setting).outcome
        assert content(replace(found, engine="torch_eager")) == content(expected)


def test_a_module_is_tried_once_for_all_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    monkeypatch.setattr(modules, "_tried", {})
    monkeypatch.setattr(modules, "_trial", lambda *a: tried.append(a) or modules.Trial("no"))
    setting = toy_setting()
    for rate in (1e-3, 1e-2):
        for decay in (0.0, 0.1):
            candidate = module("Dense", learning_rate=rate, decay=decay)
            assert ENGINE.alone(candidate, setting) == "no"
    assert len(tried) == 1


def test_trying_leaves_random_numbers_as_they_were() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    assert ENGINE.alone(module("Dense", {"width": 13}), toy_setting()) is None
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("loss", ["cross_entropy", "torch.nn.CrossEntropyLoss"])
def test_classes(loss: str) -> None:
    population = toy_population()
    codes = np.digitize(population.target[:, 0], [2.3, 3.6])
    setting = toy_setting(
        Population(population.features, codes, classes=True), loss=parse_loss("cross_entropy")
    )
    candidate = module("Dense", {"outputs": 3}, learning_rate=0.01, loss=loss)
    assert ENGINE.alone(candidate, setting) is None
    expected = TorchEager().train(toy_instance(candidate), setting).outcome
    np.testing.assert_allclose(trained(candidate, setting)[0].curve, expected.curve, rtol=1e-3)
