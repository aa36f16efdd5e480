"""Populations from data frames: pandas and polars give the same one."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from surefoot.data.population import Population
from surefoot.errors import DataError

COLUMNS: dict[str, list[Any]] = {
    "mass": [1.0, 2.5, 3.0, 4.0],
    "count": [1, 2, 3, 4],
    "wet": [True, False, True, True],
    "shower": [7, 7, 8, 9],
    "kind": ["a", "b", "a", "b"],
    "energy": [10.0, 20.0, 30.0, 40.0],
}


@pytest.fixture(params=[pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def frame(request: pytest.FixtureRequest) -> Any:
    return request.param(COLUMNS)


def test_named_columns_become_features_target_side_and_groups(frame: Any) -> None:
    population = Population.from_frame(
        frame, "energy", features=["mass", "wet"], side=["count"], groups="shower", name="rain"
    )
    assert population.features.tolist() == [[1, 1], [2.5, 0], [3, 1], [4, 1]]
    assert population.target[:, 0].tolist() == COLUMNS["energy"]
    assert population.side is not None
    assert population.side[:, 0].tolist() == COLUMNS["count"]
    assert population.groups is not None
    assert population.groups.tolist() == COLUMNS["shower"]
    assert population.feature_names == ("mass", "wet")
    assert (population.name, population.target_name, population.classes) == ("rain", "energy", None)


def test_every_other_column_is_a_feature_and_text_is_classes(frame: Any) -> None:
    population = Population.from_frame(frame, "kind", groups="shower")
    assert population.feature_names == ("mass", "count", "wet", "energy")
    assert population.classes == ("a", "b")
    assert population.target[:, 0].tolist() == [0, 1, 0, 1]
    assert Population.from_frame(frame, "count", features=["mass"], classes=True).outputs == 4
    assert Population.from_frame(frame, "count", features=["mass"]).outputs == 1


def test_several_targets(frame: Any) -> None:
    population = Population.from_frame(frame, ["energy", "mass"], features=["count"])
    np.testing.assert_array_equal(population.target[1], [20.0, 2.5])
    assert population.target_name == "energy, mass"


def test_both_libraries_give_the_same_fingerprint() -> None:
    made = [
        Population.from_frame(kind(COLUMNS), "kind", features=["mass", "count"], groups="shower")
        for kind in (pd.DataFrame, pl.DataFrame)
    ]
    assert made[0].fingerprint == made[1].fingerprint


def test_columns_that_cannot_be_used_are_named(frame: Any) -> None:
    with pytest.raises(DataError, match="no column 'enregy': did you mean 'energy'"):
        Population.from_frame(frame, "enregy")
    with pytest.raises(DataError, match="column 'kind' holds values such as 'a', not numbers"):
        Population.from_frame(frame, "energy")
    with pytest.raises(DataError, match="no column is left"):
        Population.from_frame(frame, "energy", features=[])


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_missing_values_are_named(kind: Any) -> None:
    frame = kind({"x": [1.0, None, 3.0], "y": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError, match=r"column 'x' holds nan in row 1 \(1 such rows\)"):
        Population.from_frame(frame, "y")


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(DataError, match="a dict is not a data frame"):
        Population.from_frame(COLUMNS, "energy")
