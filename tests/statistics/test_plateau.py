"""From where on a series stays near its last value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.statistics.plateau import flat_from


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ([1.0], 0),
        ([1.0, 1.0], 0),
        ([2.0, 1.04, 1.2, 1.04, 1.0], 3),
        ([1.0, 2.0, np.inf], 2),
        ([np.inf, 1.0, 1.0], 1),
        ([np.nan, 1.0], 1),
    ],
)
def test_the_place_is_after_the_last_far_value(values, place):
    assert flat_from(values, 0.05) == place


@given(st.lists(st.floats(0.1, 10.0), min_size=1), st.floats(0.01, 0.5))
def test_all_from_there_on_are_near_and_the_one_before_is_not(values, share):
    place, last = flat_from(values, share), values[-1]
    assert all(abs(value - last) <= share * last for value in values[place:])
    assert place == 0 or abs(values[place - 1] - last) > share * last
