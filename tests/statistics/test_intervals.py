import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.statistics import intervals
from surefoot.statistics.intervals import mean_interval, spread_interval


def test_median_of_fifty_is_between_the_18th_and_the_33rd():
    interval = intervals.quantile_interval(np.arange(1.0, 51.0), 0.5)
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
    interval = intervals.quantile_interval(losses, 0.5, 0.95)
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
        intervals.quantile_interval([], 0.5)


def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize(
    ("spread", "statistic"),
    [("sd", lambda x, axis: np.std(x, axis=axis, ddof=1)), ("iqr", stats.iqr)],
)
def test_intervals_are_scipys_bca(spread, statistic):
    losses = np.random.default_rng(2).lognormal(0.0, 0.4, 60)
    interval = spread_interval(losses, spread, 0.9, rng=rng(), n_resamples=20_000)
    expected = stats.bootstrap(
        (losses,),
        statistic,
        confidence_level=0.9,
        n_resamples=20_000,
        method="BCa",
        rng=np.random.default_rng(6),
    ).confidence_interval
    assert interval.low == pytest.approx(expected.low, rel=0.03)
    assert interval.high == pytest.approx(expected.high, rel=0.03)
    assert interval.estimate == statistic(losses, axis=0)
    assert interval.warning == ""


def test_the_same_generator_gives_the_same_interval():
    losses = np.random.default_rng(2).lognormal(size=30)
    assert spread_interval(losses, "sd", rng=rng()) == spread_interval(losses, "sd", rng=rng())


def test_fewer_than_twenty_come_with_a_warning():
    losses = np.random.default_rng(2).lognormal(size=19)
    assert "only 19 losses" in spread_interval(losses, "sd", rng=rng()).warning
    assert spread_interval(np.append(losses, 1.0), "sd", rng=rng()).warning == ""


def test_a_divergence_leaves_no_upper_bound():
    interval = spread_interval([0.1, 0.2, np.inf], "iqr", rng=rng())
    assert interval.high == np.inf
    assert "1 of 3 losses are infinite" in interval.warning


def test_losses_that_are_nearly_all_equal_have_an_interval():
    interval = spread_interval([0.0] * 29 + [1.0], "iqr", rng=rng())
    assert (interval.low, interval.high, interval.estimate) == (0.0, 0.0, 0.0)


def test_equal_losses():
    interval = spread_interval([0.1] * 25, "sd", rng=rng())
    assert (interval.low, interval.high) == pytest.approx((0.0, 0.0))
    assert "equal" in interval.warning


def test_two_losses_are_enough_to_answer():
    interval = spread_interval([0.1, 0.3], "sd", rng=rng())
    assert 0.0 <= interval.low <= interval.high


def test_bad_input_bootstrap():
    with pytest.raises(StatisticsError, match="at least 2"):
        spread_interval([0.1], "sd", rng=rng())
    with pytest.raises(ConfigurationError, match="confidence_level = 2"):
        spread_interval([0.1, 0.2], "sd", 2.0, rng=rng())
    with pytest.raises(StatisticsError, match="NaN"):
        spread_interval([0.1, np.nan], "sd", rng=rng())


@pytest.mark.slow
def test_sd_coverage_at_fifty_losses():
    draws = np.random.default_rng(8)
    inside = 0
    for _ in range(600):
        interval = spread_interval(draws.normal(0, 1, 50), "sd", 0.9, rng=draws, n_resamples=1000)
        inside += interval.low <= 1.0 <= interval.high
    assert 0.82 <= inside / 600 <= 0.95


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_quantile_sequences_hold_at_every_n(level):
    rng = np.random.default_rng(2)
    missed = 0
    for _ in range(200):
        uniform = rng.random(120)
        found = [intervals.quantile_sequence(uniform[:n], level, 0.9) for n in range(2, 121, 3)]
        missed += any(not i.low <= level <= i.high for i in found)
    assert missed / 200 <= 0.1


def test_quantile_sequences_shrink():
    uniform = np.random.default_rng(2).random(2000)
    wide, narrow = (intervals.quantile_sequence(uniform[:n], 0.5) for n in (100, 2000))
    assert narrow.high - narrow.low < 0.4 * (wide.high - wide.low)
    assert narrow.low < 0.5 < narrow.high
    assert intervals.quantile_sequence([0.1, 0.2], 0.5).warning


def test_bad_input_anytime():
    with pytest.raises(ConfigurationError, match="confidence_level = 2"):
        intervals.quantile_sequence([0.5], 0.5, 2.0)
    with pytest.raises(StatisticsError, match="n >= 1"):
        intervals.quantile_sequence([], 0.5)
    with pytest.raises(ConfigurationError, match="level = 1"):
        intervals.quantile_sequence([0.1], 1.0)


@given(st.lists(st.floats(0.0, 1e3), min_size=2, max_size=30), st.floats(0.5, 0.99))
def test_the_interval_of_the_mean_is_students(losses, level):
    found = mean_interval(losses, level)
    assert found.estimate == pytest.approx(np.mean(losses))
    if np.ptp(losses) > 1e-6 * max(losses):
        expected = stats.ttest_1samp(losses, 0.0).confidence_interval(level)
        np.testing.assert_allclose([found.low, found.high], expected, rtol=1e-6, atol=1e-6)


def test_the_mean_of_one_loss_or_after_a_divergence_has_no_interval():
    assert (mean_interval([0.5]).low, mean_interval([0.5]).high) == (-np.inf, np.inf)
    diverged = mean_interval([0.5, np.inf])
    assert (diverged.estimate, diverged.high) == (np.inf, np.inf)
    assert "diverged" in diverged.warning
