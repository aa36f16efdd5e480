import numpy as np
import pytest
from scipy import stats

from surefoot.calorimeter.simulation import gun
from surefoot.errors import DataError


@pytest.fixture(scope="module")
def a():
    return gun.photons("A", 40_000, 3)


@pytest.fixture(scope="module")
def b():
    return gun.photons("B", 40_000, 3)


def test_a_is_uniform_and_normal(a):
    assert stats.kstest(a.energy, stats.uniform(1, 99).cdf).pvalue > 1e-3
    for position in (a.x, a.y):
        assert stats.kstest(position, stats.uniform(-20.2, 40.4).cdf).pvalue > 1e-3
    assert not a.theta.any()
    np.testing.assert_array_equal(a.front_x, a.x)


def test_b_follows_its_stated_distributions(b):
    assert b.energy.min() >= 1.0
    assert b.energy.max() <= 100.0
    assert b.energy.mean() == pytest.approx(25.0, abs=0.5)
    levels = np.linspace(0, 1, len(gun.THETA_QUANTILES))[1:-1]
    np.testing.assert_allclose(
        np.quantile(b.theta, levels), gun.THETA_QUANTILES[1:-1], rtol=0.05, atol=0.001
    )
    assert stats.kstest(b.phi, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-3
    # A Gaussian copula with ρ has the rank correlation (6/π) asin(ρ/2).
    expected = 6 / np.pi * np.arcsin(gun.CORRELATION / 2)
    assert stats.spearmanr(b.energy, b.theta).statistic == pytest.approx(expected, abs=0.02)
    assert abs(stats.spearmanr(b.x, b.energy).statistic) < 0.02


def test_the_axis_of_b_passes_its_position_at_the_stated_depth(b):
    slope = np.tan(b.theta)
    depth = gun.POSITION_DEPTH["B"]
    np.testing.assert_allclose(b.front_x + depth * slope * np.cos(b.phi), b.x, atol=1e-9)
    np.testing.assert_allclose(b.front_y + depth * slope * np.sin(b.phi), b.y, atol=1e-9)
    assert np.abs(b.x).max() <= 20.2


@pytest.mark.parametrize("dataset", ["A", "B"])
def test_a_photon_depends_on_its_number_alone(dataset):
    whole = gun.photons(dataset, 50, 9)
    part = gun.photons(dataset, 7, 9, first=30)
    np.testing.assert_array_equal(part.energy, whole.energy[30:37])
    np.testing.assert_array_equal(part.front_y, whole.front_y[30:37])
    assert not np.array_equal(gun.photons(dataset, 50, 10).energy, whole.energy)


def test_an_unknown_dataset_is_named():
    with pytest.raises(DataError, match="dataset 'C' does not exist; known are: A, B"):
        gun.photons("C", 1, 1)


def test_negative_numbers_are_refused():
    with pytest.raises(DataError, match="are not in 0"):
        gun.photons("A", 1, 1, first=-1)
