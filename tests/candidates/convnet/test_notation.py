from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.candidates.convnet.network import Conv, ConvNet, Pool
from surefoot.candidates.convnet.notation import (
    PRESETS,
    choices_of,
    convnet,
    convnet_space,
    parse_pool,
    preset,
)
from surefoot.errors import CandidateError, SpaceError


def test_short_notation_gives_the_presets_of_the_paper():
    assert convnet(
        [32, 64],
        [9],
        conv_bias=False,
        pool=["max2", "max2s1"],
        optimizer="nadam",
        learning_rate=1e-4,
        batch_size=64,
        decay=0.01,
        objective="root",
    ) == preset("model_1")
    assert convnet(
        [32, 64],
        [64, 9],
        conv_bias=False,
        pool=["max2", "max4"],
        activation="prelu",
        side=2,
        optimizer="adamw",
        learning_rate=1e-4,
        decay=0.1,
        objective="root",
    ) == preset("model_4")


def test_one_value_serves_all_convolutions():
    net = convnet([4, 6, 8], kernel=5, padding="same", pool="average2")
    assert net.convolutions == tuple(
        Conv(c, kernel=5, padding="same", pool=Pool("average", 2)) for c in (4, 6, 8)
    )


@given(
    st.sampled_from(["max", "average"]),
    st.integers(1, 9),
    st.none() | st.integers(1, 9),
)
def test_every_pooling_has_a_word(kind, size, stride):
    word = f"{kind}{size}" + (f"s{stride}" if stride else "")
    assert parse_pool(word) == Pool(kind, size, stride)


@pytest.mark.parametrize("word", ["max", "2", "max2x2", "mean2", "max2s", ""])
def test_a_word_that_is_no_pooling_is_named(word):
    with pytest.raises(CandidateError, match=f"pool = {word!r} is not a pooling"):
        parse_pool(word)


def test_a_list_of_another_length_is_named():
    with pytest.raises(CandidateError, match=r"kernel = \[3, 5, 3\] has 3 entries for 2"):
        convnet([8, 8], kernel=[3, 5, 3])


def test_choices():
    assert choices_of("hidden", []) == [[]]
    assert choices_of("hidden", [[], [9]]) == [[], [9]]
    assert choices_of("kernel", [[3, 5]]) == [[3, 5]]
    assert choices_of("side", True) == [True]


def test_space_is_the_product_of_the_choices():
    space = convnet_space(
        {
            "channels": [[4], [8, 8]],
            "kernel": [3, 5],
            "hidden": [9],
            "learning_rate": [1e-3, 1e-2],
            "optimizer": "adamw",
        }
    )
    expected = {
        ConvNet(
            tuple(Conv(c, kernel=k) for c in channels), (9,), optimizer="adamw", learning_rate=lr
        )
        for channels, k, lr in product([(4,), (8, 8)], [3, 5], [1e-3, 1e-2])
    }
    assert set(space) == expected
    assert len(space) == 8


def test_space_of_presets_with_changes():
    space = convnet_space({"preset": list(PRESETS), "learning_rate": [1e-3, 1e-4]})
    assert len(space) == 12
    assert {net.number_of_parameters for net in space} == {
        preset(name).number_of_parameters for name in PRESETS
    }


def test_impossible_and_misspelt_spaces_say_where():
    with pytest.raises(SpaceError, match=r"kernel 7 of conv2 is larger.*channels = \[4, 4\]"):
        len(convnet_space({"channels": [4, 4], "kernel": [3, 7], "pool": "max2"}))
    with pytest.raises(CandidateError, match="needs 'channels'"):
        convnet_space({"kernel": 3})


PARAMETERS = {
    "model_1": 23_923,
    "model_2": 23_932,
    "model_3": 23_644,
    "model_4": 23_662,
    "nas_1": 5_756,
    "nas_2": 15_932,
}
TRAINING = {
    "model_1": ("nadam", 1e-4, 64, 0.01),
    "model_2": ("adamw", 1e-3, 32, 0.1),
    "model_3": ("adamw", 1e-4, 32, 0.1),
    "model_4": ("adamw", 1e-4, 32, 0.1),
    "nas_1": ("adamw", 1e-3, 32, 0.001),
    "nas_2": ("adamw", 1e-2, 32, 0.01),
}


def test_the_presets_are_these() -> None:
    assert tuple(PARAMETERS) == PRESETS


@pytest.mark.parametrize("name", PRESETS)
def test_numbers_of_parameters(name: str) -> None:
    assert preset(name).number_of_parameters == PARAMETERS[name]


@pytest.mark.parametrize("name", PRESETS)
def test_how_they_are_trained(name: str) -> None:
    net = preset(name)
    assert (net.optimizer, net.learning_rate, net.batch_size, net.decay) == TRAINING[name]
    assert (net.objective, net.schedule, net.average) == ("root", "constant", "none")


def test_their_flattened_features_and_where_side_features_join() -> None:
    widths = {}
    for name in PRESETS:
        by_name = {layer.name: layer for layer in preset(name).layers}
        joined = [layer.output[0] for layer in preset(name).layers if layer.kind == "side"]
        widths[name] = (by_name["flatten"].output[0], joined)
    assert widths == {
        "model_1": (576, []),
        "model_2": (576, [577]),
        "model_3": (64, []),
        "model_4": (64, [66]),
        "nas_1": (16, [33]),
        "nas_2": (16, [65]),
    }


def test_fields_can_be_changed() -> None:
    changed = preset("model_2", batch_size=64, side_layer=1)
    assert (changed.batch_size, changed.side_layer) == (64, 1)
    assert preset("model_2").batch_size == 32


def test_the_residual_network_has_a_name_too() -> None:
    net = preset("resnet")
    assert net.factory.endswith(".ResNet")
    assert (net.batch_size, net.learning_rate, net.decay) == (32, 0.01, 0.01)
    assert (net.initialization, net.input_shape, net.objective) == ("he", (1, 15, 15), "root")
    assert 11_100_000 < net.number_of_parameters < 11_200_000
    wide = convnet_space({"preset": ["model_1", "resnet"], "learning_rate": [1e-3, 1e-2]})
    assert [one.family for one in wide] == ["convnet"] * 2 + ["module"] * 2
    assert preset("resnet", learning_rate=1e-3).learning_rate == 1e-3


def test_an_unknown_preset_is_echoed_with_the_nearest() -> None:
    with pytest.raises(CandidateError, match="preset 'model1' is unknown: did you mean 'model_1'"):
        preset("model1")
