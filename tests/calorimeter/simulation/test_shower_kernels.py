import numpy as np
import pytest
from scipy import stats

from surefoot.calorimeter.detector import INNER
from surefoot.calorimeter.simulation import shower_kernels as kernels
from surefoot.calorimeter.simulation.shower import Tuning, medium_of
from surefoot.seeds.philox import philox4x64

MEDIUM = medium_of(INNER)


def state_of(seed):
    state = np.zeros(8, dtype=np.uint64)
    state[0] = seed
    return state


def test_uniforms_come_from_philox():
    state = state_of(4)
    first = [kernels._uniform(state) for _ in range(5)]
    one, zero = np.uint64(1), np.uint64(0)
    words = [
        word
        for block in (zero, one)
        for word in philox4x64(block, one, zero, zero, np.uint64(4), zero)[::-1]
    ]
    assert first == [((int(w) >> 12) + 0.5) / 2**52 for w in words[:5]]


@pytest.mark.parametrize("shape", [0.05, 0.7, 3.0, 400.0])
def test_gamma_variates_follow_scipy(shape):
    state = state_of(11)
    drawn = [kernels._gamma(shape, state) for _ in range(20_000)]
    assert stats.kstest(drawn, stats.gamma(shape).cdf).pvalue > 1e-3


def test_pairs_share_as_bethe_heitler_at_complete_screening():
    state = state_of(2)
    drawn = [kernels._sharing(state) for _ in range(20_000)]
    norm = 1 - 2 / 3 + 4 / 9
    assert stats.kstest(drawn, lambda u: (u - 2 / 3 * u**2 + 4 / 9 * u**3) / norm).pvalue > 1e-3


def scatter(count, radius, power, theta=0.0, medium=MEDIUM):
    axes = np.empty((4, 3))
    kernels._aim(0.0, 0.0, theta, 0.5, axes)
    cells = np.zeros(int(medium.cells) ** 2)
    outside = kernels._scatter(
        3.0, count, 100.0, 10.0, radius, power, axes, medium, cells, state_of(1)
    )
    return cells, outside


def shower(count, energy, tuning, theta=0.0, medium=MEDIUM):
    """Photons of one energy at the window's centre: deposits and what lies outside."""
    column = np.full(count, energy)
    zero = np.zeros(count)
    cells = int(medium.cells) ** 2
    deposits, outside = np.empty((count, cells), np.float32), np.empty(count, np.float32)
    kernels.fill_deposits(
        np.uint64(1), np.uint64(0), column, zero, zero, zero + theta, zero,
        medium, tuning, deposits, outside,
    )  # fmt: skip
    return deposits.astype(float), outside.astype(float)


def test_spots_share_all_the_energy():
    cells, outside = scatter(1001, 60.0, 0.5)
    assert cells.sum() + outside == pytest.approx(3.0)
    assert outside > 0


def test_spots_lie_at_the_profiles_radii():
    # Of R √(u/(1−u)), the share within a square of half side h ≥ h²/(h²+R²), its inner circle's,
    # and ≤ that of the circle around it.
    cells, _ = scatter(200_000, 20.0, 0.5)
    half = 1.5 * INNER.pitch
    square = cells.reshape(15, 15)[6:9, 6:9].sum() / 3.0
    inner, outer = (h**2 / (h**2 + 400.0) for h in (half, half * 2**0.5))
    assert inner < square < outer


def test_an_inclined_axis_moves_the_spots():
    cells, _ = scatter(1000, 0.01, 0.5, theta=0.3)
    depth = np.arange(100.0, 110.0, 0.5)
    x, y = (depth * np.sin(0.3) * part for part in (np.cos(0.5), np.sin(0.5)))
    expected = {INNER.cell_of(*point) for point in zip(x, y)}
    assert set(np.flatnonzero(cells)) == expected


def test_spots_lie_evenly_around_the_axis():
    fine = MEDIUM._replace(pitch=2.0, cells=301.0)
    cells, _ = scatter(100_000, 30.0, 0.5, medium=fine)
    image = cells.reshape(301, 301) / cells.sum()
    at = (np.arange(301) - 150) * 2.0
    y, x = np.meshgrid(at, at, indexing="ij")
    ring = np.hypot(x, y) < 100
    for turned in range(8):
        sector = ring & (np.floor(np.arctan2(y, x) / (np.pi / 4)).astype(int) % 8 == turned)
        assert image[sector].sum() == pytest.approx(image[ring].sum() / 8, rel=0.05)


def test_unit_vectors_stand_across_the_axis():
    axes = np.empty((4, 3))
    kernels._aim(1.0, 2.0, 0.28, -2.0, axes)
    np.testing.assert_allclose(axes[1:] @ axes[1:].T, np.eye(3), atol=1e-12)


def test_no_fluctuation_is_left_without_sampling_and_leakage():
    # c → 0 and a very deep module: the visible energy is the share of the true one.
    tuning = Tuning(core_sampling=1e-4, tail_sampling=1e-4, core_spots=1e-5, tail_spots=1e-5)
    deposits, outside = shower(200, 20.0, tuning, medium=MEDIUM._replace(depth=5_000.0))
    total = deposits.sum(axis=1) + outside
    np.testing.assert_allclose(total, 20.0 * tuning.visible, rtol=1e-3)


@pytest.mark.parametrize(("c", "theta"), [(0.05, 0.0), (0.1, 0.0), (0.1, 0.5)])
def test_sampling_fluctuates_with_the_layers_crossed(c, theta):
    # Independent Gamma variates of core and tail with one c add up to c/√(E cos θ).
    tuning = Tuning(core_sampling=c, tail_sampling=c, core_spots=0.01, tail_spots=0.01)
    deposits, outside = shower(4_000, 20.0, tuning, theta, MEDIUM._replace(depth=5_000.0))
    total = deposits.sum(axis=1) + outside
    assert total.std() / total.mean() == pytest.approx(c / np.sqrt(20 * np.cos(theta)), rel=0.05)


def test_a_tail_that_is_sampled_more_coarsely_makes_wide_showers_bright():
    deep, many = MEDIUM._replace(depth=5_000.0), {"core_spots": 0.3, "tail_spots": 5.0}
    found = []
    for tail in (0.05, 0.2):
        tuning = Tuning(core_sampling=0.05, tail_sampling=tail, length_spread=0.0,
                        shape_spread=0.0, **many)  # fmt: skip
        deposits, _ = shower(3_000, 10.0, tuning, medium=deep)
        total = deposits.sum(axis=1)
        found.append(np.corrcoef(deposits[:, 112] / total, total)[0, 1])
    assert abs(found[0]) < 0.1
    assert found[1] < -0.3


def test_axes_wander_by_the_stated_length():
    fine = MEDIUM._replace(pitch=2.0, cells=301.0, depth=5_000.0)
    at = (np.arange(301) - 150) * 2.0
    spread = []
    for wander in (0.0, 20.0):
        deposits, _ = shower(600, 50.0, Tuning(wander=wander), medium=fine)
        image = deposits.reshape(-1, 301, 301)
        x = image.sum(axis=1) @ at / image.sum(axis=(1, 2))
        spread.append(x.std())
    expected = np.sqrt(spread[0] ** 2 + 20.0**2 / 50.0)
    assert spread[1] == pytest.approx(expected, rel=0.1)


def test_noise_and_threshold():
    deposits = np.full((400, 225), 0.5, dtype=np.float32)
    kernels.digitise(np.uint64(1), np.uint64(0), 0.1, 0.0, deposits)
    assert stats.kstest(deposits.ravel(), stats.norm(0.5, 0.1).cdf).pvalue > 1e-3
    kept = deposits.copy()
    kernels.digitise(np.uint64(1), np.uint64(0), 0.0, 0.5, kept)
    np.testing.assert_array_equal(kept, np.where(deposits < 0.5, 0, deposits))
