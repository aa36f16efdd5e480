"""Which fields candidates differ in, their values in order, and what stands beside them."""

import pytest

from surefoot.candidates.convnet.notation import convnet_space
from surefoot.errors import ConfigurationError
from surefoot.studies.grid.fields import Fields


def fields_of(*specs, family="toy"):
    return Fields.of((family, spec) for spec in specs)


def test_only_fields_that_vary_are_fields():
    found = fields_of({"a": 1, "b": "x", "c": 0}, {"a": 2, "b": "x", "c": 0})
    assert found.names == ("a",)
    assert Fields.of([("one", {"a": 1}), ("other", {"a": 1})]).names == ("family",)


def test_networks_have_the_names_of_study_files():
    space = convnet_space(
        {
            "channels": [[8], [8, 16]],
            "hidden": [[4], [8]],
            "learning_rate": [1e-2, 1e-3],
            "batch_norm": [False, True],
            "input_shape": [(1, 15, 15)],
        }
    )
    found = Fields.of((one.family, one.spec()) for one in space)
    assert {"channels", "hidden", "learning_rate", "batch_norm"} <= set(found.names)
    assert found.levels("learning_rate") == [1e-3, 1e-2]
    assert found.levels("batch_norm") == [False, True]
    assert found.levels("channels") == ["[8]", "[8, 16]"]


def test_a_last_name_that_two_fields_share_is_written_out():
    found = fields_of({"one": {"k": 1}, "two": {"k": 1}}, {"one": {"k": 2}, "two": {"k": 3}})
    assert found.names == ("one.k", "two.k")


def test_who_lacks_a_field_has_none_and_stands_last():
    found = fields_of({"momentum": 0.9}, {}, {"momentum": 0.5})
    assert found.levels("momentum") == [0.5, 0.9, None]
    assert found.setting(1, ["momentum"]) == "momentum none"


def test_a_field_that_another_decides_is_no_setting_beside_it():
    found = fields_of(
        {"optimizer": "sgd", "momentum": 0.9, "rate": 1},
        {"optimizer": "sgd", "momentum": 0.9, "rate": 2},
        {"optimizer": "adam", "momentum": 0.0, "rate": 1},
        {"optimizer": "adam", "momentum": 0.0, "rate": 2},
    )
    assert found.others("optimizer") == ["rate"]
    assert found.others("rate") == ["momentum", "optimizer"]


def test_an_unknown_field_names_the_fields():
    found = fields_of({"activation": "relu", "rate": 1}, {"activation": "elu", "rate": 2})
    found.check(["rate", "activation"])
    with pytest.raises(ConfigurationError, match=r"'activaton' is no field here: did you mean"):
        found.check(["activaton"])
    with pytest.raises(ConfigurationError, match="the candidates differ in activation, rate"):
        found.check(["depth"])
