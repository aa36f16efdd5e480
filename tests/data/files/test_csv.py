"""CSV files: types by column, what is missing by column and line, and all columns as features."""

from __future__ import annotations

import contextlib
import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from surefoot.data.files import load_population, open_data_file
from surefoot.errors import DataError

HOUSES = """rooms,area,near sea,district,price
3,70.5,true,Hill,210
2,55,false,Valley,150.5
5,120,true,Hill,399
4,91,false,"Old, town",280
"""


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    path = tmp_path / "houses.csv"
    path.write_text(HOUSES)
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_columns_have_the_types_that_all_their_cells_have(
    houses: Path, separator: str, encoding: str, end: str
) -> None:
    frame = pd.read_csv(houses)
    frame.to_csv(houses, sep=separator, index=False, encoding=encoding, lineterminator=end)
    with open_data_file(str(houses)) as file:
        assert (file.columns, file.rows) == (list(frame.columns), 4)
        (chunk,) = file.chunks(file.columns)
    kinds = {name: values.dtype.kind for name, values in chunk.items()}
    assert kinds == {"rooms": "f", "area": "f", "near sea": "b", "district": "U", "price": "f"}
    for name, values in chunk.items():
        assert_array_equal(values, frame[name].to_numpy())


@given(
    rows=st.lists(st.lists(st.floats(width=32), min_size=2, max_size=2), min_size=1),
    size=st.integers(1, 5),
)
def test_numbers_are_read_bit_for_bit_whatever_the_chunk(rows, size, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("csv") / "n.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([["a", "b"], *rows])
    with open_data_file(str(path)) as file:
        chunks = list(file.chunks(["b", "a"], size))
    assert all(len(chunk["a"]) <= size for chunk in chunks)
    for place, name in enumerate("ab"):
        read = np.concatenate([chunk[name] for chunk in chunks])
        assert_array_equal(read, np.array([row[place] for row in rows]))


def test_all_columns_but_the_target_are_features(houses: Path) -> None:
    frame = pd.read_csv(houses).drop(columns="district")
    frame.to_csv(houses, index=False)
    population = load_population(str(houses), target="price")
    assert population.feature_names == ("rooms", "area", "near sea")
    assert_array_equal(population.features[:, 2], [1, 0, 1, 0])
    assert_array_equal(population.target[:, 0], frame["price"].to_numpy(np.float32))
    grouped = load_population(str(houses), target="price", groups="rooms", side=["area"])
    assert grouped.feature_names == ("near sea",)
    parquet = houses.with_suffix(".parquet")
    frame.to_parquet(parquet)
    assert load_population(str(parquet), target="price").fingerprint == population.fingerprint
    with pytest.raises(DataError, match="no column left for the features"):
        load_population(str(houses), target=["price", "rooms", "area", "near sea"])


def test_text_is_classes_of_the_target_and_named_among_the_features(houses: Path) -> None:
    population = load_population(str(houses), target="district", features=["rooms", "area"])
    assert population.classes == ("Hill", "Old, town", "Valley")
    with pytest.raises(DataError, match=r"column 'district' of .*houses.csv holds .* 'Hill', not"):
        load_population(str(houses), target="price")


@pytest.mark.parametrize("nothing", ["", " ", "NA", "nan", "null"])
def test_what_is_missing_is_named_by_column_and_line(houses: Path, nothing: str) -> None:
    houses.write_text(HOUSES.replace("55", nothing).replace("Valley", nothing))
    with pytest.raises(DataError, match=r"column 'area' of .*houses.csv holds nan in line 3"):
        load_population(str(houses), target="price", features=["rooms", "area"])
    with pytest.raises(DataError, match=r"column 'district' of .*csv holds nothing in line 3"):
        load_population(str(houses), target="district", features=["rooms"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty: its first line must name its columns"),
        ("\n1,2\n", "is empty: its first line must name its columns"),
        ("a,,b\n1,2,3\n", "has no name for column 2: give one"),
        ("a,b,a\n1,2,3\n", "has 2 columns of the name 'a': rename them"),
        ("a,b\n1,2\n1,2,3\n", "has 3 cells in line 3, but 2 columns: quote cells that hold ','"),
        ("a,b\n", "holds no rows"),
        ('a,b\n1,"2\n', "cannot be read: it is truncated, damaged or no CSV file"),
        (b"a,b\n\xff,\xfe\n", "cannot be read: it is truncated, damaged or no CSV file"),
        ("a,b\n1,1e999\n", "column 'b' of .* holds inf in line 2"),
    ],
)
def test_a_file_that_is_no_table_is_one_sentence(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=said) as told:
        load_population(str(path), target="a", features="b")
    assert "\n" not in str(told.value)


@given(content=st.text(st.sampled_from('a1,;"\n\t \x00é.'), max_size=40))
def test_whatever_is_in_a_file_is_read_or_refused(
    content: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    path.write_text(content)
    with contextlib.suppress(DataError), open_data_file(str(path)) as file:
        chunks = list(file.chunks(file.columns[:1], 3))
        assert sum(len(chunk[file.columns[0]]) for chunk in chunks) == file.rows
