"""What every reader must do, whole files and broken ones, and what is special to a kind."""

import builtins
from pathlib import Path

import numpy as np
import pytest
import uproot
from numpy.testing import assert_array_equal

from surefoot.data.files import load_population, open_data_file
from surefoot.errors import DataError, MissingExtraError
from tests.data.files.conftest import Columns, Write


@pytest.mark.parametrize("rows", [1, 7, 25, 60, 1000])
def test_chunks_hold_all_rows_once(rows: int, kind: str, write: Write, columns: Columns) -> None:
    with open_data_file(write(kind, columns, rows=20)) as table:
        chunks = list(table.chunks(["energy", "deposits"], rows))
        assert table.rows == 60
    for name in ("energy", "deposits"):
        assert_array_equal(np.concatenate([chunk[name] for chunk in chunks]), columns[name])
    assert all(len(chunk["energy"]) <= rows for chunk in chunks)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_any_number_type_is_read(dtype: str, kind: str, write: Write) -> None:
    values = np.arange(60).reshape(20, 3).astype(dtype)
    path = write(kind, {"e": values, "t": np.arange(20).astype(dtype)})
    population = load_population(path, target="t", features="e")
    assert_array_equal(population.features, values.astype(np.float32))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.3, 0.6, 0.9])
def test_truncated_files_are_one_sentence(
    share: float, kind: str, write: Write, columns: Columns
) -> None:
    path = Path(write(kind, columns))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match="cannot be read: it is truncated, damaged or no") as told:
        load_population(str(path), target="energy", features="deposits")
    assert "\n" not in str(told.value)


def test_other_files_are_one_sentence(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"text.{kind}"
    path.write_text("this is a letter, not a table\n" * 40)
    with pytest.raises(DataError, match="cannot be read"):
        load_population(str(path), target="energy", features="deposits")
    folder = tmp_path / f"folder.{kind}"
    folder.mkdir()
    with pytest.raises(DataError, match="is not a file"):
        open_data_file(str(folder))


def test_an_empty_table_is_one_sentence(kind: str, write: Write, columns: Columns) -> None:
    empty = {name: values[:0] for name, values in columns.items()}
    path = write(kind, columns)
    if kind == "root":
        with uproot.recreate(path) as root:
            root.mktree("t", {"deposits": ("f4", (9,)), "energy": "f4"})
    elif kind == "npz":
        np.savez(path, **empty)
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(
            pa.table({"deposits": pa.array([], pa.float32()), "energy": [0.0][:0]}), path
        )
    with pytest.raises(DataError, match="holds no rows"):
        load_population(path, target="energy", features="deposits")


def test_a_tree_is_named_where_there_are_several(tmp_path: Path) -> None:
    path = tmp_path / "two.root"
    with uproot.recreate(path) as root:
        for name in ("first", "folder/second"):
            root.mktree(name, {"e": ("f4", (2,)), "t": "f4"})
            root[name].extend({"e": np.ones((3, 2)), "t": np.arange(3)})
    with pytest.raises(DataError, match=r"does not hold one tree \(first, folder/second\)"):
        load_population(str(path), target="t", features="e")
    with pytest.raises(DataError, match="has no tree 'frist': did you mean 'first'"):
        load_population(f"{path}:frist", target="t", features="e")
    assert len(load_population(f"{path}:folder/second", target="t", features="e")) == 3


def test_a_file_without_trees(tmp_path: Path) -> None:
    path = tmp_path / "histogram.root"
    with uproot.recreate(path) as root:
        root["h"] = np.histogram(np.arange(5))
    with pytest.raises(DataError, match=r"does not hold one tree \(none\)"):
        open_data_file(str(path))


def test_an_rntuple_is_a_tree(tmp_path: Path) -> None:
    path = tmp_path / "ntuple.root"
    with uproot.recreate(path) as root:
        root.mkrntuple("n", {"e": np.ones((4, 2)), "t": np.arange(4.0)})
    assert load_population(f"{path}:n", target="t", features="e").features.shape == (4, 2)


def test_only_root_files_have_trees(write: Write, columns: Columns) -> None:
    with pytest.raises(DataError, match="only ROOT files have trees"):
        open_data_file(write("npz", columns) + ":tree")
    with pytest.raises(DataError, match="is no data file"):
        open_data_file("table.xlsx")


def test_npz_of_columns_first_order_and_compressed(tmp_path: Path) -> None:
    values = np.asfortranarray(np.arange(40.0).reshape(20, 2))
    np.savez_compressed(tmp_path / "a.npz", e=values, t=np.arange(20))
    with open_data_file(f"{tmp_path}/a.npz") as table:
        chunks = [chunk["e"] for chunk in table.chunks(["e"], 6)]
    assert [len(chunk) for chunk in chunks] == [6, 6, 6, 2]
    assert_array_equal(np.concatenate(chunks), values)


def test_npz_arrays_must_agree_in_length(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", e=np.ones((4, 2)), t=np.ones(5))
    with pytest.raises(DataError, match=r"'t' .* has 5 rows but 'e' has 4"):
        load_population(f"{tmp_path}/a.npz", target="t", features="e")


def test_npz_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", e=np.array([{}, []], dtype=object), t=np.ones(2))
    with pytest.raises(DataError, match="never unpickled"):
        load_population(f"{tmp_path}/a.npz", target="t", features="e")


def test_missing_values_of_parquet(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"e": [1.0, None, 3.0], "l": [[1.0], None, [2.0]], "t": [1, 2, 3]}), path
    )
    with pytest.raises(DataError, match=r"column 'e' of .*a.parquet holds nan in row 1"):
        load_population(str(path), target="t", features="e")
    with pytest.raises(DataError, match=r"'l' .* has missing values"):
        load_population(str(path), target="t", features="l")


def test_parquet_dictionaries_are_text(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "a.parquet"
    labels = pa.array(["a", "b", "a"]).dictionary_encode()
    pq.write_table(pa.table({"e": [1.0, 2.0, 3.0], "t": labels}), path)
    assert load_population(str(path), target="t", features="e").classes == ("a", "b")


def test_without_pyarrow_the_extra_is_named(
    write: Write, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("parquet", columns)
    real = builtins.__import__

    def refuse(name: str, *arguments: object, **options: object) -> object:
        if name.startswith("pyarrow"):
            raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")
        return real(name, *arguments, **options)

    import importlib

    monkeypatch.setattr(importlib, "import_module", lambda name: refuse(name))
    with pytest.raises(MissingExtraError, match=r"pip install 'surefoot\[parquet\]'"):
        open_data_file(path)


def test_metadata_of_other_files_is_empty(tmp_path: Path, write: Write, columns: Columns) -> None:
    np.savez(tmp_path / "a.npz", e=np.ones(3), metadata=np.arange(3))
    with open_data_file(f"{tmp_path}/a.npz") as table:
        assert table.metadata == {}
    with uproot.recreate(tmp_path / "a.root") as root:
        root["metadata"] = "not json"
        root.mktree("t", {"e": "f4"})
    with open_data_file(f"{tmp_path}/a.root") as table:
        assert table.metadata == {}
