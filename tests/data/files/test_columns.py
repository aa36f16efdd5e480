import itertools
from pathlib import Path

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from surefoot.data.files import load_population, open_data_file
from surefoot.data.files.columns import resolve
from surefoot.errors import DataError


def jagged_file(kind: str, path: Path, **columns: list) -> str:
    """Write columns of lists (or of numbers)."""
    file = path / f"jagged.{kind}"
    if kind == "parquet":
        pq.write_table(pa.table(columns), file)
        return str(file)
    with uproot.recreate(file) as root:
        root.mktree("t", {name: ak.Array(values).type.content for name, values in columns.items()})
        root["t"].extend({name: ak.Array(values) for name, values in columns.items()})
    return str(file)


jagged = pytest.mark.parametrize("kind", ["root", "parquet"])


@jagged
def test_lists_of_one_length_are_a_matrix(kind: str, tmp_path: Path) -> None:
    path = jagged_file(kind, tmp_path, e=[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], t=[1, 2, 3])
    population = load_population(path, target="t", features="e")
    assert_array_equal(population.features, [[1, 2], [3, 4], [5, 6]])


@jagged
def test_ragged_lists_name_the_rows(kind: str, tmp_path: Path) -> None:
    path = jagged_file(kind, tmp_path, e=[[1.0, 2.0], [3.0, 4.0], [5.0]], t=[1, 2, 3])
    with pytest.raises(DataError, match="is ragged: 2 entries in row 0, 1 in row 2"):
        load_population(path, target="t", features="e")


@jagged
def test_values_go_to_their_places(kind: str, tmp_path: Path) -> None:
    path = jagged_file(kind, tmp_path, e=[[1.0, 2.0], [], [5.0]], c=[[3, 0], [], [1]], t=[1, 2, 3])
    dense = [[2, 0, 0, 1], [0, 0, 0, 0], [0, 5, 0, 0]]
    assert_array_equal(load_population(path, target="t", features="e[c]").features, dense)
    wide = load_population(path, target="t", features="e[c, 6]").features
    assert_array_equal(wide, np.pad(dense, ((0, 0), (0, 2))))


@jagged
def test_values_at_one_place_add_up(kind: str, tmp_path: Path) -> None:
    path = jagged_file(kind, tmp_path, e=[[1.0, 2.0], [4.0]], c=[[1, 1], [0]], t=[1, 2])
    assert_array_equal(
        load_population(path, target="t", features="e[c]").features, [[0, 3], [4, 0]]
    )


@jagged
@pytest.mark.parametrize(
    ("places", "message"),
    [
        ([[1], [7]], "holds 7; places are whole numbers from 0 to 4"),
        ([[1], [-1]], "holds -1; places"),
        ([[1], [0, 1]], "have 1 and 2 entries in row 1"),
    ],
)
def test_wrong_places(kind: str, places: list, message: str, tmp_path: Path) -> None:
    path = jagged_file(kind, tmp_path, e=[[1.0], [4.0]], c=places, t=[1, 2])
    with pytest.raises(DataError, match=message):
        load_population(path, target="t", features="e[c,5]")


@jagged
def test_lists_where_one_number_belongs(kind: str, tmp_path: Path) -> None:
    path = jagged_file(kind, tmp_path, e=[[1.0], [4.0]], g=[[1, 2], [3, 4]], t=[1, 2])
    with pytest.raises(DataError, match=r"'g' .* holds a list in each row"):
        load_population(path, target="t", features="e", groups="g")


def test_nested_lists_of_parquet_are_flattened(tmp_path: Path) -> None:
    images = np.arange(18.0).reshape(2, 3, 3)
    path = jagged_file("parquet", tmp_path, e=images.tolist(), t=[1, 2])
    features = load_population(path, target="t", features="e").features
    assert_array_equal(features, images.reshape(2, 9))


def test_matrices_of_root_are_flattened(tmp_path: Path) -> None:
    images = np.arange(18.0).reshape(2, 3, 3)
    with uproot.recreate(tmp_path / "m.root") as root:
        root.mktree("t", {"e": ("f8", (3, 3)), "y": "i4"})
        root["t"].extend({"e": images, "y": np.array([1, 2])})
    features = load_population(f"{tmp_path}/m.root", target="y", features="e").features
    assert_array_equal(features, images.reshape(2, 9))


def test_text_among_the_features_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", e=np.array(["a", "b"]), t=np.arange(2))
    with pytest.raises(DataError, match=r"'e' .* holds text such as .*'a'.*, not numbers"):
        load_population(f"{tmp_path}/a.npz", target="t", features="e")


def test_a_star_takes_columns_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    cells = {f"cell_{i}": np.full(3, float(i)) for i in (10, 9, 0, 1, 2, 11)}
    np.savez(tmp_path / "a.npz", t=np.arange(3), **cells)
    population = load_population(f"{tmp_path}/a.npz", target="t", features="cell_*")
    assert_array_equal(population.features[0], [0, 1, 2, 9, 10, 11])
    assert population.feature_names[:2] == ("cell_0", "cell_1")
    with pytest.raises(DataError, match=r"no array .* matches 'pixel_\*'"):
        load_population(f"{tmp_path}/a.npz", target="t", features="pixel_*")


@given(st.lists(st.integers(0, 300), min_size=1, max_size=12, unique=True))
def test_numbers_in_names_count_as_numbers(numbers: list[int]) -> None:
    from surefoot.data.files.columns import _natural

    names = sorted((f"c{n}_e" for n in numbers), key=_natural)
    assert names == [f"c{n}_e" for n in sorted(numbers)]


def test_a_column_may_be_called_like_a_notation(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **{"e[c]": np.ones(2), "a*": np.zeros(2)})
    with open_data_file(f"{tmp_path}/a.npz") as table:
        columns = list(itertools.chain(resolve(table, ["e[c]", "a*"])))
    assert [column.name for column in columns] == ["e[c]", "a*"]
