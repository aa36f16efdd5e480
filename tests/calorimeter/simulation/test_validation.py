from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from scipy import stats

from surefoot.calorimeter.detector import INNER
from surefoot.calorimeter.simulation import validation as v
from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.calorimeter.simulation.shape_gain import shape_gain
from surefoot.calorimeter.simulation.shower import Tuning
from surefoot.calorimeter.simulation.simulate import simulate
from surefoot.errors import DataError


def made(deposits, energy, **columns):
    """A sample with these images; everything else 0."""
    n = len(energy)
    zero = np.zeros(n, np.float32)
    fields = dict.fromkeys(("x", "y", "theta", "phi", "outside"), zero) | columns
    return PhotonChunk(
        deposits=np.asarray(deposits, np.float32),
        energy=np.asarray(energy, np.float32),
        shower=np.arange(n),
        **fields,
    )


@pytest.fixture(scope="module")
def noisy():
    """Response 0.2 (1 + normal(0.1/√E ⊕ 0.02)), all in the central cell."""
    rng = np.random.default_rng(8)
    energy = rng.uniform(1, 100, 60_000)
    width = np.hypot(0.1 / np.sqrt(energy), 0.02)
    deposits = np.zeros((len(energy), 225), np.float32)
    deposits[:, 112] = 0.2 * energy * (1 + width * rng.standard_normal(len(energy)))
    return made(deposits, energy)


def test_response_and_resolution_recover_what_was_put_in(noisy):
    found = v.response(noisy)
    assert found.count.sum() == len(noisy)
    assert (np.abs(found.value - 0.2) < 4 * found.error).all()
    # Pull of the mean: a χ² with one degree of freedom per bin.
    assert stats.chi2(8).sf((((found.value - 0.2) / found.error) ** 2).sum()) > 1e-3
    a, b = v.fit_resolution(v.resolution(noisy))
    assert a == pytest.approx(0.1, rel=0.04)
    assert b == pytest.approx(0.02, rel=0.05)


def test_resolution_is_deaf_to_rare_leakage(noisy):
    leaky = noisy.deposits.copy()
    leaky[::500] *= 0.3
    leaking = replace(noisy, deposits=leaky)
    np.testing.assert_allclose(v.resolution(leaking).value, v.resolution(noisy).value, rtol=0.03)


def test_scaled_sum_error_is_the_smallest_over_scales(noisy):
    ratio = v.visible(noisy) / noisy.energy
    errors = [np.sqrt(np.mean((k * ratio - 1) ** 2)) for k in np.linspace(4.5, 5.5, 400)]
    assert v.scaled_sum_error(noisy) <= min(errors)
    assert v.scaled_sum_error(noisy) == pytest.approx(min(errors), rel=1e-4)


def test_fractions_count_the_central_square():
    deposits = np.ones((2, 225))
    sample = made(deposits, [10.0, 12.0])
    assert v.fraction(sample, 1).value == pytest.approx([1 / 225])
    assert v.fraction(sample, 3).value == pytest.approx([9 / 225])
    assert v.fraction(sample, 15).value == pytest.approx([1.0])


@pytest.mark.parametrize("cells", [0, 2, 17])
def test_a_square_without_a_centre_is_refused(cells):
    with pytest.raises(DataError, match=f"odd side of 1 to 15 cells, not {cells}"):
        v.fraction(made(np.ones((2, 225)), [10.0, 12.0]), cells)


def test_barycentre_and_curves_of_single_cells():
    deposits = np.zeros((3, 225))
    deposits[[0, 1, 2], [112, 113, 127]] = 2.0
    sample = made(deposits, [10.0, 10.0, 10.0])
    x, y = v.barycentre(sample)
    np.testing.assert_allclose(x, [0, 40.4, 0], atol=1e-5)
    np.testing.assert_allclose(y, [0, 0, 40.4], atol=1e-5)
    assert v.s_curve(sample).value == pytest.approx([2 * 40.4 / 6], rel=1e-6)


def test_radial_profile_of_a_known_shape():
    centres = np.array([INNER.centre_of(cell) for cell in range(225)])
    shape = np.exp(-np.hypot(*centres.T) / 50.0)
    found = v.radial_profile(made(np.tile(shape, (2, 1)), [10.0, 10.0]))
    # The mean of an exponential over a bin is above that of its middle.
    np.testing.assert_allclose(found.value, np.exp(-found.at / 50.0) / shape.sum(), rtol=0.05)


def test_slope_shift_is_the_depth():
    # A barycentre that follows x + 70 mm · slope exactly.
    rng = np.random.default_rng(2)
    theta, phi = rng.uniform(0, 0.28, 500), rng.uniform(-np.pi, np.pi, 500)
    x, y = (70 * np.tan(theta) * part for part in (np.cos(phi), np.sin(phi)))
    deposits = np.zeros((500, 225))
    for i in range(500):
        deposits[i, 113] = (x[i] + 40.4) / 80.8
        deposits[i, 111] = 1 - deposits[i, 113]
        deposits[i, 127] = (y[i] + 40.4) / 80.8
        deposits[i, 97] = 1 - deposits[i, 127]
    sample = made(deposits, np.full(500, 10.0), theta=theta, phi=phi)
    found = v.slope_shift(sample)
    # Each pair weighs half of the energy.
    np.testing.assert_allclose(found.value, 35 * found.at, atol=1e-4)


def test_too_small_a_sample_is_not_compared(noisy):
    with pytest.raises(DataError, match="the sample has"):
        v.compare(v.rows(noisy, slice(100)), noisy)


def test_a_sample_agrees_with_itself_and_not_with_a_worse_one(noisy):
    assert v.compare(noisy, noisy) == v.Agreement(0.0, 0.0, 0.0, 0.0, 0.0)
    brighter = replace(noisy, deposits=noisy.deposits * 1.03)
    found = v.compare(brighter, noisy)
    assert found.response == pytest.approx(0.03, abs=1e-4)
    assert not found.within


def geant4(dataset):
    """The Geant4 photons shipped with the package."""
    import uproot

    with uproot.open(files("surefoot.calorimeter") / "data" / f"photons_{dataset}.root") as file:
        columns = file["photons"].arrays(list(PhotonChunk.__annotations__), library="np")
    return PhotonChunk(**columns)


SHOWERS = 16_000
COARSE = Tuning(core_sampling=0.075, tail_sampling=0.075, tail_spots=0.4)
"""One c for core and tail, and so few spots in the tail that their noise hides the leakage."""


@pytest.mark.parametrize("dataset", ["A", "B"])
def test_the_fast_simulation_agrees_with_geant4(dataset):
    reference = geant4(dataset)
    sample = v.gather(list(simulate(dataset, SHOWERS, 17)))
    found = v.compare(sample, reference)
    assert found.response <= 0.02, found
    assert found.resolution <= 0.15, found
    assert found.central <= 0.03, found
    assert found.three <= 0.03, found
    assert found.gain <= 1 / 3, found
    assert found.within
    assert v.scaled_sum_error(sample) == pytest.approx(v.scaled_sum_error(reference), rel=0.05)
    profile, expected = v.radial_profile(sample), v.radial_profile(reference)
    near = expected.at < 150
    np.testing.assert_allclose(profile.value[near], expected.value[near], rtol=0.2)
    curve, expected = v.s_curve(sample), v.s_curve(reference)
    np.testing.assert_allclose(curve.value, expected.value, atol=1.0)


def test_showers_whose_shape_tells_less_of_their_energy_do_not_agree():
    sample = v.gather(list(simulate("B", SHOWERS, 17, tuning=COARSE)))
    found = v.compare(sample, geant4("B"))
    assert found.response <= 0.02
    assert found.resolution <= 0.15
    assert found.gain > 1 / 3
    assert not found.within


@pytest.mark.slow
@pytest.mark.parametrize("dataset", ["A", "B"])
def test_shapes_gain_as_much_as_in_geant4_by_many_showers(dataset):
    reference = geant4(dataset)
    n = len(reference)
    gains = [shape_gain(chunk) for chunk in simulate(dataset, 6 * n, 23, chunk=n)]
    assert np.mean(gains) == pytest.approx(shape_gain(reference), rel=0.25)
