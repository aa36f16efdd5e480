"""Averages of weights: names, lengths and the gains of the exponential average."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import ConfigurationError
from surefoot.learning.averaging import ema_gain, parse_average


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40), st.floats(1, 100))
def test_the_exponential_average_is_corrected_for_its_start(
    values: list[float], time_constant: float
) -> None:
    average = 0.0
    for step, value in enumerate(values, start=1):
        average += ema_gain(step, time_constant) * (value - average)
    weights = (1 - 1 / time_constant) ** np.arange(len(values))[::-1]
    assert average == pytest.approx(np.average(values, weights=weights), abs=1e-9)


@given(st.floats(-1e3, 1e3), st.floats(1, 1e4))
def test_the_average_of_a_constant_is_the_constant(value: float, time_constant: float) -> None:
    average = 7.0
    for step in range(1, 20):
        average += ema_gain(step, time_constant) * (value - average)
    assert average == pytest.approx(value, rel=1e-12, abs=1e-12)


def test_lengths_in_steps_epochs_and_shares() -> None:
    assert parse_average("ema").time_constant(250) == 500
    assert parse_average("ema(2 epochs)").time_constant(250) == 500
    assert parse_average("ema(0.5 epoch)").time_constant(1) == 1
    assert parse_average("last").first_epoch(100) == 75
    assert parse_average("last(0.1)").first_epoch(30) == 27
    assert parse_average("last(0.001)").first_epoch(30) == 29
    assert parse_average("last(1)").first_epoch(30) == 0


@pytest.mark.parametrize("text", ["none", "ema(500 steps)", "ema(2 epochs)", "last(0.25)"])
def test_an_average_is_what_its_text_says(text: str) -> None:
    assert str(parse_average(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("emma", "did you mean 'ema'"),
        ("ema(3)", "write steps or epochs, as in"),
        ("ema(3 days)", "write steps or epochs, as in"),
        ("ema(-3 steps)", "-3 must be a positive number"),
        ("last(0)", "0 must be"),
        ("last(2)", "2 must be"),
        ("none(1)", "none takes no value"),
    ],
)
def test_texts_that_name_no_average(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_average(text)
