import importlib.util
import sys
from dataclasses import fields

import numpy as np
import pytest

from surefoot.calorimeter.detector import INNER, OUTER
from surefoot.calorimeter.geant4 import run as module
from surefoot.calorimeter.geant4.run import NEEDED, Geant4, chunk_name, complaint, data_directory
from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.calorimeter.simulation.simulate import fast_chunk, simulate
from surefoot.errors import MissingExtraError, SimulationError


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder that looks like Geant4's data sets, all of them empty."""
    for name in NEEDED:
        (tmp_path / "data" / f"{name}1.0").mkdir(parents=True)
    monkeypatch.setenv("GEANT4_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="module")
def scan():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-320, 320, (2, 150))
    return x, y, Geant4().scan(x, y)


def test_geantinos_meet_the_detectors_material(scan):
    _, _, found = scan
    expected = INNER.depth_in_radiation_lengths
    np.testing.assert_allclose(found.radiation_lengths, expected, rtol=0.02)
    # LHCb quotes 25 X0 for its module; 2 mm plates of pure lead alone give 23.5.
    assert found.radiation_lengths.mean() == pytest.approx(25.0, rel=0.04)
    np.testing.assert_allclose(found.active, INNER.layers * INNER.active_thickness)


def test_geantinos_cross_the_cell_they_are_aimed_at(scan):
    x, y, found = scan
    expected = [INNER.cell_of(*point) for point in zip(x, y)]
    assert -1 in expected
    np.testing.assert_array_equal(found.cell, expected)


def test_inclined_geantinos_cross_more_material():
    theta, phi = np.array([0.0, 0.2, 0.3]), np.array([0.0, 1.0, -2.5])
    found = Geant4(OUTER).scan(np.zeros(3), np.zeros(3), theta, phi)
    np.testing.assert_allclose(
        found.radiation_lengths * np.cos(theta), INNER.depth_in_radiation_lengths, rtol=0.02
    )


def test_geant4s_own_refusal_becomes_one_sentence(data, monkeypatch, tmp_path):
    (data / "ENSDFSTATE.dat").touch()
    monkeypatch.setenv("G4ENSDFSTATEDATA", str(data))
    stream = simulate("A", 2, 1, engine="geant4", workers=1, folder=tmp_path / "run")
    with pytest.raises(SimulationError, match="Geant4 stopped: em0003, G4LEDATA data directory"):
        next(stream)
    assert not list((tmp_path / "run").iterdir())


def test_an_unknown_physics_list_is_named(data, monkeypatch):
    (data / "ENSDFSTATE.dat").touch()
    monkeypatch.setenv("G4ENSDFSTATEDATA", str(data))
    with pytest.raises(SimulationError, match="'FTFP_BART' is not one of Geant4's reference"):
        next(simulate("A", 2, 1, engine="geant4", workers=1, physics="FTFP_BART"))


def test_missing_data_sets_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("GEANT4_DATA_DIR", str(tmp_path))
    (tmp_path / "G4EMLOW8.8").mkdir()
    with pytest.raises(SimulationError, match="G4ENSDFSTATE, G4PARTICLEXS") as caught:
        data_directory()
    assert str(tmp_path) in str(caught.value)
    assert "G4EMLOW" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_data_sets_are_found_at_home(tmp_path, monkeypatch):
    monkeypatch.delenv("GEANT4_DATA_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in NEEDED:
        (tmp_path / ".geant4_pybind" / f"{name}9").mkdir(parents=True)
    assert data_directory() == tmp_path / ".geant4_pybind"


def test_a_missing_installation_is_named_without_importing(monkeypatch):
    monkeypatch.setitem(sys.modules, "geant4_pybind", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="surefoot\\[geant4\\]"):
        next(Geant4().run("A", 1, iter([(0, 1)]), 1))


def save(path, chunk):
    np.savez(path, **{field.name: getattr(chunk, field.name) for field in fields(PhotonChunk)})


@pytest.fixture
def started(monkeypatch):
    """Jobs that would have been given to Geant4, simulated by the fast engine instead."""
    jobs = []

    def start(job, path, environment):
        jobs.append((job["first"], job["count"]))
        save(path, fast_chunk(job["dataset"], job["first"], job["count"], job["seed"]))

    monkeypatch.setattr(module, "_start", start)
    monkeypatch.setattr(module, "_check_installed", lambda: None)
    return jobs


def test_an_interrupted_run_goes_on_behind_its_finished_chunks(data, started, tmp_path):
    options = {"engine": "geant4", "chunk": 4, "workers": 2, "folder": tmp_path / "run"}
    stream = simulate("B", 12, 7, **options)
    next(stream)
    stream.close()
    done = set(started)
    started.clear()
    chunks = list(simulate("B", 12, 7, **options))
    assert [int(chunk.shower[0]) for chunk in chunks] == [0, 4, 8]
    assert set(started) == {(0, 4), (4, 4), (8, 4)} - done
    started.clear()
    list(simulate("B", 12, 7, physics="QBBC", **options))
    assert len(started) == 3


def test_a_damaged_chunk_is_named(data, started, tmp_path):
    options = {"engine": "geant4", "workers": 1, "folder": tmp_path}
    list(simulate("A", 3, 7, **options))
    (path,) = tmp_path.glob("A-7-0-3-*.npz")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(SimulationError, match="is not a finished chunk"):
        list(simulate("A", 3, 7, **options))


def test_a_chunks_name_depends_on_everything_that_shapes_it():
    job = {"dataset": "A", "seed": 1, "first": 0, "count": 5, "physics": "QBBC"}
    assert chunk_name(job) == chunk_name(dict(reversed(job.items())))
    assert chunk_name(job) != chunk_name(job | {"physics": "FTFP_BERT"})


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("a\n*** G4Exception : X1\n      issued by : Y\nNo file.\n*** Fatal", "X1, No file."),
        ("one\ntwo\n\n", "two"),
        ("", "it said nothing"),
    ],
)
def test_the_complaint_is_geant4s_last_word(output, said):
    assert complaint(output) == said
