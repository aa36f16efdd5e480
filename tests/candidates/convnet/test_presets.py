"""The paper's networks, with the parameter counts of its talk slides."""

import pytest

from surefoot.candidates.convnet.presets import PRESETS, preset
from surefoot.errors import CandidateError

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


def test_an_unknown_preset_is_echoed_with_the_nearest() -> None:
    with pytest.raises(CandidateError, match="preset 'model1' is unknown: did you mean 'model_1'"):
        preset("model1")
