"""The window rule, against a direct reading of its sentence."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ConfigurationError
from surefoot.learning.stopping import Stopping

curves = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=30)


@given(
    curve=curves,
    min_epochs=st.integers(1, 10),
    window=st.integers(1, 10),
    max_epochs=st.integers(1, 40),
    tolerance=st.floats(0, 2),
    reading=st.sampled_from(["plateau", "explosion", "none"]),
)
def test_the_rule(curve, min_epochs, window, max_epochs, tolerance, reading) -> None:
    rule = Stopping(max_epochs, min_epochs, window, tolerance, reading)
    latest = curve[-window:]
    exceeds = max(latest) > (1 + tolerance) * min(latest)
    judged = len(curve) >= min_epochs and len(curve) >= window
    expected = (
        len(curve) >= max_epochs
        or {
            "plateau": judged and not exceeds,
            "explosion": judged and exceeds,
            "none": False,
        }[reading]
    )
    assert rule.should_stop(curve) == expected


def test_defaults_are_the_papers() -> None:
    rule = Stopping()
    assert (rule.min_epochs, rule.window, rule.tolerance, rule.reading) == (100, 30, 0.1, "plateau")


def test_a_falling_curve_stops_once_it_is_flat() -> None:
    rule = Stopping(1000)
    curve = [math.exp(-epoch / 100) for epoch in range(300)] + [math.exp(-3)] * 100
    stops = next(n for n in range(1, len(curve) + 1) if rule.should_stop(curve[:n]))
    assert curve[stops - 30] <= 1.1 * curve[stops - 1]
    assert curve[stops - 31] > 1.1 * curve[stops - 2]
    assert 300 < stops < 330


def test_the_literal_reading_stops_at_an_explosion() -> None:
    rule = Stopping(1000, reading="explosion")
    curve = [1.0] * 150 + [1.2] * 10
    stops = next(n for n in range(1, len(curve) + 1) if rule.should_stop(curve[:n]))
    assert stops == 151


def test_curves_may_be_arrays_in_single_precision() -> None:
    rule = Stopping(100, 2, 2, 0.5)
    assert rule.should_stop([float(x) for x in np.array([1.0, 1.25], dtype=np.float32)])


def test_codes() -> None:
    readings = ("none", "plateau", "explosion")
    assert [Stopping(reading=reading).code for reading in readings] == [0, 1, 2]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"reading": "plateu"}, "'plateu' is unknown: did you mean 'plateau'"),
        ({"max_epochs": 0}, "stopping max_epochs = 0 must be at least 1"),
        ({"min_epochs": -1}, "stopping min_epochs = -1 must be at least 1"),
        ({"window": 0}, "stopping window = 0 must be at least 1"),
        ({"tolerance": -0.1}, "stopping tolerance = -0.1 must be a non-negative"),
        ({"tolerance": float("nan")}, "stopping tolerance = nan must be a non-negative"),
        ({"tolerance": float("inf")}, "stopping tolerance = inf must be a non-negative"),
    ],
)
def test_values_out_of_range(fields, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Stopping(**fields)
