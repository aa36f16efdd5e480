import math

import numpy as np
import pytest
from scipy import integrate

from surefoot.calorimeter.detector import INNER
from surefoot.calorimeter.simulation.shower import (
    Tuning,
    longitudinal,
    mean_logarithms,
    medium_of,
    radial,
    spot_count,
    spreads,
)

MEDIUM = medium_of(INNER)
PUBLISHED = Tuning(
    length=1.0,
    length_spread=1.0,
    shape_spread=1.0,
    core=1.0,
    core_power=0.5,
    tail=1.0,
    tail_power=0.5,
)


def test_medium_carries_the_detector():
    assert MEDIUM.critical_energy == pytest.approx(INNER.critical_energy / 1000)
    assert MEDIUM.depth == INNER.depth


def test_mean_shower_is_the_published_one():
    log_y = math.log(10.0 / MEDIUM.critical_energy)
    t, alpha = mean_logarithms(log_y, MEDIUM)
    assert math.exp(t) == pytest.approx(
        log_y - 0.812 - 0.55 / INNER.sampling_frequency - 0.69 * (1 - INNER.electron_to_muon)
    )
    assert math.exp(alpha) == pytest.approx(
        0.81 + (0.458 + 2.26 / INNER.effective_z) * log_y - 0.476 / INNER.sampling_frequency
    )


def test_the_unfluctuated_maximum_lies_at_t():
    alpha, beta, _ = longitudinal(50.0, 0.0, 0.0, MEDIUM, PUBLISHED)
    t, _ = mean_logarithms(math.log(50.0 / MEDIUM.critical_energy), MEDIUM)
    assert (alpha - 1) / beta == pytest.approx(math.exp(t))


def test_tau_is_one_at_the_mean_depth_scaled_by_the_typical_shape():
    alpha, beta, tau = longitudinal(50.0, 0.0, 0.0, MEDIUM, PUBLISHED)
    _, mean_alpha = mean_logarithms(math.log(50.0 / MEDIUM.critical_energy), MEDIUM)
    maximum = (alpha - 1) / beta
    expected = (alpha - 1) / alpha * math.exp(mean_alpha) / (math.exp(mean_alpha) - 1) / maximum
    assert tau == pytest.approx(expected)


def test_fluctuations_have_the_stated_spread_and_correlation():
    rng = np.random.default_rng(5)
    log_y = math.log(80.0 / MEDIUM.critical_energy)
    sigma_t, sigma_alpha, rho = spreads(log_y)
    drawn = [
        longitudinal(80.0, *rng.standard_normal(2), MEDIUM, PUBLISHED)[:2] for _ in range(20_000)
    ]
    alpha, beta = np.array(drawn).T
    log_alpha, log_t = np.log(alpha), np.log((alpha - 1) / beta)
    assert log_t.std() == pytest.approx(sigma_t, rel=0.03)
    assert log_alpha.std() == pytest.approx(sigma_alpha, rel=0.03)
    assert np.corrcoef(log_t, log_alpha)[0, 1] == pytest.approx(rho, abs=0.02)


@pytest.mark.parametrize("energy", [1e-3, 0.05, 0.3, 1.0, 10.0, 100.0])
@pytest.mark.parametrize("normals", [(0.0, 0.0), (-4.0, 4.0), (4.0, -4.0)])
def test_every_shower_is_finite_and_ends(energy, normals):
    alpha, beta, tau = longitudinal(energy, *normals, MEDIUM, Tuning())
    assert alpha >= 1.5
    assert 0 < beta < math.inf
    for depth in (0.25, 5.0, 60.0):
        weight, core, tail = radial(energy, depth * tau, MEDIUM, Tuning())
        assert 0.0 <= weight <= 1.0
        assert 0.0 < core < math.inf
        assert 0.0 < tail < math.inf


def test_the_published_radial_profile_has_the_sampled_radii():
    # The inverse of ∫ 2rR²/(r²+R²)² dr is R √(u/(1−u)).
    _, core, _ = radial(20.0, 1.0, MEDIUM, PUBLISHED)
    share, _ = integrate.quad(lambda r: 2 * r * core**2 / (r**2 + core**2) ** 2, 0, 2 * core)
    assert core * math.sqrt(share / (1 - share)) == pytest.approx(2 * core)


def test_showers_widen_with_depth():
    widths = [radial(20.0, tau, MEDIUM, Tuning())[1] for tau in (0.2, 1.0, 2.0, 3.0)]
    assert widths == sorted(widths)


def test_spots_grow_almost_with_energy():
    tuning = Tuning()
    assert spot_count(2.0, tuning) / spot_count(1.0, tuning) == pytest.approx(2**0.959)
