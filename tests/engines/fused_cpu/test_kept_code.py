from pathlib import Path

import pytest

from surefoot.engines.fused_cpu import training
from surefoot.engines.fused_cpu.kept_code import STAMP, forget_stale


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    folder = tmp_path / "kept"
    folder.mkdir()
    for name in ("a.nbi", "a.1.nbc", "other.pyc"):
        (folder / name).touch()
    return folder


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "kernel.py").write_text("one = 1")
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_code_of_unknown_sources_is_forgotten_and_nothing_else(kept: Path, sources: Path) -> None:
    forget_stale(kept, [sources])
    assert names(kept) == {"other.pyc", STAMP}


def test_code_stays_until_any_source_changes(kept: Path, sources: Path, tmp_path: Path) -> None:
    other = tmp_path / "more"
    other.mkdir()
    forget_stale(kept, [sources, other])
    (kept / "a.nbi").touch()
    forget_stale(kept, [sources, other])
    assert "a.nbi" in names(kept)
    (other / "new.py").touch()
    forget_stale(kept, [sources, other])
    assert "a.nbi" not in names(kept)


def test_a_folder_that_is_not_there_yet_is_made(sources: Path, tmp_path: Path) -> None:
    forget_stale(tmp_path / "later", [sources])
    assert names(tmp_path / "later") == {STAMP}


def test_where_nothing_can_be_written_nothing_happens(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    forget_stale(tmp_path / "file", [sources])


def test_the_engine_has_looked_at_its_own_code() -> None:
    assert (Path(training.train.stats.cache_path) / STAMP).exists()
