import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.calorimeter.corrections import fit_curve, fit_log, line

PITCH = 40.4


@given(st.integers(0, 2**32 - 1))
def test_the_line_is_that_of_polyfit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    g, wanted = rng.normal(size=(2, 30))
    np.testing.assert_allclose(line(g, wanted), np.polyfit(g, wanted, 1), rtol=1e-6, atol=1e-9)


def test_one_place_gives_its_mean() -> None:
    assert line(np.full(5, 3.0), np.arange(5.0)) == (1.0, -1.0)


@pytest.mark.parametrize(
    ("correction", "law"),
    [
        ("asinh", lambda g: 1.056 * 7.57 * np.arcsinh(2 * g / PITCH * np.sinh(PITCH / 2 / 7.57))),
        ("arctan", lambda g: 12.0 * np.arctan(g / 3.0)),
        ("linear", lambda g: 2.5 * g - 1.0),
        ("none", lambda g: g),
    ],
)
def test_a_law_is_recovered_beyond_the_points_fitted(correction, law) -> None:
    g = np.linspace(-12.0, 12.0, 200)
    correct = fit_curve(correction, g, law(g), PITCH)
    beyond = np.linspace(-18.0, 18.0, 50)
    np.testing.assert_allclose(correct(beyond), law(beyond), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("correction", ["asinh", "arctan"])
def test_a_fit_is_a_minimum(correction) -> None:
    rng = np.random.default_rng(3)
    g = rng.uniform(-15.0, 15.0, 2_000)
    wanted = 6.0 * np.arctan(g / 4.0) + rng.normal(0.0, 2.0, 2_000)
    correct = fit_curve(correction, g, wanted, PITCH)
    best = np.mean((correct(g) - wanted) ** 2)
    for scale in (0.99, 1.01):
        assert np.mean((scale * correct(g) - wanted) ** 2) > best
        assert np.mean((correct(scale * g) - wanted) ** 2) > best - 1e-9


@pytest.mark.parametrize("correction", ["asinh", "arctan", "linear"])
def test_points_without_a_law_stay_finite(correction) -> None:
    for g in (np.zeros(10), np.full(10, 4.0), np.linspace(-1, 1, 10)):
        correct = fit_curve(correction, g, np.random.default_rng(1).normal(size=10), PITCH)
        assert np.isfinite(correct(np.linspace(-20, 20, 9))).all()


def test_awes_cutoff_and_scale_are_recovered() -> None:
    rng = np.random.default_rng(5)
    along = np.arange(-2, 3) * PITCH
    shares = rng.dirichlet([0.2, 2.0, 8.0, 2.0, 0.2], 3_000)
    weights = np.maximum(0.0, 3.6 + np.log(shares))
    wanted = 1.3 * (weights @ along) / weights.sum(axis=1)
    correct = fit_log(np.log(shares), along, wanted)
    np.testing.assert_allclose(correct(np.log(shares)), wanted, atol=0.05)


def test_cells_without_energy_have_no_weight() -> None:
    along = np.array([-1.0, 0.0, 1.0])
    logs = np.log([[0.3, 0.7, 1e-300], [1e-300, 0.7, 0.3]])
    logs[logs < -100] = -np.inf
    correct = fit_log(logs, along, np.array([-0.4, 0.4]))
    np.testing.assert_allclose(correct(logs), [-0.4, 0.4], atol=1e-6)
    assert correct(np.full((1, 3), -np.inf)).tolist() == [0.0]
