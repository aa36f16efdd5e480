"""Checkpoints spare time and decide nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from surefoot.checkpoints import Checkpoint, CheckpointStore, _read, _written

ONE = Checkpoint(
    np.array([0.5, 0.25], np.float32),
    np.empty(0, np.float32),
    1 / 3,
    {"params": np.arange(6.0), "step": np.array(3.0, np.float32)},
)


def content(checkpoint: Checkpoint | None) -> object:
    assert checkpoint is not None
    inner = {name: (a.dtype, a.shape, a.tobytes()) for name, a in checkpoint.arrays.items()}
    return checkpoint.curve.tobytes(), checkpoint.plain.tobytes(), checkpoint.seconds, inner


@given(arrays.arrays(np.float32, arrays.array_shapes(min_dims=0)), st.floats(0, 1e9))
def test_what_is_written_is_read(values: np.ndarray, seconds: float) -> None:
    one = replace(ONE, seconds=seconds, arrays={"x": values, "curve": values})
    assert content(_read(_written(one))) == content(one)


@given(st.data())
def test_a_changed_byte_is_noticed_or_means_nothing(data: st.DataObject) -> None:
    written = bytearray(_written(ONE))
    place = data.draw(st.integers(0, len(written) - 1))
    written[place] ^= data.draw(st.integers(1, 255))
    with TemporaryDirectory() as folder:
        store = CheckpointStore(Path(folder), "")
        store.save("aa", ONE)
        (file,) = Path(folder).glob("*/*")
        file.write_bytes(written)
        read = store.load("aa")
    assert read is None or content(read) == content(ONE)


def test_a_name_is_of_one_training_of_one_study(tmp_path: Path) -> None:
    store, other = CheckpointStore(tmp_path, "a"), CheckpointStore(tmp_path, "b")
    name = store.name("engine", 1)
    assert name not in (store.name("engine", 2), other.name("engine", 1))
    assert store.load(name) is None
    store.save(name, ONE)
    assert content(store.load(name)) == content(ONE)
    later = replace(ONE, seconds=2.0)
    store.save(name, later)
    assert content(CheckpointStore(tmp_path, "a").load(name)) == content(later)
    assert len(list(tmp_path.glob("*/*"))) == 1
    store.discard(name)
    assert (store.load(name), list(tmp_path.glob("*/*"))) == (None, [])


@pytest.mark.parametrize("damage", [b"", b"PK", b"not a file of numpy"])
def test_a_damaged_one_is_none(tmp_path: Path, damage: bytes) -> None:
    store = CheckpointStore(tmp_path, "")
    store.save(store.name(), ONE)
    (file,) = tmp_path.glob("*/*")
    file.write_bytes(damage)
    assert store.load(store.name()) is None


def test_what_cannot_be_kept_is_not(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = CheckpointStore(tmp_path / "file", "")
    store.save("aa", ONE)
    store.trim()
    store.remove()
    assert store.load("aa") is None


def test_the_least_useful_go_first(tmp_path: Path) -> None:
    """Of equal size, those that took the shortest."""
    store = CheckpointStore(tmp_path, "", limit=2500)
    names = [store.name(number) for number in range(8)]
    for number, name in enumerate(names):
        store.save(name, replace(ONE, seconds=float((5 * number) % 8)))
    store.trim()
    left = [number for number, name in enumerate(names) if store.load(name) is not None]
    assert sorted((5 * number) % 8 for number in left) == list(range(8 - len(left), 8))
    assert 0 < sum(file.stat().st_size for file in tmp_path.glob("*/*")) <= 2500
    store.remove()
    assert not tmp_path.exists()
