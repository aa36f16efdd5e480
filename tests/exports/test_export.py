"""`export`: what its target says, what it refuses, and that nothing half-written stays behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import surefoot
from surefoot.errors import ConfigurationError, ExportError
from tests.exports.journals import every_kind, race
from tests.studies.races import CANDIDATES

SUFFIXES = [".csv", ".json", ".parquet", ".tex", ".npz"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    every_kind(folder)
    return folder


def test_bad_targets_are_named_and_leave_nothing_behind(folder: Path, tmp_path: Path) -> None:
    journal = folder / "select.db"
    with pytest.raises(ExportError, match=r"'.cvs': use one of .csv, .json, .parquet, .tex, .npz"):
        surefoot.export(journal, tmp_path / "o.cvs")
    with pytest.raises(ExportError, match="cannot be written: make the folder"):
        surefoot.export(journal, tmp_path / "nowhere" / "o.csv")
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(ExportError, match="cannot be written: Is a directory"):
        surefoot.export(journal, tmp_path / "d.csv")
    with pytest.raises(ConfigurationError, match="best"):
        surefoot.export(journal, tmp_path / "o.tex", best=0)
    assert [file.name for file in tmp_path.iterdir()] == ["d.csv"]


@pytest.fixture
def exported(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that exports the journal of a small race to a file of a suffix."""
    few = {"candidates": CANDIDATES[:4], "baseline": None, "screen": None}
    setting = race(tmp_path / "r.db", certify=2, **few).study.setting

    def exporting(suffix: str, **options: Any) -> Path:
        target = tmp_path / f"o{suffix}"
        done = surefoot.export(tmp_path / "r.db", target, setting=setting, **options)
        assert done.target == target
        return target

    return exporting


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_ones_own_file_is_written_again_and_no_other(
    exported: Callable[..., Path], suffix: str
) -> None:
    exported(suffix)
    target = exported(suffix)
    target.write_bytes(b"mine")
    with pytest.raises(ExportError, match="exists and surefoot did not write it"):
        exported(suffix)
    assert target.read_bytes() == b"mine"
    exported(suffix, overwrite=True)
    assert target.read_bytes() != b"mine"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_on_a_full_disk_the_file_before_stays(
    exported: Callable[..., Path], suffix: str, full_disk: Callable[[], None]
) -> None:
    target = exported(suffix)
    before = target.read_bytes()
    full_disk()
    with pytest.raises(ExportError, match=r"cannot be written: .*[lL]arge"):
        exported(suffix)
    assert target.read_bytes() == before
    assert {one.suffix for one in target.parent.iterdir()} == {".db", suffix}


@pytest.mark.parametrize(
    "kind",
    [
        "select",
        "assess",
        "promise",
        "variance",
        "sample_size",
        "compare",
        "grid",
        "search",
        "pilot",
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".tex"])
def test_every_kind_of_journal_is_a_table(
    folder: Path, tmp_path: Path, kind: str, suffix: str
) -> None:
    done = surefoot.export(folder / f"{kind}.db", tmp_path / f"o{suffix}")
    assert done.count > 0
    assert str(done).startswith(str(tmp_path))
