"""Networks as candidates: what they refuse, their keys, specs, labels and sizes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.candidates.convnet.network import ACTIVATIONS, Conv, ConvNet, Pool
from surefoot.candidates.convnet.notation import PRESETS, preset
from surefoot.errors import CandidateError
from surefoot.learning.losses import Loss
from surefoot.learning.optimizers import OPTIMIZERS

pools = st.none() | st.builds(
    Pool, st.sampled_from(["max", "average"]), st.integers(1, 2), st.none() | st.integers(1, 2)
)
convs = st.builds(
    Conv,
    st.integers(1, 9),
    st.integers(1, 3),
    st.sampled_from(["valid", "same"]),
    st.booleans(),
    pools,
)


@st.composite
def nets(draw: st.DrawFn) -> ConvNet:
    hidden = tuple(draw(st.lists(st.integers(1, 9), max_size=3)))
    return ConvNet(
        tuple(draw(st.lists(convs, max_size=3))),
        hidden,
        activation=draw(st.sampled_from(ACTIVATIONS)),
        batch_norm=draw(st.booleans()),
        dropout=draw(st.sampled_from([0.0, 0.25])),
        side=draw(st.integers(0, 3)),
        side_layer=draw(st.integers(0, len(hidden))),
        input_shape=(draw(st.integers(1, 2)), 23, 22),  # room for any three of `convs`
        outputs=draw(st.integers(1, 3)),
        scale=draw(st.booleans()),
        optimizer=draw(st.sampled_from(OPTIMIZERS)),
        learning_rate=draw(st.sampled_from([1e-4, 0.1])),
        batch_size=draw(st.integers(1, 64)),
        decay=draw(st.sampled_from([0.0, 0.01])),
        loss=draw(st.sampled_from([None, Loss("mae"), Loss("huber", 1 / 3)])),
    )


@given(nets())
def test_a_network_is_rebuilt_from_its_spec(net: ConvNet) -> None:
    import json

    again = ConvNet.from_spec(json.loads(json.dumps(net.spec())))
    assert again == net
    assert (again.key, hash(again), again.label) == (net.key, hash(net), net.label)
    assert len(net.key) == 16
    assert int(net.key, 16) >= 0


@given(nets(), nets())
def test_equal_keys_mean_equal_networks(one: ConvNet, other: ConvNet) -> None:
    assert (one == other) == (one.key == other.key)


@given(nets())
def test_layers_join_up(net: ConvNet) -> None:
    assert net.layers[0].input == net.input_shape
    assert net.layers[-1].output == (net.outputs,)
    for before, after in zip(net.layers, net.layers[1:]):
        assert before.output == after.input
    assert len({layer.name for layer in net.layers}) == len(net.layers)
    names = [p.name for layer in net.layers for p in layer.parameters]
    assert len(set(names)) == len(names)


def test_kinds_of_numbers_and_sequences_do_not_matter() -> None:
    one = ConvNet((Conv(4),), (3,), learning_rate=1.0, dropout=0.0, batch_size=8)
    other = ConvNet(
        [Conv(np.int64(4))],  # type: ignore[arg-type]
        [np.int32(3)],  # type: ignore[arg-type]
        learning_rate=1,
        dropout=0,
        batch_size=np.int64(8),  # type: ignore[arg-type]
    )
    assert one == other
    assert (one.key, hash(one)) == (other.key, hash(other))


def test_every_field_changes_the_key() -> None:
    net = preset("model_4")
    changes = [
        {"convolutions": (*net.convolutions[:1], replace(net.convolutions[1], kernel=2))},
        {"hidden": (64, 8)},
        {"activation": "relu"},
        {"batch_norm": True},
        {"dropout": 0.1},
        {"side": 1},
        {"side_layer": 0},
        {"outputs": 2},
        {"optimizer": "adam"},
        {"learning_rate": 2e-4},
        {"batch_size": 33},
        {"decay": 0.2},
        {"scale": True},
        {"loss": Loss("mae")},
    ]
    keys = {replace(net, **change).key for change in changes}
    assert len(keys | {net.key}) == len(changes) + 1


def test_without_convolutions_only_the_number_of_features_counts() -> None:
    shapes = [(12,), (3, 4), (1, 3, 4), (1, 1, 12), (1, 2, 3, 2)]
    nets = [ConvNet((), (5,), input_shape=shape) for shape in shapes]  # type: ignore[arg-type]
    assert {net.key for net in nets} == {nets[0].key}
    assert nets[0].input_shape == (1, 1, 12)
    assert nets[0].number_of_parameters == 12 * 5 + 5 + 5 + 1
    assert nets[0].flops == 4 * 12 * 5 + 6 * 5


def test_features_are_dropped_only_after_convolutions() -> None:
    kinds = [one.kind for one in ConvNet((), (5, 4), dropout=0.1, input_shape=(3,)).layers]
    assert kinds == ["flatten", "dense", *("activation", "dropout", "dense") * 2]


def test_the_place_of_side_features_is_immaterial_without_any() -> None:
    assert ConvNet((Conv(4),), (3,), side_layer=0).key == ConvNet((Conv(4),), (3,)).key


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"convolutions": (Conv(1),) * 4}, "4 convolutions given; use at most 3"),
        ({"scale": 1}, "scale = 1 must be true or false"),
        ({"convolutions": (), "input_shape": (0,)}, r"input_shape = \(1, 1, 0\) must be positive"),
        ({"convolutions": (8,)}, "convolution 8 must be a Conv"),
        ({"convolutions": 8}, "convolutions = 8 must be a list"),
        ({"hidden": (1,) * 5}, "5 hidden layers given; use at most 4"),
        ({"hidden": (0,)}, r"hidden = \(0,\) and .* must be positive"),
        ({"hidden": 9}, "hidden = 9 must be a list of whole numbers"),
        ({"activation": "gelo"}, "activation 'gelo' is unknown: did you mean 'gelu'"),
        ({"optimizer": "adamx"}, "optimizer 'adamx' is unknown: did you mean 'adam"),
        ({"outputs": 0}, "outputs = 0 must be at least 1"),
        ({"batch_size": 0}, "batch_size = 0 must be at least 1"),
        ({"batch_size": 2.5}, "batch_size = 2.5 must be a whole number"),
        ({"learning_rate": 0.0}, "learning_rate = 0.0 must be positive"),
        ({"learning_rate": float("inf")}, "learning_rate = inf must be positive"),
        ({"learning_rate": "fast"}, "learning_rate = 'fast' must be a number"),
        ({"decay": -0.1}, "decay = -0.1 must not be negative"),
        ({"decay": float("nan")}, "decay = nan must not be negative"),
        ({"dropout": 1.0}, "dropout = 1.0 must be at least 0 and below 1"),
        ({"side": 2, "side_layer": 2}, "2 side features .* layer 2: it must be 0 … 1"),
        ({"side": -1}, "-1 side features cannot join"),
        ({"input_shape": (15, 15)}, r"input_shape = \(15, 15\) must be \(channels"),
        ({"convolutions": (Conv(2, 7), Conv(2, 7), Conv(2, 4))}, "kernel 4 of conv3 is larger"),
    ],
)
def test_fields_that_contradict_are_refused(fields, message: str) -> None:
    given_fields = {"convolutions": (Conv(4),), "hidden": (5,), **fields}
    with pytest.raises(CandidateError, match=message):
        ConvNet(**given_fields)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv(0), "a convolution of 0 channels"),
        (lambda: Conv(4, 8), "convolution kernel 8 must be 1 … 7"),
        (lambda: Conv(4, 3, "full"), "'full' is unknown: use 'valid' or 'same'"),
        (lambda: Conv(4.0), "channels = 4.0 must be a whole number"),
        (lambda: Pool("mean"), "'mean' is unknown: use 'max' or 'average'"),
        (lambda: Pool("max", 0), "pooling of size 0 and stride None"),
        (lambda: Pool("max", 2, 0), "pooling of size 2 and stride 0"),
        (lambda: Pool("max", 2, "2"), "stride = '2' must be a whole number"),
    ],
)
def test_blocks_that_are_none_are_refused(make, message: str) -> None:
    with pytest.raises(CandidateError, match=message):
        make()


@pytest.mark.parametrize(
    "spec", [{}, {"convolutions": [{"channels": 3, "colour": "red"}]}, {"convolutions": [3]}]
)
def test_specs_of_something_else_are_refused(spec) -> None:
    with pytest.raises(CandidateError, match="does not describe a ConvNet"):
        ConvNet.from_spec(spec)


def test_an_unknown_field_in_a_spec_is_named() -> None:
    with pytest.raises(CandidateError, match="colour"):
        ConvNet.from_spec({**preset("model_1").spec(), "colour": "red"})


def test_floating_point_operations_by_hand() -> None:
    """1→16→16 channels, 3×3 valid on 15×15, pooled by 2, FC 16: the fused study's network."""
    net = ConvNet((Conv(16), Conv(16, pool=Pool())), (16,))
    first, second = 16 * 9 * 13 * 13, 16 * 16 * 9 * 11 * 11
    dense = 400 * 16 + 16
    assert net.number_of_parameters == 8_913
    assert net.flops == 4 * first + 6 * (second + dense)
    assert net.flops == pytest.approx(1.81e6, rel=0.01)


def test_the_summary_of_a_network() -> None:
    lines = preset("model_4").summary().splitlines()
    assert lines[0].split() == ["layer", "output", "parameters"]
    assert [line.split()[0] for line in lines[1:]] == [
        *("conv1", "conv1_activation", "conv1_pool", "conv2", "conv2_activation", "conv2_pool"),
        *("flatten", "fc1", "fc1_activation", "fc2_side", "fc2", "fc2_activation", "fc3", "total"),
    ]
    assert lines[1].split() == ["conv1", "32×13×13", "288"]
    assert lines[-1].split() == ["total", "23,662"]


@pytest.mark.parametrize("name", PRESETS)
def test_labels_are_one_line_and_tell_the_presets_apart(name: str) -> None:
    label = preset(name).label
    assert "\n" not in label
    assert sum(preset(other).label == label for other in PRESETS) == 1


def test_a_label_without_convolutions() -> None:
    net = ConvNet((), (32, 16), input_shape=(7,), outputs=2, side=1, scale=True)
    assert net.label == "fc32-16-2+side scaled relu adam lr 0.001 batch 32"


def test_a_label_names_what_is_special() -> None:
    net = ConvNet(
        (Conv(8, 4, "same", pool=Pool("average", 3, 2)), Conv(4)),
        (5,),
        "tanh",
        batch_norm=True,
        dropout=0.1,
        side=1,
        decay=0.01,
    )
    assert net.label == (
        "8c4sa3/2-4c3 fc5-1+side bn drop0.1 tanh adam lr 0.001 batch 32 decay 0.01"
    )
