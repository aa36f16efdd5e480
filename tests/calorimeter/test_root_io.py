import hashlib
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import uproot

from surefoot.calorimeter.root_io import UNITS, open_photons, read_photons, write_photons
from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.calorimeter.simulation.simulate import simulate
from surefoot.errors import DataError

DATA = Path(open_photons.__globals__["__file__"]).parent / "data"


def equal(one: PhotonChunk, other: PhotonChunk) -> bool:
    return all(
        getattr(one, field.name).tobytes() == getattr(other, field.name).tobytes()
        for field in fields(PhotonChunk)
    )


@pytest.mark.parametrize(("name", "images"), [("A", 16_645), ("B", 31_138)])
def test_the_shipped_sample_is_whole(name: str, images: int) -> None:
    sample = read_photons(name)
    assert sample.deposits.shape == (images, 225)
    assert len(np.unique(sample.shower)) == images
    assert sample.deposits.min() >= 0.0
    assert sample.energy.min() >= 1.0
    assert sample.energy.max() <= 100.0
    assert max(np.abs(sample.x).max(), np.abs(sample.y).max()) <= 20.2
    assert (sample.theta.max() > 0.0) == (name == "B")
    with open_photons(name) as table:
        about = table.metadata
    assert about["units"] == UNITS
    assert "Geant4 11.4.0" in about["simulation"]
    digest = hashlib.sha256(sample.deposits.tobytes()).hexdigest()
    assert digest == about["sha256_of_deposits"]


def test_the_shipped_files_are_small_and_described() -> None:
    files = sorted(DATA.glob("*.root"))
    assert [file.name for file in files] == ["photons_A.root", "photons_B.root"]
    assert sum(file.stat().st_size for file in files) <= 16_000_000
    assert all(file.name in (DATA / "README.md").read_text() for file in files)


def test_any_program_finds_units_in_the_title() -> None:
    with uproot.open(DATA / "photons_A.root") as file:
        assert "GeV" in file["photons"].title
        assert file["photons"]["deposits"].typename == "float[225]"


@pytest.mark.parametrize("kind", ["root", "npz", "parquet"])
def test_simulated_photons_come_back_bit_for_bit(kind: str, tmp_path: Path) -> None:
    path, seen = tmp_path / f"a.{kind}", []
    count = write_photons(
        path, simulate("B", 250, 3, chunk=100), metadata={"seed": 3}, progress=seen.append
    )
    assert (count, seen) == (250, [100, 100, 50])
    (whole,) = simulate("B", 250, 3, chunk=250)
    assert equal(read_photons(str(path)), whole)
    with open_photons(str(path)) as table:
        assert table.metadata["seed"] == 3
        assert table.metadata["units"]["deposits"] == "GeV"


def test_a_stopped_simulation_leaves_no_file(tmp_path: Path) -> None:
    def stopped():
        yield from simulate("A", 20, 1, chunk=10)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_photons(tmp_path / "a.root", stopped())
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_sample() -> None:
    with pytest.raises(DataError, match=r"no photon sample 'C'.*known are: A, B"):
        read_photons("C")


def test_a_file_that_lacks_a_column(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", deposits=np.ones((3, 225)), enrgy=np.ones(3))
    with pytest.raises(DataError, match="no array 'energy': did you mean 'enrgy'"):
        read_photons(f"{tmp_path}/a.npz")


def test_a_column_of_another_shape(tmp_path: Path) -> None:
    (chunk,) = simulate("A", 5, 1, chunk=5)
    write_photons(tmp_path / "a.npz", [replace(chunk, energy=np.ones((5, 2), np.float32))])
    with pytest.raises(DataError, match=r"'energy' .* is not one number per image"):
        read_photons(f"{tmp_path}/a.npz")
