import numpy as np
import pytest
from scipy import stats

from surefoot.errors import ConfigurationError
from surefoot.statistics.mean_squares import (
    KURTOSIS,
    MeanSquare,
    crowded_freedom,
    excess_kurtosis,
    resampled_interval,
    resampled_variance,
)
from surefoot.statistics.variance import decompose
from tests.statistics.noises import NOISES


@pytest.mark.parametrize("family", [stats.t(9), stats.laplace(), stats.lognorm(0.2)])
def test_the_kurtosis_of_many_effects_is_their_own(family):
    excess = float(family.stats("k"))
    values = family.rvs(200_000, random_state=np.random.default_rng(3))
    found = excess_kurtosis(values - values.mean(), 199_999, 200_000)
    assert found == pytest.approx(excess, rel=0.15)


def test_the_kurtosis_of_a_table_knows_how_centring_dilutes_it():
    """Laplace interactions of a 16 x 16 design: excess kurtosis 3, but less in the residuals."""
    rng = np.random.default_rng(7)
    found, diluted = [], []
    for _ in range(300):
        rest = decompose(rng.laplace(size=(16, 16, 1))).rest
        found.append(excess_kurtosis(rest, 225, 16, 16))
        diluted.append(stats.kurtosis(rest, axis=None))
    assert np.mean(found) == pytest.approx(3.0, rel=0.15)
    assert np.mean(diluted) < 0.85 * np.mean(found)


def test_the_freedom_gives_the_mean_square_its_variance():
    """Var(s^2) = sigma^4 (2 / (n - 1) + k / n); a chi-square's over f is 2 / f."""
    rng = np.random.default_rng(8)
    squares = rng.laplace(size=(40_000, 12)).var(axis=1, ddof=1)
    one = MeanSquare(1.0, 11, 12, 3.0)
    assert 2.0 / one.freedom(3.0) == pytest.approx(squares.var() / squares.mean() ** 2, rel=0.06)
    assert one.freedom(0.0) == one.freedom(KURTOSIS)
    assert MeanSquare(1.0, 11, 12, 3.0, max_freedom=2.5).freedom(0.0) == 2.5
    assert MeanSquare(1.0, 1, 2, 3.0).freedom(900.0) == 1.0


def test_an_outlier_lowers_the_lower_end_and_leaves_the_upper():
    calm, wild = (MeanSquare(1.0, 7, 8, k) for k in (0.0, 20.0))
    ends = [
        np.quantile(one.resampled(np.random.default_rng(1), 4000), [0.05, 0.95])
        for one in (calm, wild)
    ]
    assert ends[1][0] < ends[0][0]
    assert ends[1][1] == ends[0][1]


def test_squares_that_come_in_rows_have_less_freedom():
    rng = np.random.default_rng(4)
    squares = rng.standard_normal((30, 30)) ** 2
    crowded = squares * rng.lognormal(0.0, 1.0, (30, 1))
    assert crowded_freedom(crowded) < 60
    assert crowded_freedom(squares) > 200
    assert crowded_freedom(np.zeros((3, 3))) == 9.0


def test_resampled_variances_are_of_the_size_of_the_variance():
    rng = np.random.default_rng(5)
    losses = rng.standard_normal(400)
    drawn = resampled_variance(losses, rng=rng, n_resamples=4000)
    assert np.median(drawn) == pytest.approx(losses.var(ddof=1), rel=0.02)
    # sd of a normal sample's variance, with the least kurtosis assumed.
    assert drawn.std() == pytest.approx(np.sqrt(2.0 / 399 + KURTOSIS / 400), rel=0.1)


@pytest.mark.parametrize(("noise", "least"), [("normal", 0.9), ("student 5", 0.85)])
def test_quantiles_of_resampled_variances_cover(noise, least):
    rng = np.random.default_rng(6)
    inside = 0
    for _ in range(400):
        drawn = resampled_variance(NOISES[noise](rng, 20), rng=rng, n_resamples=400)
        low, high = np.quantile(drawn, [0.05, 0.95])
        inside += low <= 1.0 <= high
    assert inside / 400 >= least - 0.045


def test_intervals_of_resamples_hold_the_estimate():
    one = resampled_interval(np.linspace(1.0, 2.0, 101), 2.5, 0.9)
    assert (one.low, one.high) == pytest.approx((1.05, 2.5))
    with pytest.raises(ConfigurationError, match="confidence_level = 3"):
        resampled_interval(np.ones(3), 1.0, 3.0)
