import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_array_equal

from surefoot.data.files import load_population, open_data_file, write_data_file
from surefoot.errors import DataError
from tests.data.files.conftest import KINDS, Columns, Write

finite = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(
    kind=st.sampled_from(KINDS),
    images=hnp.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 5)), elements=finite),
    rows=st.integers(1, 9),
)
@settings(max_examples=40)
def test_what_is_written_is_read_bit_for_bit(
    kind: str, images: np.ndarray, rows: int, tmp_path: Path
) -> None:
    path = tmp_path / f"t.{kind}"
    number = np.arange(len(images))
    write_data_file(
        path,
        (
            {"e": images[start : start + rows], "n": number[start : start + rows]}
            for start in range(0, len(images), rows)
        ),
    )
    population = load_population(str(path), target="n", features="e", groups="n")
    assert population.features.tobytes() == images.tobytes()
    assert_array_equal(population.groups, number)


def test_metadata_come_back(kind: str, write: Write, columns: Columns) -> None:
    metadata = {"units": {"energy": "GeV"}, "noise": 0.5, "seed": 2**60}
    with open_data_file(write(kind, columns, metadata=metadata)) as table:
        assert table.metadata == metadata


def test_a_failed_stream_leaves_nothing(kind: str, tmp_path: Path, columns: Columns) -> None:
    path = tmp_path / f"t.{kind}"

    def broken():
        yield columns
        raise RuntimeError("simulation stopped")

    with pytest.raises(RuntimeError, match="simulation stopped"):
        write_data_file(path, broken())
    assert list(tmp_path.iterdir()) == []


def test_a_failed_stream_keeps_the_old_file(kind: str, write: Write, columns: Columns) -> None:
    path = Path(write(kind, columns))
    before = path.read_bytes()
    with pytest.raises(DataError, match="nothing to write"):
        write_data_file(path, [])
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_the_final_name_appears_only_when_complete(
    kind: str, tmp_path: Path, columns: Columns
) -> None:
    path = tmp_path / f"t.{kind}"

    def watched():
        for _ in range(3):
            yield columns
            assert not path.exists()

    assert write_data_file(path, watched()) == 180
    assert path.exists()


def test_where_nothing_can_be_written(tmp_path: Path, columns: Columns) -> None:
    with pytest.raises(DataError, match=r"must end in \.root, \.npz or \.parquet"):
        write_data_file(tmp_path / "t.csv", [columns])
    with pytest.raises(DataError, match="cannot be written: No such file"):
        write_data_file(tmp_path / "missing" / "t.root", [columns])


def test_a_full_disk_is_one_sentence(kind: str, tmp_path: Path) -> None:
    columns = {"e": np.random.default_rng(1).normal(size=(3000, 9))}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(DataError, match=r"t\.\w+ cannot be written: .*File too large"):
            write_data_file(tmp_path / f"t.{kind}", [columns] * 3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
