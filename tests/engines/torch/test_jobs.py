"""Torch modules trained from the ledger."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.candidates.resnet import ResNet
from surefoot.data.population import Population, Sampling
from surefoot.engines.torch.eager import TorchEager, module_of, predictor_of
from surefoot.engines.torch.jobs import module_job, start_as_he
from surefoot.errors import CandidateError
from surefoot.instances import Status, Training
from surefoot.learning.losses import Loss, parse_loss
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import Stream
from surefoot.seeds.philox import epoch_order
from surefoot.testing import toy_instance, toy_population, toy_setting
from tests.engines import modules
from tests.engines.cases import MODULES

DENSE = ModuleCandidate(modules.Dense)


def train(candidate: ModuleCandidate, number: int = 0, **changes: Any) -> Training:
    return TorchEager().train(toy_instance(candidate, number), toy_setting(**changes))


def refusal(candidate: ModuleCandidate, **changes: Any) -> str | None:
    return TorchEager().refusal(candidate, toy_setting(**changes))


def test_two_epochs_are_those_written_out_by_hand() -> None:
    """Momentum, a schedule, torch's dropout and a torch loss, in the ledger's batch order."""
    candidate = ModuleCandidate(
        modules.Dense,
        {"dropout": 0.3},
        optimizer=torch.optim.SGD,
        optimizer_parameters={"momentum": 0.9},
        learning_rate=0.05,
        decay=0.01,
        batch_size=40,
        loss=torch.nn.functional.huber_loss,
        loss_parameters={"delta": 0.5},
        schedule=torch.optim.lr_scheduler.StepLR,
        schedule_parameters={"step_size": 1, "gamma": 0.1},
    )
    setting, instance = (
        toy_setting(stopping=Stopping(2, reading="none")),
        toy_instance(candidate, 4),
    )
    training = TorchEager().train(instance, setting)
    population, draw = setting.halves.population, instance.draw(setting)
    x, y = torch.from_numpy(population.features), torch.from_numpy(population.target)
    with torch.random.fork_rng():
        module = module_job(candidate, instance.seed, setting).predictor.module
        optimizer = torch.optim.SGD(module.parameters(), 0.05, 0.9, weight_decay=0.01)
        curve = []
        for epoch in range(2):
            module.train()
            order = epoch_order(instance.seed.key(Stream.ORDER), epoch, 70)
            for rows in (draw.train[order[:40]], draw.train[order[40:]]):
                loss = torch.nn.functional.huber_loss(module(x[rows]), y[rows], delta=0.5)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            optimizer.param_groups[0]["lr"] *= 0.1
            with torch.no_grad():
                relative = (module.eval()(x[draw.test]) / y[draw.test] - 1).double()
            curve.append(float((relative**2).mean().sqrt()))
    np.testing.assert_allclose(training.outcome.curve, curve, rtol=1e-5)


def test_own_initialization_and_noise_follow_the_ledger_alone() -> None:
    candidate = MODULES["dense"]
    torch.manual_seed(3)
    first = train(candidate).outcome.curve
    torch.manual_seed(4)
    expected = torch.rand(2)
    torch.manual_seed(4)
    np.testing.assert_array_equal(train(candidate).outcome.curve, first)
    assert torch.equal(torch.rand(2), expected)
    assert (train(candidate, 1).outcome.curve != first).all()


def test_candidates_of_one_factory_start_alike_when_paired() -> None:
    seed, setting = toy_instance(DENSE).seed, toy_setting()
    with torch.random.fork_rng():
        one, other = (
            module_job(replace(DENSE, learning_rate=rate), seed, setting).predictor.weights
            for rate in (0.1, 0.2)
        )
    assert all((one[name] == other[name]).all() for name in one)


def test_he_weights_are_normal_from_the_ledger_and_biases_zero() -> None:
    module, seed = modules.Normed(channels=40), toy_instance(DENSE).seed
    start_as_he(module, seed)
    conv, head = module.conv.weight.detach(), module.head.weight.detach()
    normal = seed.generator(Stream.INIT).standard_normal(40 * 9 + 40, dtype=np.float32)
    np.testing.assert_allclose(conv.flatten(), normal[:360] * np.sqrt(2 / 9), rtol=1e-6)
    np.testing.assert_allclose(head.flatten(), normal[360:] * np.sqrt(2 / 40), rtol=1e-6)
    assert not module.conv.bias.any()
    assert not module.head.bias.any()
    assert (module.norm.weight == 1).all()


@pytest.mark.parametrize("initialization", ["own", "he"])
def test_the_residual_network_trains(initialization: Any) -> None:
    candidate = ModuleCandidate(
        ResNet,
        {"width": 4, "blocks": (1, 1)},
        initialization=initialization,
        learning_rate=0.01,
        batch_size=16,
        input_shape=(1, 15, 15),
    )
    setting = {"sampling": Sampling(64), "stopping": Stopping(10, reading="none")}
    assert refusal(candidate, **setting) is None
    curve = train(candidate, **setting).outcome.curve
    assert curve.min() < 0.6 * curve[0]


@pytest.mark.parametrize(
    "loss",
    [
        None,
        Loss("mae"),
        torch.nn.functional.l1_loss,
        torch.nn.SmoothL1Loss,
        modules.log_cosh,
    ],
)
def test_any_loss_is_trained_and_the_settings_is_recorded(loss: Any) -> None:
    candidate = replace(DENSE, loss=loss)
    assert refusal(candidate) is None
    setting, instance = toy_setting(), toy_instance(candidate)
    training = TorchEager().train(instance, setting)
    rows = instance.draw(setting).test
    population = setting.halves.population
    assert training.predictor is not None
    prediction = training.predictor.predict(population.features[rows], None)
    assert setting.loss.value(prediction, population.target[rows]) == pytest.approx(
        training.outcome.loss, rel=1e-5
    )


def test_torchs_loss_and_ours_of_one_formula_train_alike() -> None:
    ours = train(replace(DENSE, loss=Loss("mae"))).outcome.curve
    torchs = train(replace(DENSE, loss=torch.nn.functional.l1_loss)).outcome.curve
    np.testing.assert_allclose(ours, torchs, rtol=1e-5)


@pytest.mark.parametrize("loss", [None, torch.nn.functional.cross_entropy])
def test_classes(loss: Any) -> None:
    population = toy_population()
    codes = np.digitize(population.target[:, 0], [2.3, 3.6])
    labelled = Population(population.features, codes, classes=True)
    candidate = ModuleCandidate(
        modules.Dense, {"outputs": 3, "width": 16}, loss=loss, learning_rate=0.01
    )
    setting = toy_setting(
        labelled,
        loss=parse_loss("cross_entropy"),
        sampling=Sampling(None),
        stopping=Stopping(40, reading="none"),
    )
    assert TorchEager().refusal(candidate, setting) is None
    curve = TorchEager().train(toy_instance(candidate), setting).outcome.curve
    assert curve[-1] < 0.7 * curve[0]


def test_several_targets() -> None:
    two = toy_setting(toy_population(outputs=2))
    candidate = ModuleCandidate(modules.Dense, {"outputs": 2})
    assert TorchEager().train(toy_instance(candidate), two).outcome.status is Status.FINISHED


@pytest.mark.parametrize(
    ("candidate", "message"),
    [
        (ModuleCandidate(modules.Moody), "ArithmeticError: no descent today"),
        (ModuleCandidate(modules.liar), "returned a int, not a torch module"),
        (
            ModuleCandidate(modules.Dense, {"outputs": 2}),
            r"predictions have shape \(32, 2\); must be \(32, 1\)",
        ),
        (ModuleCandidate(modules.Dense, {"inputs": 100}), "RuntimeError: mat1 and mat2 shapes"),
        (replace(DENSE, optimizer=torch.optim.LBFGS), "TypeError"),
    ],
    ids=["raises", "no module", "outputs", "inputs", "optimizer"],
)
def test_what_goes_wrong_is_failed_with_its_message(candidate, message: str) -> None:
    import re

    training = train(candidate)
    assert training.outcome.status is Status.FAILED
    assert re.search(message, training.outcome.message), training.outcome.message
    assert (training.outcome.loss, training.predictor) == (float("inf"), None)


@pytest.mark.parametrize(
    ("candidate", "message"),
    [
        (replace(DENSE, input_shape=(1, 10, 10)), r"takes 100 features \(1×10×10\) but blobs"),
        (ModuleCandidate("tests.engines.modules.Dens"), "did you mean 'Dense'"),
        (ModuleCandidate(modules.Dense, {"wdth": 3}), "no parameter 'wdth': did you mean 'width'"),
        (ModuleCandidate("os.system", {"command": "true"}), "os.system must be a class derived"),
        (
            replace(DENSE, optimizer_parameters={"momentum": 1}, optimizer=torch.optim.Adam),
            "moment",
        ),
        (replace(DENSE, schedule=torch.optim.lr_scheduler.StepLR), "for its parameter 'step_size'"),
        (replace(DENSE, loss=Loss("cross_entropy")), "is one of classification"),
        (replace(DENSE, device="cuda:1" if not torch.cuda.is_available() else "mps"), "no device"),
    ],
    ids=["shape", "path", "argument", "function", "optimizer", "schedule", "loss", "device"],
)
def test_what_cannot_be_trained_is_refused(candidate, message: str) -> None:
    assert message.replace("\\", "") in str(refusal(candidate))


def test_side_features_that_are_missing_are_refused() -> None:
    population = toy_population()
    bare = Population(population.features, population.target, name="bare")
    reason = TorchEager().refusal(MODULES["he"], toy_setting(bare))
    assert "takes side features but bare has none" in str(reason)


@pytest.mark.parametrize("name", MODULES)
def test_weights_make_the_predictor_and_the_module_again(name: str) -> None:
    candidate, population = MODULES[name], toy_population()
    predictor = train(candidate).predictor
    assert predictor is not None
    expected = predictor.predict(population.features, population.side)
    again = predictor_of(candidate, predictor.weights)
    np.testing.assert_array_equal(again.predict(population.features, population.side), expected)
    module = module_of(candidate, predictor.weights)
    assert type(module).__module__ == "tests.engines.modules"
    assert not module.training
    with pytest.raises(CandidateError, match="are missing"):
        module_of(candidate, {})
