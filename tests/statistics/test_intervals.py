import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.statistics import intervals


def test_median_of_fifty_is_between_the_18th_and_the_33rd():
    interval = intervals.median_interval(np.arange(1.0, 51.0))
    assert interval.ranks == (18, 33)
    assert (interval.low, interval.high) == (18.0, 33.0)
    assert round(interval.confidence_level, 3) == 0.967
    assert interval.warning == ""


@given(st.integers(1, 150), st.floats(0.05, 0.95), st.floats(0.5, 0.99))
def test_quantile_ranks_cover_by_the_binomial_distribution(n, level, confidence):
    interval = intervals.quantile_interval(np.arange(1.0, n + 1.0), level, confidence)
    low, high = interval.ranks
    inside = stats.binom.pmf(np.arange(low, high), n, level).sum()
    assert interval.confidence_level == pytest.approx(inside, abs=1e-9)
    assert interval.confidence_level >= confidence - 1e-9
    assert stats.binom.cdf(low, n, level) > (1 - confidence) / 2
    assert bool(interval.warning) == (low == 0 or high > n)


def test_quantile_interval_agrees_with_scipys_quantile_test():
    losses = np.random.default_rng(1).lognormal(size=50)
    test = stats.quantile_test(losses, p=0.5)
    ci = test.confidence_interval(confidence_level=0.95)
    interval = intervals.median_interval(losses, 0.95)
    assert (interval.low, interval.high) == (ci.low, ci.high)


@pytest.mark.parametrize("level", [0.25, 0.5, 0.9])
def test_quantile_intervals_cover(level):
    rng = np.random.default_rng(11)
    losses = rng.lognormal(0.0, 0.5, (2000, 50))
    truth = stats.lognorm.ppf(level, 0.5)
    found = [intervals.quantile_interval(row, level) for row in losses]
    covered = np.mean([i.low <= truth <= i.high for i in found])
    assert covered >= stats.binom.ppf(0.001, 2000, found[0].confidence_level) / 2000
    assert covered <= stats.binom.ppf(0.999, 2000, found[0].confidence_level) / 2000


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)),
                  elements=st.integers(0, 9).map(float)), st.floats(0.0, 1.0))  # fmt: skip
def test_quantiles_of_finite_losses_are_numpys(losses, level):
    expected = np.quantile(losses, level, axis=-1)
    assert intervals.quantile(losses, level) == pytest.approx(expected, abs=1e-10)


def test_quantiles_are_infinite_only_where_an_infinite_loss_has_weight():
    losses = [0.1, 0.2, 0.3, np.inf, np.inf]
    assert intervals.quantile(losses, 0.5) == 0.3
    assert intervals.quantile(losses, 0.51) == np.inf
    assert intervals.quantile(losses, 1.0) == np.inf


def test_intervals_print_themselves():
    one = intervals.Interval(0.6, 0.93, 0.81, 0.95)
    assert str(one) == "0.81 (0.6 to 0.93)"
    assert f"{one:.0%}" == "81% (60% to 93%)"


def test_bad_input():
    with pytest.raises(ConfigurationError, match="level = 0"):
        intervals.quantile_interval([1.0], 0.0)
    with pytest.raises(ConfigurationError, match="confidence_level = 2"):
        intervals.quantile_interval([1.0], 0.5, 2.0)
    with pytest.raises(StatisticsError, match=r"not \[0\]"):
        intervals.median_interval([])
