from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from surefoot import Population
from surefoot.calorimeter import features
from surefoot.calorimeter.photons import load_photons
from surefoot.calorimeter.root_io import read_photons, write_photons
from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.calorimeter.simulation.simulate import simulate
from surefoot.data.files import load_population
from surefoot.errors import DataError


@pytest.fixture(scope="module")
def few() -> PhotonChunk:
    (chunk,) = simulate("B", 300, 11, chunk=300)
    return chunk


def saved(path: Path, chunk: PhotonChunk, **changed: np.ndarray) -> str:
    columns = {name: getattr(chunk, name) for name in PhotonChunk.__dataclass_fields__}
    np.savez(path / "photons.npz", **columns | changed)
    return f"{path}/photons.npz"


def test_study_files_name_the_shipped_samples() -> None:
    population = load_population("photons:A", target="energy")
    sample = read_photons("A")
    assert isinstance(population, Population)
    assert_array_equal(population.features, sample.deposits)
    assert_array_equal(population.target[:, 0], sample.energy)
    assert_array_equal(population.groups, sample.shower)
    assert population.name == "photons:A"
    assert (population.target_name, population.target_unit) == ("energy", "GeV")
    assert population.side_names == ("sum",)
    np.testing.assert_allclose(
        population.side[:, 0], sample.deposits.sum(axis=1, dtype=float), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("target", "side", "names"),
    [
        ("energy", True, ("sum",)),
        ("x", True, ("barycentre_x", "barycentre_y")),
        (["x", "y"], True, ("barycentre_x", "barycentre_y")),
        (["energy", "x"], True, ("sum", "barycentre_x", "barycentre_y")),
        ("theta", True, ("sum", "barycentre_x", "barycentre_y")),
        ("energy", "barycentre", ("barycentre_x", "barycentre_y")),
        ("x", ["barycentre", "sum"], ("barycentre_x", "barycentre_y", "sum")),
        ("x", False, ()),
    ],
)
def test_side_features_suit_the_target(
    target: str | list[str],
    side: bool | str | list[str],
    names: tuple[str, ...],
    tmp_path: Path,
    few: PhotonChunk,
) -> None:
    population = load_photons(saved(tmp_path, few), target, side)
    assert population.side_names == names
    if not names:
        assert population.side is None
        return
    assert population.side.shape == (300, len(names))
    if "barycentre_y" in names:
        np.testing.assert_allclose(
            population.side[:, names.index("barycentre_y")],
            features.barycentre(few.deposits)[:, 1],
            rtol=1e-6,
            atol=1e-6,
        )


def test_positions_are_in_mm(tmp_path: Path, few: PhotonChunk) -> None:
    population = load_photons(saved(tmp_path, few), ["x", "y"])
    assert population.target_unit == "mm"
    assert_array_equal(population.target, np.stack([few.x, few.y], axis=1))


def test_fractions_are_deposits_over_their_sum(tmp_path: Path, few: PhotonChunk) -> None:
    path = saved(tmp_path, few)
    deposits = load_photons(path, "x", side=["sum", "barycentre"])
    fractions = load_photons(path, "x", side=["sum", "barycentre"], features="fractions")
    np.testing.assert_allclose(fractions.features.sum(axis=1), 1.0, rtol=1e-5)
    total = deposits.features.astype(float).sum(axis=1)
    back = fractions.features * total[:, None]
    np.testing.assert_allclose(back, deposits.features, rtol=1e-5, atol=1e-30)
    assert deposits.side is not None
    np.testing.assert_array_equal(fractions.side, deposits.side)


def test_the_energy_over_the_sum(tmp_path: Path, few: PhotonChunk) -> None:
    path = saved(tmp_path, few)
    energy = load_photons(path)
    ratio = load_photons(path, "energy/sum", features="fractions")
    assert (ratio.target_name, ratio.target_unit, ratio.side_names) == ("energy/sum", "", ("sum",))
    back = ratio.target[:, 0] * few.deposits.sum(axis=1, dtype=float)
    np.testing.assert_allclose(back, energy.target[:, 0], rtol=1e-6)


def test_the_energy_over_the_sum_of_an_empty_image(tmp_path: Path, few: PhotonChunk) -> None:
    images = few.deposits.copy()
    images[3] = 0.0
    with pytest.raises(DataError, match=r"example 3 sum to 0 GeV .* energy/sum needs a positive"):
        load_photons(saved(tmp_path, few, deposits=images), "energy/sum")


def test_fractions_of_an_empty_image(tmp_path: Path, few: PhotonChunk) -> None:
    images = few.deposits.copy()
    images[3] = 0.0
    path = saved(tmp_path, few, deposits=images)
    with pytest.raises(DataError, match=r"deposits of example 3 sum to 0 GeV .* fractions need"):
        load_photons(path, "energy", side="sum", features="fractions")


def test_own_branch_names_and_units(tmp_path: Path, few: PhotonChunk) -> None:
    np.savez(
        tmp_path / "own.npz",
        edep=few.deposits.astype(float) * 1e3,
        truth=few.energy * 1e3,
        event=np.arange(300) // 2,
    )
    population = load_population(
        f"photons:{tmp_path}/own.npz",
        target="truth",
        features="edep",
        groups="event",
        unit="MeV",
        target_unit="MeV",
    )
    np.testing.assert_allclose(population.features, few.deposits, rtol=1e-6)
    np.testing.assert_allclose(population.target[:, 0], few.energy, rtol=1e-6)
    assert population.target_unit == "GeV"
    assert_array_equal(population.groups, np.arange(300) // 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1e-3])
def test_deposits_that_cannot_be(bad: float, tmp_path: Path, few: PhotonChunk) -> None:
    deposits = few.deposits.copy()
    deposits[17, 30] = bad
    path = saved(tmp_path, few, deposits=deposits)
    if np.isfinite(bad):
        message = rf"deposits of .* energy {bad} in example 17, column 30: energies must be"
    else:
        message = rf"'deposits' of .* holds {bad} in row 17, place 30: fill in or drop such rows$"
    with pytest.raises(DataError, match=message):
        load_photons(path)
    with pytest.raises(DataError, match=message):
        load_photons(path, unit="MeV")


def test_an_energy_of_zero(tmp_path: Path, few: PhotonChunk) -> None:
    energy = few.energy.copy()
    energy[5] = 0.0
    path = saved(tmp_path, few, energy=energy)
    with pytest.raises(DataError, match=r"target energy .* 0 in example 5, .* positive"):
        load_photons(path)
    assert len(load_photons(path, "x")) == 300


def test_noise_may_make_deposits_negative_where_the_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "noisy.root"
    chunks = list(simulate("A", 200, 4, noise=0.002))
    write_photons(path, chunks, metadata={"noise": 0.002})
    assert load_photons(str(path)).features.min() < 0.0
    write_photons(path, chunks, metadata={"noise": 0.0})
    with pytest.raises(DataError, match="zero or more"):
        load_photons(str(path))


def test_an_empty_image_has_a_sum_but_no_barycentre(tmp_path: Path, few: PhotonChunk) -> None:
    deposits = few.deposits.copy()
    deposits[9] = 0.0
    path = saved(tmp_path, few, deposits=deposits)
    assert load_photons(path).side[9] == 0.0
    with pytest.raises(DataError, match="example 9 sum to 0 GeV"):
        load_photons(path, "x")


def test_windows_without_a_centre(tmp_path: Path, few: PhotonChunk) -> None:
    path = saved(tmp_path, few, deposits=few.deposits[:, :224])
    with pytest.raises(DataError, match="have 224 cells; a window"):
        load_photons(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda grid: grid.transpose(0, 2, 1), "transposed: x runs along columns"),
        (lambda grid: grid[:, :, ::-1], "mirrored: x or y runs backwards"),
        (lambda grid: grid[:, ::-1], "mirrored: x or y runs backwards"),
        (
            lambda grid: grid.reshape(-1, 225)[:, np.random.default_rng(1).permutation(225)],
            "in an unknown order",
        ),
    ],
)
@pytest.mark.parametrize("dataset", ["A", "B"])
def test_cells_in_another_order(dataset: str, change, message: str, tmp_path: Path) -> None:
    (chunk,) = simulate(dataset, 400, 2, chunk=400)
    grid = np.ascontiguousarray(change(chunk.deposits.reshape(-1, 15, 15))).reshape(-1, 225)
    with pytest.raises(DataError, match=f"{message}.* row-major, iy \\* 15 \\+ ix"):
        load_photons(saved(tmp_path, chunk, deposits=grid))


def test_an_unknown_side_feature_names_the_nearest() -> None:
    with pytest.raises(DataError, match="no side feature 'baricentre': did you mean 'barycentre'"):
        load_photons("A", side="baricentre")


def test_pool_and_test_share_no_shower() -> None:
    halves = load_photons("A").split(1)
    groups = halves.population.groups
    assert not set(groups[halves.pool]) & set(groups[halves.test])
    assert halves.pool.size + halves.test.size == 16_645
