import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from surefoot.errors import ConfigurationError, StatisticsError
from surefoot.statistics.variance import (
    KURTOSIS,
    MeanSquare,
    components,
    crowded_freedom,
    decompose,
    excess_kurtosis,
    resampled_components,
    resampled_interval,
    resampled_variance,
)
from tests.statistics.noises import NOISES

WORLDS = [(1.0, 1.0, 0.5, 0.5), (1.0, 0.3, 0.5, 0.5), (0.3, 0.3, 1.0, 0.3), (0.0, 1.0, 1.0, 1.0)]
"""Standard deviations of draw, init, interaction and replicate."""
DESIGNS = [(8, 8, 1), (15, 15, 1), (8, 8, 2)]


def design(rng, draws, inits, repeats, sds, noise=NOISES["normal"]):
    a, b, ab, e = sds
    return (
        1.0
        + a * noise(rng, (draws, 1, 1))
        + b * noise(rng, (1, inits, 1))
        + ab * noise(rng, (draws, inits, 1))
        + e * noise(rng, (draws, inits, repeats))
    )


def test_the_estimates_are_unbiased():
    rng = np.random.default_rng(1)
    sds = (0.5, 0.3, 0.2, 0.1)
    found = [components(design(rng, 12, 12, 2, sds)) for _ in range(600)]
    for name, sd in zip(("draw", "init", "interaction", "replicate"), sds):
        values = np.array([getattr(c, name) for c in found])
        assert values.mean() == pytest.approx(sd**2, abs=4 * values.std() / np.sqrt(600))


def test_by_the_textbook_table():
    """A balanced two-way table worked by hand: MS_a = 8, MS_b = 2, MS_ab = 0 over 2 x 2 cells."""
    result = components([[1.0, 2.0], [3.0, 4.0]])
    assert (result.draw, result.init, result.interaction) == pytest.approx((2.0, 0.5, 0.0))
    assert result.replicate is None
    assert result.mean == 2.5
    assert result.shares() == pytest.approx({"draw": 0.8, "init": 0.2, "interaction": 0.0})


def half_mean_square(pairs):
    return np.mean([(one - other) ** 2 for one, other in pairs]) / 2.0


@given(st.integers(2, 4), st.integers(2, 4), st.integers(1, 3), st.integers(0, 999))
def test_by_the_differences_of_pairs(draws, inits, repeats, seed):
    """Half the mean square difference of two losses is the sum of the sources they do not share."""
    cube = design(np.random.default_rng(seed), draws, inits, repeats, (1.0, 1.0, 0.5, 0.5))
    cells = {(i, j): cube[i, j].mean() for i in range(draws) for j in range(inits)}
    pairs = list(itertools.combinations(cells, 2))
    same_draw = half_mean_square((cells[p], cells[q]) for p, q in pairs if p[0] == q[0])
    same_init = half_mean_square((cells[p], cells[q]) for p, q in pairs if p[1] == q[1])
    neither = half_mean_square(
        (cells[p], cells[q]) for p, q in pairs if p[0] != q[0] and p[1] != q[1]
    )
    found = components(cube)
    assert found.draw == pytest.approx(max(0.0, neither - same_draw), abs=1e-9)
    assert found.init == pytest.approx(max(0.0, neither - same_init), abs=1e-9)
    within = 0.0
    if repeats > 1:
        within = half_mean_square(
            pair for row in cube for cell in row for pair in itertools.combinations(cell, 2)
        )
        assert found.replicate == pytest.approx(within)
    rest = same_draw + same_init - neither - within / repeats
    assert found.interaction == pytest.approx(max(0.0, rest), abs=1e-9)


@given(st.integers(2, 5), st.integers(2, 5), st.integers(1, 3), st.integers(0, 99))
def test_effects_add_up_and_share_nothing(draws, inits, repeats, seed):
    cube = np.random.default_rng(seed).lognormal(size=(draws, inits, repeats))
    table = decompose(cube)
    whole = table.mean + table.rows[:, None, None] + table.columns[None, :, None]
    assert whole + table.rest[:, :, None] + table.within == pytest.approx(cube)
    squares = sum(square.value * square.count for square in table.squares)
    assert squares == pytest.approx(((cube - cube.mean()) ** 2).sum())
    assert sum(square.count for square in table.squares) == cube.size - 1


@given(st.integers(2, 6), st.integers(2, 6), st.integers(1, 3), st.integers(0, 999))
def test_never_negative_and_a_constant_does_not_matter(draws, inits, repeats, seed):
    cube = np.random.default_rng(seed).lognormal(size=(draws, inits, repeats))
    one, shifted = components(cube), components(cube + 5.0)
    for name in ("draw", "init", "interaction"):
        assert getattr(one, name) >= 0.0
        assert getattr(one, name) == pytest.approx(getattr(shifted, name), abs=1e-9)
    assert sum(one.shares().values()) == pytest.approx(1.0)
    swapped = components(cube.transpose(1, 0, 2))
    assert (swapped.draw, swapped.init) == pytest.approx((one.init, one.draw), abs=1e-9)


def test_no_variance_has_no_shares():
    assert set(components(np.ones((3, 3))).shares().values()) == {0.0}


def truth(shape, sds):
    """Variances by source; without replicates their variance is the interaction's."""
    *parts, rest = (sd**2 for sd in sds)
    return [*parts, rest] if shape[2] > 1 else [*parts[:2], parts[2] + rest]


def coverage(noise, shape, sds, designs, rng):
    """How often intervals at 90 % hold the variances [sources] and their shares [sources]."""
    true = np.array(truth(shape, sds))
    inside = np.zeros((2, true.size))
    for _ in range(designs):
        cube = design(rng, *shape, sds, noise)
        drawn = resampled_components(cube, rng=rng, n_resamples=500)
        aims = (drawn.intervals(0.9), true), (drawn.shares(0.9), true / true.sum())
        for row, (found, aim) in enumerate(aims):
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
        resampled_components(design(rng, 8, 8, 1, WORLDS[3]), rng=rng, n_resamples=400)
        .intervals(0.9)["draw"]
        .low
        > 0.0
        for _ in range(200)
    ]
    # One-sided, 5 %; 20 of 200 have a probability below 0.3 %.
    assert 0 < sum(above) <= 20


@given(st.integers(2, 6), st.integers(2, 6), st.integers(1, 3), st.integers(0, 999))
def test_intervals_hold_the_estimate_and_are_in_the_square_of_the_unit(draws, inits, repeats, seed):
    cube = np.random.default_rng(seed).lognormal(size=(draws, inits, repeats))

    def intervals(losses):
        rng = np.random.default_rng(1)
        return resampled_components(losses, rng=rng, n_resamples=200).intervals()

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
    shares = resampled_components(cube, rng=rng, n_resamples=200).shares()
    assert all(0.0 <= one.low <= one.high <= 1.0 for one in shares.values())
    assert sum(one.estimate for one in shares.values()) == pytest.approx(1.0)


def test_losses_without_variance_have_none():
    found = resampled_components(np.ones((8, 8)), rng=np.random.default_rng(0), n_resamples=50)
    assert {(one.low, one.high) for one in found.intervals().values()} == {(0.0, 0.0)}


def test_few_rows_come_with_a_warning():
    rng = np.random.default_rng(4)
    few = resampled_components(rng.random((5, 12)), rng=rng, n_resamples=50).intervals()
    assert set(few) == {"draw", "init", "interaction"}
    assert "only 5 draws and 12 initialisations" in few["draw"].warning
    assert resampled_components(rng.random((8, 8)), rng=rng, n_resamples=50).warning == ""


def test_bad_input():
    with pytest.raises(StatisticsError, match=r"at least 2 draws.*\[1, 5\]"):
        components(np.ones((1, 5)))
    with pytest.raises(StatisticsError, match="1 of 4 instances diverged"):
        components([[1.0, np.inf], [1.0, 2.0]])


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
