"""Whole instances: against the reference engine, repeatable, stoppable, honest about explosions."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numba as nb
import numpy as np
import pytest
import torch
from scipy import stats

from surefoot.candidates.convnet.network import ACTIVATIONS, Conv, ConvNet, Pool
from surefoot.candidates.convnet.notation import PRESETS, preset
from surefoot.data.population import Population, Sampling
from surefoot.engines.base import Stopped
from surefoot.engines.fused_cpu import FusedCpu, training
from surefoot.engines.fused_cpu.instance import ending_of
from surefoot.engines.torch.eager import TorchEager, module_of
from surefoot.instances import Instance, Setting, Status, Training
from surefoot.learning.losses import Loss
from surefoot.learning.optimizers import OPTIMIZERS
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import InstanceSeed, Role

should_stop = nb.njit(training.should_stop)


def showers(n: int = 1200) -> Population:
    generator = np.random.default_rng(8)
    energy = generator.uniform(1.0, 5.0, n)
    cells = np.arange(15) - 7.0
    x, y = generator.uniform(-1.0, 1.0, (2, n, 1))
    profile = np.exp(-np.abs(cells - x))[:, :, None] * np.exp(-np.abs(cells - y))[:, None, :]
    images = profile * energy[:, None, None] * generator.normal(1, 0.1, (n, 15, 15)) / 4
    sums = images.sum(axis=(1, 2))
    return Population(images, energy, np.stack([sums, x[:, 0]], axis=1))


POPULATION = showers()
HALVES = POPULATION.split(3)


def setting_of(epochs: int = 3, **changes: Any) -> Setting:
    stopping = Stopping(max_epochs=epochs, min_epochs=1, window=1, reading="none")
    fields: dict[str, Any] = {
        "halves": HALVES,
        "sampling": Sampling(500, test_size=300),
        "loss": Loss("relative_rmse"),
        "stopping": stopping,
    }
    return Setting(**{**fields, **changes})


def fused(net: ConvNet, number: int = 0, setting: Setting | None = None) -> Training:
    instance = Instance(net, InstanceSeed(9, Role.RACE, number))
    return FusedCpu().train(instance, setting or setting_of())


def eager(net: ConvNet, number: int = 0, setting: Setting | None = None) -> Training:
    instance = Instance(net, InstanceSeed(9, Role.RACE, number))
    return TorchEager().train(instance, setting or setting_of())


def assert_same(net: ConvNet) -> None:
    ours, reference = fused(net), eager(net)
    assert ours.outcome.status is Status.FINISHED, ours.outcome.message
    np.testing.assert_allclose(ours.outcome.curve, reference.outcome.curve, rtol=1e-3)


@pytest.mark.parametrize("name", PRESETS)
def test_the_papers_networks_train_as_in_torch(name: str) -> None:
    changes = {"side": 2} if preset(name).side else {}
    assert_same(preset(name, learning_rate=1e-3, **changes))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimiser_trains_as_in_torch(optimizer: Any) -> None:
    net = ConvNet((Conv(6, 4, "same", pool=Pool()),), (8,), "tanh", optimizer=optimizer, decay=0.02)
    assert_same(replace(net, batch_size=48))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_batch_normalisation_and_dropout_train_as_in_torch(activation: Any) -> None:
    conv = Conv(6, 3, bias=False, pool=Pool())
    net = ConvNet((conv, conv), (8,), activation, batch_norm=True, dropout=0.25, optimizer="sgd")
    assert_same(replace(net, batch_size=50, learning_rate=0.01))


def test_classification_learns_beyond_chance() -> None:
    generator = np.random.default_rng(2)
    codes = generator.integers(0, 3, 400)
    images = generator.standard_normal((400, 7, 7)) + codes[:, None, None] / 2
    halves = Population(images, codes).split(1)
    net = ConvNet((Conv(4),), (6,), input_shape=(1, 7, 7), outputs=3, learning_rate=0.01)
    for name, chance in (("cross_entropy", np.log(3)), ("brier", 2 / 3), ("error_rate", 2 / 3)):
        setting = setting_of(20, halves=halves, sampling=Sampling(200), loss=Loss(name))
        outcome = fused(net, setting=setting).outcome
        assert outcome.status is Status.FINISHED, outcome.message
        assert 0 < outcome.loss < 0.8 * chance


def test_predictions_are_those_of_the_weights() -> None:
    net = preset("model_4")
    training = fused(net)
    assert training.predictor is not None

    module = module_of(net, training.predictor.weights)
    x, s = POPULATION.features[:99], POPULATION.side
    assert s is not None
    with torch.no_grad():
        expected = module(torch.from_numpy(x), torch.from_numpy(s[:99])).numpy()
    np.testing.assert_allclose(training.predictor.predict(x, s[:99]), expected, rtol=1e-4)


def bits(training: Training) -> bytes:
    assert training.predictor is not None
    weights = training.predictor.weights
    return training.outcome.curve.tobytes() + b"".join(w.tobytes() for w in weights.values())


def test_the_same_bits_at_any_number_of_threads_and_in_any_order() -> None:
    nets = [preset("model_1"), preset("model_4"), replace(preset("model_2", side=2), dropout=0.2)]
    jobs = [(net, number) for net in nets for number in range(4)]
    alone = {job: bits(fused(*job)) for job in jobs[::-1]}
    for threads in (2, 5):
        with ThreadPoolExecutor(threads) as pool:
            together = list(pool.map(lambda job: bits(fused(*job)), jobs))
        assert together == [alone[job] for job in jobs]


def test_read_only_data_give_the_same_bits() -> None:
    arrays = [POPULATION.features.copy(), POPULATION.target.copy()]
    for array in arrays:
        array.flags.writeable = False
    halves = Population(*arrays, POPULATION.side).split(3)
    net = preset("model_1")
    assert bits(fused(net, setting=setting_of(halves=halves))) == bits(fused(net))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_an_explosion_is_recorded_as_diverged(optimizer: Any) -> None:
    net = preset("model_1", optimizer=optimizer, learning_rate=1e30)
    outcome = fused(net).outcome
    assert outcome.status is Status.DIVERGED
    assert outcome.loss == np.inf
    assert np.isfinite(outcome.curve).all()


def test_the_stop_flag_ends_a_long_training_within_two_seconds() -> None:
    stop = np.zeros(1, dtype=np.uint8)
    net = preset("model_1")
    fused(net)
    ended: list[float] = []

    def train() -> None:
        instance = Instance(net, InstanceSeed(1, Role.RACE, 0))
        with pytest.raises(Stopped):
            FusedCpu().train(instance, setting_of(1_000_000), stop)
        ended.append(time.perf_counter())

    thread = threading.Thread(target=train)
    thread.start()
    time.sleep(0.3)
    stop[0] = 1
    told = time.perf_counter()
    thread.join(10)
    assert ended
    assert ended[0] - told < 2


def test_a_failure_is_an_outcome() -> None:
    outcome = fused(
        preset("model_1"), setting=setting_of(sampling=Sampling(10**9, "subsample"))
    ).outcome
    assert outcome.status is Status.FAILED
    assert outcome.message


@pytest.mark.parametrize("reading", ["plateau", "explosion", "none"])
def test_the_stopping_rule_is_that_of_the_study(reading: Any) -> None:
    rule = Stopping(max_epochs=30, min_epochs=6, window=4, tolerance=0.1, reading=reading)
    ending = ending_of(rule)
    generator = np.random.default_rng(4)
    answers = set()
    for _ in range(300):
        curve = generator.uniform(1.0, 1.2, generator.integers(1, 31)).astype(np.float32)
        expected = rule.should_stop([float(x) for x in curve])
        assert should_stop(curve, curve.size, ending) == expected
        answers.add(expected)
    assert answers == {True, False}


def test_the_package_imports_no_compiler() -> None:
    code = (
        "import sys, surefoot.engines.fused_cpu as f; f.FusedCpu();"
        "assert not {'torch', 'surefoot.engines.fused_cpu.instance'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_final_losses_are_distributed_as_in_torch() -> None:
    """64 instances each, of different numbers, so that the two samples are independent."""
    net = ConvNet((Conv(8, 3, pool=Pool()),), (8,), learning_rate=3e-3, optimizer="adamw")
    setting = setting_of(8, sampling=Sampling(300, test_size=300))
    ours = [fused(net, i, setting).outcome.loss for i in range(64)]
    reference = [eager(net, 1000 + i, setting).outcome.loss for i in range(64)]
    assert stats.ks_2samp(ours, reference).pvalue > 0.01
    assert stats.mannwhitneyu(ours, reference).pvalue > 0.01
