from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from numpy.testing import assert_array_equal

from surefoot import registry
from surefoot.data.files import load_population
from surefoot.data.population import Population
from surefoot.errors import DataError
from tests.data.files.conftest import Columns, Write


def test_named_columns_become_the_parts(kind: str, write: Write, columns: Columns) -> None:
    population = load_population(
        write(kind, columns), target="energy", features="deposits", side=["x"], groups="shower"
    )
    assert_array_equal(population.features, columns["deposits"])
    assert_array_equal(population.target[:, 0], columns["energy"].astype(np.float32))
    assert_array_equal(population.side[:, 0], columns["x"])
    assert_array_equal(population.groups, columns["shower"])
    assert population.target_name == "energy"
    assert population.side_names == ("x",)


def test_several_targets_and_scalar_features(kind: str, write: Write, columns: Columns) -> None:
    population = load_population(
        write(kind, columns),
        target=["energy", "x"],
        features=["x", "energy", "deposits"],
        target_among_features=True,
    )
    assert population.target.shape == (60, 2)
    assert population.features.shape == (60, 11)
    assert_array_equal(population.features[:, 0], columns["x"])
    assert_array_equal(population.features[:, 2:], columns["deposits"])


def test_scalar_features_keep_their_names(kind: str, write: Write, columns: Columns) -> None:
    population = load_population(write(kind, columns), target="energy", features=["x", "shower"])
    assert population.feature_names == ("x", "shower")


@pytest.mark.parametrize(("unit", "scale"), [("GeV", 1.0), ("MeV", 1e-3), ("keV", 1e-6)])
def test_declared_energies_become_gev(
    unit: str, scale: float, write: Write, columns: Columns
) -> None:
    population = load_population(
        write("npz", columns),
        target="energy",
        features="deposits",
        unit=unit,
        target_unit=unit,
    )
    np.testing.assert_allclose(population.features, columns["deposits"] * scale, rtol=1e-6)
    np.testing.assert_allclose(population.target[:, 0], columns["energy"] * scale, rtol=1e-6)
    assert population.target_unit == "GeV"


def test_another_target_unit_is_a_name(write: Write, columns: Columns) -> None:
    path = write("root", columns)
    population = load_population(path, target="x", features="deposits", target_unit="mm")
    assert population.target_unit == "mm"
    assert_array_equal(population.target[:, 0], columns["x"])


@pytest.mark.parametrize("kind", ["npz", "parquet"])
def test_text_is_classes(kind: str, write: Write, columns: Columns) -> None:
    labels = np.array(["photon", "pion", "electron"])[np.arange(60) % 3]
    population = load_population(
        write(kind, columns | {"particle": labels}), target="particle", features="deposits"
    )
    assert population.classes == ("electron", "photon", "pion")


def test_text_of_root_is_classes(tmp_path: Path) -> None:
    labels = ak.Array(["photon", "pion", "photon"])
    with uproot.recreate(tmp_path / "t.root") as root:
        root.mktree("t", {"e": "f4", "particle": labels.type.content})
        root["t"].extend({"e": np.arange(3), "particle": labels})
    population = load_population(f"{tmp_path}/t.root", target="particle", features="e")
    assert population.classes == ("photon", "pion")
    assert_array_equal(population.target[:, 0], [0, 1, 0])


def test_numbers_may_be_classes(kind: str, write: Write, columns: Columns) -> None:
    path = write(kind, columns | {"layer": np.arange(60) % 4})
    population = load_population(path, target="layer", features="deposits", classes=True)
    assert population.classes == (0, 1, 2, 3)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(
    bad: float, kind: str, write: Write, columns: Columns
) -> None:
    columns["deposits"][41, 3] = bad
    with pytest.raises(DataError, match=f"'deposits' of .* holds {bad} in row 41, place 3"):
        load_population(write(kind, columns), target="energy", features="deposits")


def test_negative_energies_are_refused_where_declared(write: Write, columns: Columns) -> None:
    columns["deposits"][7, 2] = -0.5
    path = write("root", columns)
    load_population(path, target="energy", features="deposits")
    with pytest.raises(DataError, match=r"energy -0.5 in example 7, column 2: .* zero or more"):
        load_population(path, target="energy", features="deposits", unit="GeV")


def test_an_energy_of_zero_is_refused_where_declared(write: Write, columns: Columns) -> None:
    columns["energy"][3] = 0.0
    path = write("npz", columns)
    load_population(path, target="energy", features="deposits")
    with pytest.raises(DataError, match=r"energy 0 in example 3, column 0: .* positive"):
        load_population(path, target="energy", features="deposits", target_unit="MeV")


def test_a_wrong_unit_names_the_nearest(write: Write, columns: Columns) -> None:
    with pytest.raises(DataError, match=r"unit 'Gev' .* did you mean 'GeV'"):
        load_population(write("npz", columns), target="energy", features="deposits", unit="Gev")


def test_a_misspelt_column_names_the_nearest(kind: str, write: Write, columns: Columns) -> None:
    noun = {"root": "branch", "npz": "array", "parquet": "column"}[kind]
    path = write(kind, columns)
    with pytest.raises(DataError, match=f"has no {noun} 'enrgy': did you mean 'energy'"):
        load_population(path, target="enrgy", features="deposits")
    with pytest.raises(DataError, match=r"no .* 'deposit': did you mean 'deposits'"):
        load_population(path, target="energy", features="deposit")


def test_missing_names_list_what_there_is(write: Write, columns: Columns) -> None:
    path = write("npz", columns)
    with pytest.raises(DataError, match="name of its features, among: deposits, energy, x, shower"):
        load_population(path, target="energy")
    with pytest.raises(DataError, match="name of its target"):
        load_population(path, features="deposits")
    with pytest.raises(DataError, match="side = true has no meaning"):
        load_population(path, target="energy", features="deposits", side=True)


def test_unknown_sources() -> None:
    with pytest.raises(DataError, match=r"'photns:A' is neither .* did you mean 'photons'"):
        load_population("photns:A")
    with pytest.raises(DataError, match=r"nowhere\.root does not exist"):
        load_population("nowhere.root:tree", target="a", features="b")


def test_registered_populations_get_the_options_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, target: str = "t") -> Population:
        return Population([[1.0]], [2.0], name=name, target_name=target)

    monkeypatch.setattr(registry, "_added", {("populations", "toy"): load})
    assert load_population("toy:one", target="u").target_name == "u"
    assert load_population("toy:one").name == "one"
    with pytest.raises(DataError, match="toy:one takes no 'side'"):
        load_population("toy:one", side="x")


def test_memory_is_bounded_by_the_population(write: Write, kind: str) -> None:
    import tracemalloc

    n = 40_000
    chunk = np.random.default_rng(1).integers(0, 9, (n, 100)).astype(np.float32)
    path = write(kind, {"a": chunk, "b": np.arange(n, dtype=np.float32)}, rows=2_000)
    size = chunk.nbytes
    del chunk
    tracemalloc.start()
    try:
        population = load_population(path, target="b", features="a")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert population.features.nbytes == size
    # One copy, the booleans of the check for finite numbers, and a few chunks of 3 MB.
    assert peak < size + size // 4 + 14e6
