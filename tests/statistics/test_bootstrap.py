import numpy as np
import pytest
from scipy import stats

from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.statistics.bootstrap import iqr_interval, sd_interval


def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize(
    ("ours", "statistic"),
    [(sd_interval, lambda x, axis: np.std(x, axis=axis, ddof=1)), (iqr_interval, stats.iqr)],
)
def test_intervals_are_scipys_bca(ours, statistic):
    losses = np.random.default_rng(2).lognormal(0.0, 0.4, 60)
    interval = ours(losses, 0.9, rng=rng(), n_resamples=20_000)
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
    assert sd_interval(losses, rng=rng()) == sd_interval(losses, rng=rng())


def test_fewer_than_twenty_come_with_a_warning():
    losses = np.random.default_rng(2).lognormal(size=19)
    assert "only 19 losses" in sd_interval(losses, rng=rng()).warning
    assert sd_interval(np.append(losses, 1.0), rng=rng()).warning == ""


def test_a_divergence_leaves_no_upper_bound():
    interval = iqr_interval([0.1, 0.2, np.inf], rng=rng())
    assert interval.high == np.inf
    assert "1 of 3 instances diverged" in interval.warning


def test_losses_that_are_nearly_all_equal_have_an_interval():
    interval = iqr_interval([0.0] * 29 + [1.0], rng=rng())
    assert (interval.low, interval.high, interval.estimate) == (0.0, 0.0, 0.0)


def test_equal_losses():
    interval = sd_interval([0.1] * 25, rng=rng())
    assert (interval.low, interval.high) == pytest.approx((0.0, 0.0))
    assert "equal" in interval.warning


def test_two_losses_are_enough_to_answer():
    interval = sd_interval([0.1, 0.3], rng=rng())
    assert 0.0 <= interval.low <= interval.high


def test_bad_input():
    with pytest.raises(StatisticsError, match="at least 2"):
        sd_interval([0.1], rng=rng())
    with pytest.raises(ConfigurationError, match="confidence_level = 2"):
        sd_interval([0.1, 0.2], 2.0, rng=rng())
    with pytest.raises(StatisticsError, match="NaN"):
        sd_interval([0.1, np.nan], rng=rng())


@pytest.mark.slow
def test_sd_coverage_at_fifty_losses():
    draws = np.random.default_rng(8)
    inside = 0
    for _ in range(600):
        interval = sd_interval(draws.normal(0, 1, 50), 0.9, rng=draws, n_resamples=1000)
        inside += interval.low <= 1.0 <= interval.high
    assert 0.82 <= inside / 600 <= 0.95
