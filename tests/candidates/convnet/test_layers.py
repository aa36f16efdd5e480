"""Layers: shapes, names and parameters, by hand and against torch."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from surefoot.candidates.convnet.network import Conv, ConvNet, Layer, Pool
from surefoot.errors import CandidateError


def layer(net: ConvNet, name: str) -> Layer:
    (found,) = (layer for layer in net.layers if layer.name == name)
    return found


def test_a_network_with_everything_layer_by_layer() -> None:
    net = ConvNet(
        (Conv(8, 4, "same", pool=Pool("average", 3, 2)), Conv(4, 2, bias=False)),
        (6, 5),
        "prelu",
        batch_norm=True,
        dropout=0.2,
        side=2,
        side_layer=1,
        outputs=3,
    )
    assert [(one.name, one.kind, one.output, one.number_of_parameters) for one in net.layers] == [
        ("conv1", "conv", (8, 15, 15), 8 * 16),
        ("conv1_norm", "batch_norm", (8, 15, 15), 16),
        ("conv1_activation", "activation", (8, 15, 15), 8),
        ("conv1_pool", "pool", (8, 7, 7), 0),
        ("conv2", "conv", (4, 6, 6), 4 * 8 * 4),
        ("conv2_norm", "batch_norm", (4, 6, 6), 8),
        ("conv2_activation", "activation", (4, 6, 6), 4),
        ("flatten", "flatten", (144,), 0),
        ("fc1_dropout", "dropout", (144,), 0),
        ("fc1", "dense", (6,), 144 * 6),
        ("fc1_norm", "batch_norm", (6,), 12),
        ("fc1_activation", "activation", (6,), 6),
        ("fc2_dropout", "dropout", (6,), 0),
        ("fc2_side", "side", (8,), 0),
        ("fc2", "dense", (5,), 40),
        ("fc2_norm", "batch_norm", (5,), 10),
        ("fc2_activation", "activation", (5,), 5),
        ("fc3_dropout", "dropout", (5,), 0),
        ("fc3", "dense", (3,), 18),
    ]


@given(
    kernel=st.integers(1, 7),
    same=st.booleans(),
    size=st.integers(1, 4),
    stride=st.none() | st.integers(1, 4),
    rows=st.integers(8, 17),
    columns=st.integers(8, 17),
    channels=st.integers(1, 3),
)
def test_shapes_and_parameters_are_those_of_torch(
    kernel, same, size, stride, rows, columns, channels
) -> None:
    conv = Conv(4, kernel, "same" if same else "valid", pool=Pool("max", size, stride))
    try:
        net = ConvNet((conv,), input_shape=(channels, rows, columns))
    except CandidateError:
        assert not same
        assert size > min(rows, columns) - kernel + 1
        return
    stock = torch.nn.Conv2d(channels, 4, kernel)
    image = torch.zeros(1, channels, rows, columns)
    if same:
        image = torch.nn.functional.pad(image, ((kernel - 1) // 2, kernel // 2) * 2)
    map_ = stock(image)
    assert layer(net, "conv1").output == tuple(map_.shape[1:])
    pooled = torch.nn.functional.max_pool2d(map_, size, stride)
    assert layer(net, "conv1_pool").output == tuple(pooled.shape[1:])
    assert layer(net, "conv1").number_of_parameters == sum(p.numel() for p in stock.parameters())
    for parameter in layer(net, "conv1").parameters:
        name = parameter.name.removeprefix("conv1.")
        assert parameter.shape == tuple(stock.get_parameter(name).shape)


def test_weights_start_with_he_deviations_and_the_rest_constant() -> None:
    net = ConvNet((Conv(8, 3), Conv(4, 5)), (6,), "prelu", batch_norm=True)
    starts = {p.name: (p.deviation, p.constant) for one in net.layers for p in one.parameters}
    assert starts["conv1.weight"] == (pytest.approx((2 / 9) ** 0.5), 0.0)
    assert starts["conv2.weight"] == (pytest.approx((2 / 200) ** 0.5), 0.0)
    assert starts["fc2.weight"] == (pytest.approx((2 / 6) ** 0.5), 0.0)
    assert starts["fc2.bias"] == starts["conv1_norm.bias"] == (0.0, 0.0)
    assert starts["conv1_norm.weight"] == (0.0, 1.0)
    assert starts["fc1_activation.weight"] == (0.0, 0.25)


def test_what_is_normalised_has_no_bias() -> None:
    net = ConvNet((Conv(4), Conv(3, bias=False)), (5,), batch_norm=True)
    biases = [p.name for one in net.layers for p in one.parameters if p.name.endswith(".bias")]
    assert biases == ["conv1_norm.bias", "conv2_norm.bias", "fc1_norm.bias", "fc2.bias"]
    assert net.key == ConvNet((Conv(4, bias=False), Conv(3)), (5,), batch_norm=True).key


def test_multiply_adds_count_every_product() -> None:
    net = ConvNet((Conv(8, 4, "same"), Conv(3, 2)), (6,), side=2, side_layer=0)
    products = {one.name: one.multiply_adds for one in net.layers if one.multiply_adds}
    assert products == {
        "conv1": 8 * 16 * 225,
        "conv2": 3 * 8 * 4 * 196,
        "fc1": (3 * 196 + 2) * 6,
        "fc2": 6,
    }


@pytest.mark.parametrize(
    ("convolutions", "message"),
    [
        (
            (Conv(2, 7), Conv(2, 7), Conv(2, 5)),
            "kernel 5 of conv3 is larger than its input of 3×3",
        ),
        (
            (Conv(2, 3, pool=Pool("max", 14)),),
            "pooling of size 14 after conv1 is larger than its input of 13×13 .* at most 13",
        ),
        ((Conv(2, 3, pool=Pool("max", 13)), Conv(2, 2)), "kernel 2 of conv2 is larger .* of 1×1"),
    ],
)
def test_what_does_not_fit_says_what_would(convolutions, message: str) -> None:
    with pytest.raises(CandidateError, match=message):
        ConvNet(convolutions)


def test_same_padding_lets_any_kernel_fit() -> None:
    net = ConvNet((Conv(2, 3, pool=Pool("max", 13)), Conv(2, 7, "same")))
    assert layer(net, "conv2").output == (2, 1, 1)
