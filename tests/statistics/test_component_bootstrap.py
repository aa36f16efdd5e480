import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from surefoot.errors import StatisticsError
from surefoot.statistics.component_bootstrap import (
    KURTOSIS,
    MeanSquare,
    component_intervals,
    crowded_freedom,
    excess_kurtosis,
    intervals_of,
    resampled_components,
    resampled_variance,
)
from surefoot.statistics.variance import components, decompose

NOISES = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "student 5": lambda rng, shape: rng.standard_t(5, shape) / np.sqrt(5.0 / 3.0),
    "log-normal": lambda rng, shape: lognormal(rng, shape),
}
WORLDS = [(1.0, 1.0, 0.5, 0.5), (1.0, 0.3, 0.5, 0.5), (0.3, 0.3, 1.0, 0.3), (0.0, 1.0, 1.0, 1.0)]
"""Standard deviations of draw, init, interaction and replicate."""
DESIGNS = [(8, 8, 1), (15, 15, 1), (8, 8, 2)]


def lognormal(rng, shape, spread=0.5):
    """Skewness 1.75, excess kurtosis 5.9; mean 0, variance 1."""
    growth = np.exp(spread**2)
    values = np.exp(spread * rng.standard_normal(shape)) - np.sqrt(growth)
    return values / np.sqrt((growth - 1.0) * growth)


def design(rng, noise, shape, sds):
    draws, inits, _ = shape
    draw, init, both, rest = sds
    return (
        1.0
        + draw * noise(rng, (draws, 1, 1))
        + init * noise(rng, (1, inits, 1))
        + both * noise(rng, (draws, inits, 1))
        + rest * noise(rng, shape)
    )


def truth(shape, sds):
    """Variances by source; without replicates their variance is the interaction's."""
    *parts, rest = (sd**2 for sd in sds)
    return [*parts, rest] if shape[2] > 1 else [*parts[:2], parts[2] + rest]


def coverage(noise, shape, sds, designs, rng):
    """How often intervals at 90 % hold the variances [sources] and their shares [sources]."""
    true = np.array(truth(shape, sds))
    inside = np.zeros((2, true.size))
    for _ in range(designs):
        cube = design(rng, noise, shape, sds)
        drawn = resampled_components(decompose(cube), rng=rng, resamples=500)
        for row, share in enumerate([False, True]):
            found = intervals_of(drawn, components(cube), 0.9, shares=share)
            aim = true / true.sum() if share else true
            inside[row] += [i.low <= t <= i.high for i, t in zip(found.values(), aim)]
    return inside / designs


@pytest.mark.slow
@pytest.mark.parametrize("shape", DESIGNS, ids=str)
@pytest.mark.parametrize("noise", NOISES)
def test_intervals_cover_as_often_as_they_say(noise, shape):
    rng = np.random.default_rng([5, *shape])
    designs = 400
    # Three standard errors of a share counted in so many designs.
    error = 3.0 * np.sqrt(0.9 * 0.1 / designs)
    for sds in WORLDS:
        assert (coverage(NOISES[noise], shape, sds, designs, rng) >= 0.9 - error).all(), sds


def test_intervals_of_normal_effects_cover_in_few_designs():
    found = coverage(NOISES["normal"], (8, 8, 1), WORLDS[0], 100, np.random.default_rng(2))
    assert (found >= 0.9 - 3.0 * np.sqrt(0.9 * 0.1 / 100)).all()


def test_a_component_of_zero_is_not_excluded_too_often():
    rng = np.random.default_rng(3)
    above = [
        component_intervals(
            design(rng, NOISES["normal"], (8, 8, 1), WORLDS[3]), 0.9, rng=rng, resamples=400
        )["draw"].low
        > 0.0
        for _ in range(200)
    ]
    # One-sided, 5 %; 20 of 200 have a probability below 0.3 %.
    assert 0 < sum(above) <= 20


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
    assert MeanSquare(1.0, 11, 12, 3.0, most=2.5).freedom(0.0) == 2.5
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
    drawn = resampled_variance(losses, rng=rng, resamples=4000)
    assert np.median(drawn) == pytest.approx(losses.var(ddof=1), rel=0.02)
    # sd of a normal sample's variance, with the least kurtosis assumed.
    assert drawn.std() == pytest.approx(np.sqrt(2.0 / 399 + KURTOSIS / 400), rel=0.1)


@pytest.mark.parametrize(("noise", "least"), [("normal", 0.9), ("student 5", 0.85)])
def test_quantiles_of_resampled_variances_cover(noise, least):
    rng = np.random.default_rng(6)
    inside = 0
    for _ in range(400):
        drawn = resampled_variance(NOISES[noise](rng, 20), rng=rng, resamples=400)
        low, high = np.quantile(drawn, [0.05, 0.95])
        inside += low <= 1.0 <= high
    assert inside / 400 >= least - 0.045


@given(st.integers(2, 6), st.integers(2, 6), st.integers(1, 3), st.integers(0, 999))
def test_intervals_hold_the_estimate_and_are_in_the_square_of_the_unit(draws, inits, repeats, seed):
    cube = np.random.default_rng(seed).lognormal(size=(draws, inits, repeats))

    def intervals(losses):
        return component_intervals(losses, rng=np.random.default_rng(1), resamples=200)

    one, other = intervals(cube), intervals(5.0 + 10.0 * cube)
    estimate = components(cube)
    assert len(one) == (4 if repeats > 1 else 3)
    for name, found in one.items():
        assert 0.0 <= found.low <= found.estimate <= found.high
        assert found.estimate == getattr(estimate, name)
        assert other[name].high == pytest.approx(100.0 * found.high)


@given(st.integers(2, 6), st.integers(2, 6), st.integers(0, 999))
def test_shares_are_shares(draws, inits, seed):
    rng = np.random.default_rng(seed)
    cube = rng.lognormal(size=(draws, inits, 1))
    drawn = resampled_components(decompose(cube), rng=rng, resamples=200)
    shares = intervals_of(drawn, components(cube), 0.95, shares=True)
    assert all(0.0 <= one.low <= one.high <= 1.0 for one in shares.values())
    assert sum(one.estimate for one in shares.values()) == pytest.approx(1.0)


def test_losses_without_variance_have_none():
    found = component_intervals(np.ones((8, 8)), rng=np.random.default_rng(0), resamples=50)
    assert {(one.low, one.high) for one in found.values()} == {(0.0, 0.0)}


def test_few_rows_come_with_a_warning():
    rng = np.random.default_rng(4)
    few = component_intervals(rng.random((5, 12)), rng=rng, resamples=50)
    assert set(few) == {"draw", "init", "interaction"}
    assert "only 5 draws and 12 initialisations" in few["draw"].warning
    assert component_intervals(rng.random((8, 8)), rng=rng, resamples=50)["draw"].warning == ""


def test_bad_input():
    with pytest.raises(StatisticsError, match="confidence = 3"):
        component_intervals(np.ones((3, 3)), 3.0, rng=np.random.default_rng(0))
    with pytest.raises(StatisticsError, match="at least 2 draws"):
        component_intervals(np.ones((1, 3)), rng=np.random.default_rng(0))
