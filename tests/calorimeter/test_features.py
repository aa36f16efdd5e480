import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from surefoot.calorimeter import features as f
from surefoot.calorimeter.detector import INNER
from surefoot.errors import DataError

energies = st.floats(0.0, 100.0, width=32)
images = hnp.arrays(np.float32, st.tuples(st.integers(1, 6), st.just(25)), elements=energies)


@given(images)
def test_the_sum_is_exact_to_double_precision(cells: np.ndarray) -> None:
    expected = [math.fsum(row) for row in cells.tolist()]
    np.testing.assert_allclose(f.deposit_sum(cells), expected, rtol=1e-14, atol=0)


@given(images)
def test_a_sum_does_not_depend_on_the_images_beside_it(cells: np.ndarray) -> None:
    alone = [f.deposit_sum(row[None])[0] for row in cells]
    assert f.deposit_sum(cells).tolist() == alone


@given(images.filter(lambda a: (a.sum(axis=1) > 1e-3).all()))
def test_the_barycentre_is_the_weighted_mean_of_the_cells(cells: np.ndarray) -> None:
    along = np.arange(-2, 3) * 7.0
    grid = cells.reshape(-1, 5, 5).astype(float)
    total = grid.sum(axis=(1, 2))
    found = f.barycentre(cells, 7.0)
    np.testing.assert_allclose(found[:, 0], grid.sum(axis=1) @ along / total, atol=1e-9)
    np.testing.assert_allclose(found[:, 1], grid.sum(axis=2) @ along / total, atol=1e-9)


@given(images.filter(lambda a: (a.sum(axis=1) > 1e-3).all()))
def test_mirrors_and_transposition_act_on_the_barycentre(cells: np.ndarray) -> None:
    grid = cells.reshape(-1, 5, 5)
    x, y = f.barycentre(cells).T
    flipped = f.barycentre(grid[:, :, ::-1].reshape(-1, 25))
    turned = f.barycentre(grid.transpose(0, 2, 1).reshape(-1, 25))
    np.testing.assert_allclose(flipped, np.stack([-x, y], axis=1), atol=1e-9)
    np.testing.assert_allclose(turned, np.stack([y, x], axis=1), atol=1e-9)


def test_cells_lie_where_the_detector_says() -> None:
    centres = np.array([INNER.centre_of(cell) for cell in range(225)])
    np.testing.assert_allclose(f.offsets(15, INNER.pitch).T, centres)


def test_empty_images_have_no_barycentre() -> None:
    cells = np.zeros((3, 9), np.float32)
    cells[[0, 2], 4] = 1.0
    with pytest.raises(DataError, match=r"example 1 sum to 0 GeV .* positive sum"):
        f.barycentre(cells)


@pytest.mark.parametrize("cells", [2, 16, 224, 4])
def test_windows_have_a_central_cell(cells: int) -> None:
    with pytest.raises(DataError, match="square of an odd number"):
        f.window(np.zeros((1, cells), np.float32))


@given(images, st.sampled_from([1, 3, 5]))
def test_a_square_is_the_padded_grid_around_the_hottest_cell(cells: np.ndarray, width: int) -> None:
    half = width // 2
    padded = np.pad(cells.reshape(-1, 5, 5), ((0, 0), (half, half), (half, half)))
    centre = f.hottest(cells)
    found = f.square(cells, centre, width)
    for row, cell in enumerate(centre):
        y, x = divmod(int(cell), 5)
        np.testing.assert_array_equal(
            found[row].reshape(width, width), padded[row, y : y + width, x : x + width]
        )
    np.testing.assert_allclose(f.square_sum(cells, width), found.sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize("width", [0, 2, 7, -1])
def test_squares_have_a_centre(width: int) -> None:
    with pytest.raises(DataError, match="odd side of 1 to 5"):
        f.square(np.ones((1, 25), np.float32), np.array([0]), width)


def test_cluster_features_are_what_they_say() -> None:
    rng = np.random.default_rng(2)
    cells = rng.exponential(size=(50, 81)).astype(np.float32)
    cells[np.arange(50), rng.integers(0, 81, 50)] += 5.0
    found = f.cluster_features(cells)
    assert found.shape == (50, 32)
    assert found.dtype == np.float32
    centre = f.hottest(cells)
    total, five, three, own = sums = [
        cells.sum(axis=1, dtype=float),
        f.square_sum(cells, 5),
        f.square_sum(cells, 3),
        cells.max(axis=1).astype(float),
    ]
    np.testing.assert_allclose(found[:, :4].T, sums, rtol=1e-6)
    products = [total**2, total * five, total * three, total * own, five**2]
    np.testing.assert_allclose(found[:, 4:9].T, products, rtol=1e-6)
    grid = f.square(cells, centre, 3).reshape(-1, 3, 3)
    np.testing.assert_allclose(found[:, 14:17], grid.sum(axis=1) / three[:, None], rtol=1e-5)
    np.testing.assert_allclose(found[:, 17:20], grid.sum(axis=2) / three[:, None], rtol=1e-5)
    np.testing.assert_allclose(found[:, 20:30].sum(axis=1), 2.0, rtol=1e-5)
    np.testing.assert_array_equal(found[:, 30], centre % 9 - 4)
    np.testing.assert_array_equal(found[:, 31], centre // 9 - 4)


def test_empty_images_have_finite_features() -> None:
    assert np.isfinite(f.cluster_features(np.zeros((2, 25), np.float32))).all()


def test_small_windows_have_no_five_by_five() -> None:
    with pytest.raises(DataError, match="odd side of 1 to 3, not 5"):
        f.cluster_features(np.ones((1, 9), np.float32))
