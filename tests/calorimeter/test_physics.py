from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.calorimeter import physics as p
from surefoot.calorimeter.baselines import ScaledSum
from surefoot.calorimeter.detector import INNER
from surefoot.calorimeter.root_io import read_photons
from surefoot.calorimeter.simulation import validation
from surefoot.errors import DataError

EDGES = (1.0, 10.0, 20.0, 40.0, 70.0, 100.0)


@pytest.fixture(scope="module")
def smeared():
    """60,000 energies smeared with 8 %/√E ⊕ 1.5 % and shifted by −0.7 %."""
    rng = np.random.default_rng(11)
    energy = rng.uniform(1.0, 100.0, 60_000)
    width = np.hypot(0.08 / np.sqrt(energy), 0.015)
    return energy * 0.993 * (1.0 + width * rng.standard_normal(energy.size)), energy


def test_resolution_and_its_fit_recover_what_was_put_in(smeared) -> None:
    profile = p.energy_resolution(*smeared)
    expected = np.hypot(0.08 / np.sqrt(profile.at), 0.015)
    pulls = (profile.value - expected) / profile.error
    assert np.abs(pulls[1:]).max() < 4.0
    fit = p.fit_resolution(p.energy_resolution(*smeared, edges=np.geomspace(1, 100, 40)))
    assert abs(fit.stochastic - 0.08) < 4.0 * fit.stochastic_error < 0.005
    assert abs(fit.constant - 0.015) < 4.0 * fit.constant_error < 0.002
    np.testing.assert_allclose(fit.at([4.0]), np.hypot(fit.stochastic / 2, fit.constant))
    assert str(fit) == f"{100 * fit.stochastic:.1f} %/√E ⊕ {100 * fit.constant:.2f} %"


def test_bias_recovers_the_shift(smeared) -> None:
    profile = p.energy_bias(*smeared)
    assert (np.abs(profile.value + 0.007) < 4.0 * profile.error).all()
    assert profile.count.sum() == 60_000


def test_the_loss_in_one_bin_is_the_relative_loss(smeared) -> None:
    predicted, energy = smeared
    whole = p.energy_loss(predicted, energy, (1.0, 100.0))
    assert whole.value[0] == pytest.approx(np.sqrt(np.mean((predicted / energy - 1) ** 2)))
    assert whole.error[0] == pytest.approx(whole.value[0] / np.sqrt(2 * 60_000))


def test_errors_cover_the_spread_of_repetitions() -> None:
    rng = np.random.default_rng(3)
    energy = np.full(2_000, 50.0)
    found = [
        [
            measure(energy * (1 + 0.02 * rng.standard_normal(2_000)), energy, (40.0, 60.0))
            for measure in (p.energy_bias, p.energy_resolution, p.energy_loss)
        ]
        for _ in range(300)
    ]
    for number in range(3):
        values = [one[number].value[0] for one in found]
        errors = [one[number].error[0] for one in found]
        assert np.std(values) == pytest.approx(np.mean(errors), rel=0.15)


def test_it_agrees_with_the_validation_of_the_simulation() -> None:
    sample = read_photons("A")
    energy = sample.energy[:, None]
    predicted = ScaledSum().fit(sample.deposits, None, energy)(sample.deposits, None)
    ours = p.energy_resolution(predicted, energy)
    theirs = validation.resolution(sample)
    np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-3)
    fit = p.fit_resolution(ours)
    np.testing.assert_allclose(
        (fit.stochastic, fit.constant), validation.fit_resolution(theirs), rtol=0.03
    )


@given(st.integers(0, 2**32 - 1), st.floats(-3, 3), st.floats(0.1, 3))
def test_residuals_in_bins_are_those_of_the_bins(seed: int, shift: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    true, residual = rng.uniform(-20, 20, 400), shift + scale * rng.standard_normal(400)
    edges = (-20.0, -5.0, 3.0, 20.0)
    bias = p.residual_bias(true + residual, true, true, edges)
    spread = p.residual_spread(true + residual, true, true, edges)
    for number, (low, high) in enumerate(pairwise(edges)):
        inside = residual[(true >= low) & (true < high)]
        assert bias.count[number] == inside.size
        assert bias.value[number] == pytest.approx(inside.mean(), abs=1e-9)
        assert bias.error[number] == pytest.approx(inside.std() / np.sqrt(inside.size))
        assert spread.value[number] == pytest.approx(np.sqrt(np.mean(inside**2)))


def test_poor_bins_are_left_out() -> None:
    true = np.concatenate([np.full(30, 0.5), np.full(19, 1.5), np.full(25, 2.5)])
    profile = p.residual_bias(true, true, true, (0.0, 1.0, 2.0, 3.0))
    assert profile.count.tolist() == [30, 25]
    assert profile.at.tolist() == [0.5, 2.5]
    with pytest.raises(DataError, match="no bin from 5 to 6 holds 20 photons"):
        p.residual_bias(true, true, true, (5.0, 6.0))


def test_directions_are_projected() -> None:
    sample = p.take(read_photons("B"), np.arange(50))
    assert len(sample) == 50
    along_x, along_y = p.slopes(sample)
    np.testing.assert_allclose(np.hypot(along_x, along_y), np.tan(sample.theta), rtol=1e-6)
    np.testing.assert_allclose(np.arctan2(along_y, along_x), sample.phi, atol=1e-6)


def test_edges_span_the_central_cell() -> None:
    edges = p.impact_edges(INNER, 8)
    assert len(edges) == 9
    assert edges[0] == -edges[-1] == -INNER.pitch / 2


def test_a_band_of_retrainings(smeared) -> None:
    predicted, energy = smeared
    profiles = [p.energy_bias(predicted * (1 + shift), energy) for shift in (0.0, 0.02, 0.01)]
    band = p.band(profiles)
    np.testing.assert_array_equal(band.low, profiles[0].value)
    np.testing.assert_array_equal(band.high, profiles[1].value)
    np.testing.assert_array_equal(band.middle, profiles[2].value)
    with pytest.raises(DataError, match="at least one profile"):
        p.band([])
    with pytest.raises(DataError, match="same bins"):
        p.band([profiles[0], p.energy_bias(predicted, energy, EDGES)])


@pytest.mark.parametrize(
    ("predicted", "energy", "message"),
    [
        ([1.0, 2.0], [1.0], r"shape \(1,\), predicted energies \(2,\): both must be \[n\]"),
        ([1.0, np.nan], [1.0, 2.0], "predicted energies hold nan in example 1"),
        ([1.0, np.inf], [1.0, 2.0], "hold inf in example 1"),
        ([1.0, 1.0], [1.0, 0.0], "must be positive, not 0 GeV"),
    ],
)
def test_bad_predictions(predicted, energy, message) -> None:
    with pytest.raises(DataError, match=message):
        p.energy_resolution(predicted, energy)


def test_two_bins_settle_no_fit(smeared) -> None:
    with pytest.raises(DataError, match="cannot be fitted to 2 bins"):
        p.fit_resolution(p.energy_resolution(*smeared, edges=(1.0, 50.0, 100.0)))
