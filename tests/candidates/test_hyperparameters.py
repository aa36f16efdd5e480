"""Hyperparameters by name, of every family of candidates."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import surefoot
from surefoot.candidates.hyperparameters import comparable, hyperparameters

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
NAMES = st.sampled_from(["a", "b", "class", "parameters", "tuple", "float", "steps"])
INNER = st.lists(SCALARS, max_size=3) | st.dictionaries(NAMES, SCALARS, max_size=3)
SPECS = st.dictionaries(NAMES, SCALARS | INNER | st.lists(INNER, max_size=2), max_size=4)


def test_a_pipelines_parts_have_the_names_of_its_steps() -> None:
    made = surefoot.EstimatorCandidate(
        "sklearn.svm.SVR", {"C": 10.0}, ["sklearn.preprocessing.MinMaxScaler"]
    )
    assert hyperparameters(json.loads(json.dumps(made.spec()))) == {
        "class": "sklearn.pipeline.Pipeline",
        "minmaxscaler.class": "sklearn.preprocessing.MinMaxScaler",
        "svr.class": "sklearn.svm.SVR",
        "svr.C": 10.0,
        "side": False,
    }


def test_a_networks_convolutions_are_a_list_per_field() -> None:
    found = hyperparameters(surefoot.convnet(channels=[2, 4], learning_rate=0.01).spec())
    assert found["convolutions.channels"] == "[2, 4]"
    assert found["learning_rate"] == 0.01


def test_a_functions_parameters_have_their_own_names() -> None:
    assert hyperparameters({"path": "a.b", "parameters": {"shrink": 0.5}, "side": False}) == {
        "path": "a.b",
        "side": False,
        "shrink": 0.5,
    }


@given(SPECS)
def test_every_value_is_plain(spec: dict[str, object]) -> None:
    for value in hyperparameters(spec).values():
        assert value is None or isinstance(value, (bool, int, float, str))


@pytest.mark.parametrize(
    ("values", "kinds"), [([1, 2.0], {float}), ([True, 1], {str}), ([True, None], {bool})]
)
def test_a_column_has_one_type(values: list[object], kinds: set[type]) -> None:
    assert {type(value) for value in comparable(values) if value is not None} == kinds
