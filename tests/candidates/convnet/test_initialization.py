"""Initial weights: all from one stream, He-normal, in the order of the layers."""

import numpy as np
import pytest
import scipy.stats

from surefoot.candidates.convnet.initialization import initial_weights, named_weights
from surefoot.candidates.convnet.network import Conv, ConvNet
from surefoot.candidates.convnet.notation import PRESETS, preset
from surefoot.seeds.ledger import InstanceSeed, Role, Stream

SEED = InstanceSeed(3, Role.RACE, 8)


@pytest.mark.parametrize("name", PRESETS)
def test_weights_fill_every_parameter_by_name(name: str) -> None:
    net = preset(name, batch_norm=True)
    flat = initial_weights(net, SEED)
    named = named_weights(net, flat)
    assert flat.dtype == np.float32
    assert flat.size == net.number_of_parameters == sum(array.size for array in named.values())
    shapes = {p.name: p.shape for layer in net.layers for p in layer.parameters}
    assert {name: array.shape for name, array in named.items()} == shapes
    assert all(np.shares_memory(array, flat) for array in named.values())


def test_constants() -> None:
    net = preset("model_4", batch_norm=True)
    named = named_weights(net, initial_weights(net, SEED))
    assert not any(named[name].any() for name in named if name.endswith("bias"))
    assert all((named[f"{block}_norm.weight"] == 1).all() for block in ("conv1", "fc2"))
    assert all((named[f"{block}_activation.weight"] == 0.25).all() for block in ("conv2", "fc1"))


def test_weights_are_normal_with_hes_deviation() -> None:
    net = preset("model_1")
    named = named_weights(net, initial_weights(net, SEED))
    for name, fan_in in (("conv1.weight", 9), ("conv2.weight", 288), ("fc1.weight", 576)):
        scaled = named[name].ravel().astype(float) / np.sqrt(2 / fan_in)
        assert scipy.stats.kstest(scaled, "norm").pvalue > 1e-3


def test_the_stream_is_numpys_normal_stream_in_the_order_of_layers() -> None:
    """Pins the order: another engine that reads the stream otherwise trains another instance."""
    net = ConvNet((Conv(2, 2),), (3,), "prelu", input_shape=(1, 3, 3))
    normal = SEED.generator(Stream.INIT).standard_normal(8 + 24 + 3, dtype=np.float32)
    conv, fc1, fc2 = normal[:8], normal[8:32], normal[32:]
    expected = np.concatenate(
        [
            conv * np.float32(np.sqrt(2 / 4)),
            [0, 0],
            [0.25, 0.25],
            fc1 * np.float32(np.sqrt(2 / 8)),
            [0, 0, 0],
            [0.25] * 3,
            fc2 * np.float32(np.sqrt(2 / 3)),
            [0],
        ]
    ).astype(np.float32)
    np.testing.assert_array_equal(initial_weights(net, SEED), expected)


def test_hyperparameters_that_change_no_shape_change_no_weight() -> None:
    """Paired candidates of one architecture start from the same weights."""
    one = initial_weights(preset("model_1"), SEED)
    np.testing.assert_array_equal(one, initial_weights(preset("model_1", optimizer="sgd"), SEED))
    other = InstanceSeed(3, Role.RACE, 9)
    assert (one != initial_weights(preset("model_1"), other)).any()
    held = InstanceSeed(3, Role.RACE, 9, init=8)
    np.testing.assert_array_equal(one, initial_weights(preset("model_1"), held))
