import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.statistics import anytime


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_evidence_is_the_mixture_it_says(won, lost):
    n = won + lost
    value, _ = integrate.quad(lambda p: 2.0 * p**lost * (1 - p) ** won * 2.0**n, 0.5, 1.0)
    assert np.exp(anytime.log_evidence_of_losing(lost, n)) == pytest.approx(value, rel=1e-6)


def test_the_evidence_exceeds_its_level_at_any_time_at_most_that_often():
    rng = np.random.default_rng(1)
    lost = np.cumsum(rng.random((2000, 200)) < 0.5, axis=1)
    evidence = anytime.log_evidence_of_losing(lost, np.arange(1, 201))
    assert (evidence.max(axis=1) >= np.log(20)).mean() <= 0.05


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_quantile_sequences_hold_at_every_n(level):
    rng = np.random.default_rng(2)
    missed = 0
    for _ in range(200):
        uniform = rng.random(120)
        missed += any(
            not i.low <= level <= i.high
            for i in (anytime.quantile_sequence(uniform[:n], level, 0.9) for n in range(2, 121, 3))
        )
    assert missed / 200 <= 0.1


def test_quantile_sequences_shrink():
    uniform = np.random.default_rng(2).random(2000)
    wide, narrow = (anytime.quantile_sequence(uniform[:n], 0.5) for n in (100, 2000))
    assert narrow.high - narrow.low < 0.4 * (wide.high - wide.low)
    assert narrow.low < 0.5 < narrow.high
    assert anytime.quantile_sequence([0.1, 0.2], 0.5).warning


def test_bad_input():
    with pytest.raises(StatisticsError, match="more losses than comparisons"):
        anytime.log_evidence_of_losing(3, 2)
    with pytest.raises(ConfigurationError, match="confidence_level = 2"):
        anytime.quantile_sequence([0.5], 0.5, 2.0)
    with pytest.raises(StatisticsError, match="n >= 1"):
        anytime.quantile_sequence([], 0.5)
    with pytest.raises(ConfigurationError, match="level = 1"):
        anytime.quantile_sequence([0.1], 1.0)
