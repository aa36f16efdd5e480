import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import StatisticsError
from surefoot.statistics.variance import component_intervals, components, weighted_components


def design(rng, draws, inits, repeats, sds):
    a, b, ab, e = sds
    return (
        1.0
        + a * rng.normal(size=(draws, 1, 1))
        + b * rng.normal(size=(1, inits, 1))
        + ab * rng.normal(size=(draws, inits, 1))
        + e * rng.normal(size=(draws, inits, repeats))
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


@given(st.integers(2, 6), st.integers(2, 6), st.integers(1, 3), st.integers(0, 999))
def test_pair_differences_with_unit_weights_are_the_method_of_moments(draws, inits, repeats, seed):
    cube = design(np.random.default_rng(seed), draws, inits, repeats, (1.0, 1.0, 0.5, 0.5))
    first, second = components(cube), weighted_components(cube, np.ones(draws), np.ones(inits))
    for name in ("draw", "init", "interaction", "mean"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), abs=1e-9)
    if repeats > 1:
        assert first.replicate == pytest.approx(second.replicate)


@given(st.integers(2, 5), st.integers(2, 5), st.integers(0, 99))
def test_a_weight_of_zero_leaves_the_row_out(draws, inits, seed):
    cube = design(np.random.default_rng(seed), draws + 1, inits, 1, (1.0, 1.0, 0.5, 0.5))
    weights = np.append(np.ones(draws), 0.0)
    first = weighted_components(cube, weights, np.ones(inits))
    second = components(cube[:draws])
    for name in ("draw", "init", "interaction", "mean"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), abs=1e-9)


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


def coverage(designs):
    rng = np.random.default_rng(4)
    sds, inside = (0.5, 0.3, 0.2, 0.2), np.zeros(4)
    for _ in range(designs):
        cube = design(rng, 15, 15, 2, sds)
        intervals = component_intervals(cube, 0.9, rng=rng, resamples=200)
        inside += [i.low <= sd**2 <= i.high for i, sd in zip(intervals.values(), sds)]
    return inside / designs


def test_intervals_cover_about_as_often_as_they_say():
    assert (coverage(40)[:2] >= 0.65).all()


@pytest.mark.slow
def test_intervals_of_draw_and_init_cover_in_many_designs():
    assert (coverage(500)[:3] >= 0.75).all()


def test_few_rows_come_with_a_warning():
    rng = np.random.default_rng(4)
    intervals = component_intervals(design(rng, 5, 12, 1, (1, 1, 1, 1)), rng=rng, resamples=100)
    assert set(intervals) == {"draw", "init", "interaction"}
    assert "only 5 draws and 12 initialisations" in intervals["draw"].warning
    same = component_intervals(np.arange(400.0).reshape(20, 20), rng=rng, resamples=50)
    assert same["draw"].warning == ""


def test_bad_input():
    with pytest.raises(StatisticsError, match=r"at least 2 draws.*\[1, 5\]"):
        components(np.ones((1, 5)))
    with pytest.raises(StatisticsError, match="1 of 4 instances diverged"):
        components([[1.0, np.inf], [1.0, 2.0]])
    with pytest.raises(StatisticsError, match="confidence = 3"):
        component_intervals(np.ones((3, 3)), 3.0, rng=np.random.default_rng(0))
