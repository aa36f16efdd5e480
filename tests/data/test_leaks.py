"""Data that would be learned wrongly without a word are refused."""

from __future__ import annotations

import numpy as np
import pandas
import pytest

from surefoot.data.files import load_population
from surefoot.data.population import Population
from surefoot.errors import DataError
from surefoot.selector.selector import RobustSelector

RNG = np.random.default_rng(4)
X, Y = RNG.normal(size=(40, 2)), RNG.normal(size=40)
LATE = 1_700_000_000 + np.arange(40)


@pytest.fixture
def frame():
    return pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": Y, "copy": Y})


def test_the_target_among_the_features_is_refused_unless_asked_for(frame):
    leaky = np.c_[X, Y]
    with pytest.raises(DataError, match="feature number 2 of population equals the target"):
        Population(leaky, Y)
    with pytest.raises(DataError, match="side feature number 0"):
        Population(X, Y, Y[:, None])
    with pytest.raises(DataError, match="feature 'copy' of frame equals the target y"):
        Population.from_frame(frame, "y")
    with pytest.raises(DataError, match="feature 'y'"):
        Population.from_frame(frame, "y", features=["a", "y"])
    assert Population(leaky, Y, target_among_features=True).features.shape == (40, 3)
    Population.from_frame(frame, "y", target_among_features=True)
    Population(np.zeros((3, 1)), np.zeros(3))


def test_so_it_is_in_a_file(frame, tmp_path):
    np.savez(tmp_path / "d.npz", x=X, y=Y, again=Y)
    options = {"target": "y", "features": ["again"]}
    with pytest.raises(DataError, match=r"feature 'again' of .*d\.npz equals"):
        load_population(str(tmp_path / "d.npz"), **options)
    load_population(str(tmp_path / "d.npz"), target_among_features=True, **options)


def test_classes_among_the_features_are_refused_too():
    classes = RNG.integers(0, 2, 40)
    with pytest.raises(DataError, match="equals the target"):
        Population(np.c_[X, classes], classes, classes=True)


@pytest.mark.parametrize("where", ["features", "target", "side", "groups", "list"])
def test_masked_arrays_are_refused(where):
    parts = {"features": X, "target": Y, "side": X + 1, "groups": np.arange(40)}
    if where == "list":
        parts["features"] = [np.ma.masked_greater(row, 0.0) for row in X]
    else:
        parts[where] = np.ma.masked_greater(parts[where], 0.0)
    with pytest.raises(DataError, match="masked"):
        Population(**parts)


def test_a_selector_refuses_masked_arrays_too():
    from sklearn.linear_model import Ridge

    with pytest.raises(DataError, match="masked"):
        RobustSelector([Ridge()]).fit(np.ma.masked_greater(X, 0.0), Y)


@pytest.mark.parametrize("kind", [np.int64, np.uint64, np.float64, np.int32])
def test_whole_numbers_that_float32_cannot_tell_apart_are_refused(kind, tmp_path):
    late = LATE.astype(kind)
    with pytest.raises(DataError, match="equal in float32"):
        Population(np.c_[late], Y)
    with pytest.raises(DataError, match="equal in float32"):
        Population(X, late)
    np.savez(tmp_path / "d.npz", x=X, y=Y, time=late)
    with pytest.raises(DataError, match=r"'time' of .*d\.npz.* equal in float32"):
        load_population(str(tmp_path / "d.npz"), target="y", features=["x", "time"])


def test_large_numbers_that_it_can_are_taken():
    Population(np.c_[LATE - LATE[0], 10**9 * np.arange(40)], Y)
    Population(RNG.normal(1e9, 1e8, (1000, 2)), RNG.normal(size=1000))
