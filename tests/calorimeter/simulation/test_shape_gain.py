from dataclasses import replace

import numpy as np
import pytest

from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.calorimeter.simulation.shape_gain import relative_errors, shape_features, shape_gain
from surefoot.errors import DataError

MIDDLE = np.hypot(*(np.indices((15, 15)) - 7)) <= 1.0


def images(n, told, rng):
    """Images whose response is 0.2 (1 + 0.03 z + 0.03 w): the central share tells ``told`` z."""
    z, w = rng.standard_normal((2, n))
    energy = rng.uniform(1, 100, n)
    share = 0.6 + 0.02 * (told * z + (1 - told) * rng.standard_normal(n))
    deposits = np.zeros((n, 15, 15))
    deposits[:, 7, 7] = share
    deposits[:, MIDDLE ^ (np.indices((15, 15)) == 7).all(axis=0)] = (0.98 - share[:, None]) / 4
    deposits[:, 3, 3] = 0.02
    deposits *= (0.2 * energy * (1 + 0.03 * z + 0.03 * w))[:, None, None]
    zero = np.zeros(n, np.float32)
    return PhotonChunk(
        deposits.reshape(n, 225).astype(np.float32), energy.astype(np.float32),
        zero, zero, zero, zero, np.arange(n), zero,
    )  # fmt: skip


def test_the_gain_is_what_shapes_tell():
    # Half of the variance can be told from the image: 1 − 1/√2 of the error goes.
    found = shape_gain(images(8_000, 1, np.random.default_rng(1)))
    assert found == pytest.approx(1 - 0.5**0.5, abs=0.02)


def test_nothing_is_gained_where_shapes_tell_nothing():
    assert abs(shape_gain(images(8_000, 0, np.random.default_rng(1)))) < 0.01


def test_a_shower_is_not_fitted_to_its_own_energy():
    sample = images(1_000, 1, np.random.default_rng(3))
    energy = sample.energy.copy()
    energy[::10] *= 1.5
    for one, other in zip(relative_errors(sample), relative_errors(replace(sample, energy=energy))):
        estimate, again = (1 + one) * sample.energy, (1 + other) * energy
        np.testing.assert_allclose(again[::10], estimate[::10], rtol=1e-3)
        assert np.abs(again[1::10] / estimate[1::10] - 1).mean() > 0.01


def test_features_of_a_known_image():
    image = np.zeros((1, 15, 15), np.float32)
    image[0, 7, 7], image[0, 7, 8], image[0, 10, 7] = 6.0, 3.0, 1.0
    found = shape_features(image.reshape(1, 225))[0]
    x, y = 0.3, 0.3
    width = 0.3 * 1 + 0.1 * 9 - x**2 - y**2
    expected = [
        np.log(10), 0.6, np.log(0.1001), np.log(0.1001), np.log(1e-4), np.log(width + 1e-4),
        x**2 + y**2, x**4 + y**4,
    ]  # fmt: skip
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_too_few_showers_and_too_small_a_window_are_refused():
    with pytest.raises(DataError, match="needs 1000 showers or more, not 999"):
        shape_gain(images(999, 1, np.random.default_rng(1)))
    with pytest.raises(DataError, match="9 × 9 cells or more, not 7 × 7"):
        shape_features(np.ones((5, 49), np.float32))
