"""Engines of networks train the same instance: their curves against those of the reference."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.stats

from surefoot.candidates.convnet.network import ACTIVATIONS, Conv, ConvNet, Pool
from surefoot.candidates.convnet.notation import PRESETS, preset
from surefoot.data.population import Population, Sampling
from surefoot.engines.base import Engine, Monitor
from surefoot.engines.fused_cpu import FusedCpu
from surefoot.engines.torch.eager import TorchEager
from surefoot.engines.torch.stacked.engine import TorchStacked
from surefoot.instances import Setting, Status
from surefoot.learning.losses import parse_loss
from surefoot.learning.optimizers import OPTIMIZERS
from surefoot.learning.stopping import Stopping
from surefoot.testing import toy_instance, toy_population, toy_setting
from tests.engines.cases import NETS, NOISY, PLAIN, SIDE

COMPILED: tuple[Engine, ...] = (FusedCpu(), TorchStacked("cpu", size=2))
every_engine = pytest.mark.parametrize("engine", COMPILED, ids=lambda engine: engine.name)

MIXED = ConvNet((Conv(5, 3, "same", pool=Pool()), Conv(6, 2)), (7,), learning_rate=2e-3)
SHAPES = {
    "1x1 kernel": (Conv(3, 1),),
    "even kernels": (Conv(4, 2, pool=Pool("average", 2)), Conv(5, 4, "same"), Conv(3, 2)),
    "7x7 same": (Conv(4, 7, "same", pool=Pool("max", 3, 2)),),
    "6x6 valid": (Conv(9, 6, bias=False), Conv(17, 5)),
    "overlapping pools": (
        Conv(4, 3, pool=Pool("max", 3, 1)),
        Conv(4, 3, pool=Pool("average", 4, 2)),
    ),
    "gaps between pools": (Conv(6, 5, "same", pool=Pool("max", 2, 3)),),
    "down to one cell": (Conv(8, 3, pool=Pool("max", 13)), Conv(5, 7, "same")),
    "three convolutions": (Conv(4), Conv(8, pool=Pool()), Conv(16, 3, bias=False)),
}


def curves(engine: Engine, net: ConvNet, setting: Setting, number: int = 0) -> np.ndarray:
    outcome = engine.train(toy_instance(net, number), setting).outcome
    assert outcome.status is Status.FINISHED, outcome.message
    return outcome.curve


def agree(engine: Engine, net: ConvNet, **changes: Any) -> None:
    setting = toy_setting(**changes)
    reference = curves(TorchEager(), net, setting)
    assert reference.size == 3
    np.testing.assert_allclose(curves(engine, net, setting), reference, rtol=1e-3)
    assert reference[0] != reference[-1]


@every_engine
@pytest.mark.parametrize("name", NETS)
def test_networks_of_the_conformance_suite(engine: Engine, name: str) -> None:
    agree(engine, NETS[name])


@every_engine
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "norm"])
def test_activations(engine: Engine, activation: Any, batch_norm: bool) -> None:
    agree(engine, replace(MIXED, activation=activation, batch_norm=batch_norm))


@every_engine
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_optimizers(engine: Engine, optimizer: Any, decay: float) -> None:
    agree(engine, replace(MIXED, optimizer=optimizer, decay=decay, activation="tanh"))


@every_engine
@pytest.mark.parametrize("name", SHAPES)
def test_shapes(engine: Engine, name: str) -> None:
    agree(engine, replace(MIXED, convolutions=SHAPES[name], activation="elu"))


@every_engine
@pytest.mark.parametrize("batch_size", [1, 2, 7, 16, 17, 33, 69, 70, 71, 4096])
def test_batch_sizes(engine: Engine, batch_size: int) -> None:
    agree(engine, replace(MIXED, batch_size=batch_size, learning_rate=5e-4, activation="gelu"))


@every_engine
@pytest.mark.parametrize("batch_size", [3, 23, 69])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_normalised_and_dropped_batches_down_to_one_example(
    engine: Engine, batch_size: int, dropout: float
) -> None:
    net = replace(NOISY, batch_size=batch_size, dropout=dropout, optimizer="sgd")
    agree(engine, net)


@every_engine
@pytest.mark.parametrize("side_layer", [0, 1, 2, 3])
def test_side_features_at_any_layer(engine: Engine, side_layer: int) -> None:
    agree(engine, replace(MIXED, hidden=(6, 5, 4), side=1, side_layer=side_layer, dropout=0.2))


@every_engine
@pytest.mark.parametrize(
    "trained", ["relative_rmse", "stochastic_rmse", "rmse", "mse", "mae", "huber(0.3)"]
)
@pytest.mark.parametrize("measured", ["relative_rmse", "mae"])
@pytest.mark.parametrize("outputs", [1, 2])
def test_losses(engine: Engine, trained: str, measured: str, outputs: int) -> None:
    net = replace(MIXED, loss=parse_loss(trained), outputs=outputs, activation="sigmoid")
    agree(
        engine,
        net,
        halves=toy_setting(toy_population(outputs=outputs)).halves,
        loss=parse_loss(measured),
    )


@every_engine
@pytest.mark.parametrize("measured", ["relative_rmse", "stochastic_rmse(root)", "mae"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "nadam"])
def test_the_root_as_objective(engine: Engine, measured: str, optimizer: Any) -> None:
    net = replace(MIXED, objective="root", optimizer=optimizer, decay=0.01, batch_size=48)
    agree(engine, net, loss=parse_loss(measured))


@every_engine
@pytest.mark.parametrize("warmup", [0.0, 0.7, 2.0])
@pytest.mark.parametrize(
    "schedule",
    ["constant", "cosine", "linear(0.1)", "step(1, 0.3)", "one_cycle", "cyclical(1.5, 0.2)"],
)
def test_schedules(engine: Engine, schedule: str, warmup: float) -> None:
    agree(engine, replace(MIXED, schedule=schedule, warmup=warmup, optimizer="adamw"))


@every_engine
@pytest.mark.parametrize("average", ["ema(4 steps)", "ema(1 epoch)", "last(0.5)", "last(1)"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_averages(engine: Engine, average: str, optimizer: Any) -> None:
    net = replace(SIDE, average=average, optimizer=optimizer, decay=0.02, schedule="cosine")
    agree(engine, net)


@every_engine
@pytest.mark.parametrize("average", ["ema(1 epoch)", "last(0.7)"])
@pytest.mark.parametrize("batch_size", [23, 35, 69, 128])
def test_statistics_of_averaged_weights_are_computed_anew(
    engine: Engine, average: str, batch_size: int
) -> None:
    agree(engine, replace(NOISY, average=average, batch_size=batch_size, optimizer="sgd"))


@every_engine
@pytest.mark.parametrize("clip", [1e-3, 0.1, 1e6])
@pytest.mark.parametrize("objective", ["root", "square"])
def test_clipped_gradients(engine: Engine, clip: float, objective: Any) -> None:
    agree(engine, replace(MIXED, clip=clip, objective=objective, optimizer="sgd"))


@every_engine
@pytest.mark.parametrize("reading", ["plateau", "explosion", "none"])
def test_plain_weights_are_measured_beside_their_average(engine: Engine, reading: Any) -> None:
    net = replace(MIXED, average="ema(1 epoch)")
    stopping = Stopping(6, min_epochs=2, window=2, tolerance=0.02, reading=reading)
    told = []
    for one in (engine, TorchEager()):
        for curves in (False, True):
            monitor = Monitor(np.zeros(1, dtype=np.uint8))
            setting = toy_setting(stopping=stopping, plain_curves=curves)
            one.fit(toy_instance(net), setting, monitor)
            assert len(monitor.plain) == (len(monitor.losses) if curves else 1)
            told.append((monitor.losses, monitor.plain))
    (curve, last), (_, plain), *reference = told
    assert plain[-1] == last[0]
    np.testing.assert_allclose(plain, reference[1][1], rtol=1e-3)
    np.testing.assert_allclose(curve, reference[0][0], rtol=1e-3)
    bare = Monitor(np.zeros(1, dtype=np.uint8))
    setting = toy_setting(stopping=Stopping(len(plain), reading="none"))
    engine.fit(toy_instance(replace(net, average="none")), setting, bare)
    assert bare.plain == []
    np.testing.assert_array_equal(np.float32(bare.losses), np.float32(plain))


@every_engine
def test_a_mean_of_the_last_epochs_is_that_of_saved_weights(engine: Engine) -> None:
    saved = [
        engine.train(toy_instance(MIXED), toy_setting(stopping=Stopping(epochs, reading="none")))
        for epochs in (3, 4)
    ]
    net = replace(MIXED, average="last(0.5)")
    mean = engine.train(toy_instance(net), toy_setting(stopping=Stopping(4, reading="none")))
    assert mean.predictor is not None
    for name, values in mean.predictor.weights.items():
        expected = sum(one.predictor.weights[name] for one in saved) / 2
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-7)


@every_engine
@pytest.mark.parametrize("loss", ["cross_entropy", "brier", "error_rate"])
def test_classification(engine: Engine, loss: str) -> None:
    population = toy_population()
    codes = np.digitize(population.target[:, 0], [2.3, 3.6])
    labelled = Population(population.features, codes, classes=True)
    setting = toy_setting(labelled, loss=parse_loss(loss))
    for net in (MIXED, ConvNet((), scale=True)):
        net = replace(net, outputs=3, hidden=(9,), learning_rate=0.01)
        reference = curves(TorchEager(), net, setting)
        np.testing.assert_allclose(curves(engine, net, setting), reference, rtol=1e-3)


@every_engine
@pytest.mark.parametrize("name", PRESETS)
def test_the_papers_networks(engine: Engine, name: str) -> None:
    # nas_2's own rate of 1e-2 amplifies rounding a thousandfold within an epoch: losses jump.
    net, base = preset(name, learning_rate=min(1e-3, preset(name).learning_rate)), toy_population()
    side = np.tile(base.side, (1, net.side)) if net.side and base.side is not None else None
    population = Population(base.features, base.target, side, base.groups)
    agree(engine, net, halves=toy_setting(population).halves)


@every_engine
def test_several_channels_and_oblong_images(engine: Engine) -> None:
    generator = np.random.default_rng(2)
    features = generator.normal(0.5, 1.0, (200, 3, 9, 12))
    target = 2.0 + np.abs(features[:, 0].mean(axis=(1, 2)) + features[:, 1, 3, 4])
    halves = toy_setting(Population(features, target)).halves
    agree(engine, replace(MIXED, input_shape=(3, 9, 12)), halves=halves)


@every_engine
@pytest.mark.parametrize("features", [1, 10, 30])
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("scale", [False, True], ids=["raw", "scaled"])
def test_networks_without_convolutions(
    engine: Engine, features: int, outputs: int, scale: bool
) -> None:
    generator = np.random.default_rng(features)
    x = generator.standard_normal((200, features))
    target = 5.0 + x[:, :1] + 0.1 * generator.standard_normal((200, outputs))
    net = ConvNet((), (12, 7), input_shape=(features,), outputs=outputs, scale=scale)  # type: ignore[arg-type]
    halves = toy_setting(Population(x, target)).halves
    for loss in ("relative_rmse", "rmse(root)", "huber(0.3)", "stochastic_rmse"):
        agree(engine, net, halves=halves, loss=parse_loss(loss))


@every_engine
@pytest.mark.parametrize("average", ["none", "ema(1 epoch)"])
def test_convolutions_scale_too(engine: Engine, average: str) -> None:
    agree(engine, replace(SIDE, scale=True, average=average, objective="root"))


@every_engine
def test_trained_weights_are_interchangeable(engine: Engine) -> None:
    """A reference module with another engine's weights predicts what that engine predicts."""
    import torch

    from surefoot.engines.torch.eager import module_of

    population = toy_population()
    for net in NETS.values():
        predictor = engine.train(toy_instance(net), toy_setting()).predictor
        assert predictor is not None
        reference = TorchEager().train(toy_instance(net), toy_setting()).predictor
        assert reference is not None
        assert set(predictor.weights) == set(reference.weights)
        inputs = [torch.from_numpy(population.features)]
        if net.side and population.side is not None:
            inputs.append(torch.from_numpy(population.side))
        expected = module_of(net, predictor.weights)(*inputs).detach().numpy()
        found = predictor.predict(population.features, population.side)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@every_engine
@pytest.mark.parametrize("net", [PLAIN, NOISY], ids=["plain", "noisy"])
def test_final_losses_of_64_instances_have_one_distribution(engine: Engine, net: ConvNet) -> None:
    """Those of the same instances, and those of others: engines must not differ in luck either."""
    setting = toy_setting(sampling=Sampling(None), stopping=Stopping(40, reading="none"))
    reference = [curves(TorchEager(), net, setting, number)[-1] for number in range(64)]
    for first in (0, 1_000):
        found = [curves(engine, net, setting, first + number)[-1] for number in range(64)]
        assert scipy.stats.ks_2samp(reference, found).pvalue > 0.01
