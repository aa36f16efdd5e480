"""Files in the way: surefoot's own are replaced, others only when that is asked for."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from surefoot.errors import DataError, ExportError
from surefoot.replacing import MARK, check_target, overwriting, replaced


def test_a_file_of_ones_own_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    for content in (
        b"",
        MARK.encode(),
        b"\0" * 100_000 + MARK.encode() + b"\0" * 60_000,
        b"rank,loss\n1,2\n",
    ):
        file.write_bytes(content)
        check_target(file, [".png"], heads=(b"rank,loss",))


@pytest.mark.parametrize("content", [b"holidays", b"\0" * 70_000 + MARK.encode() + b"\0" * 70_000])
def test_a_file_of_others_is_not_replaced_unless_that_is_asked_for(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(content)
    refused = r"figure '.*a\.png' exists and surefoot did not write it: give another name"
    with pytest.raises(ExportError, match=refused):
        check_target(file, [".png"], "figure ")
    with overwriting(), overwriting(False):
        check_target(file, [".png"])
    with overwriting(False), pytest.raises(ExportError, match="--overwrite"):
        check_target(file, [".png"])


def test_a_file_that_is_read_only_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_text(MARK)
    file.chmod(0o444)
    with overwriting(), pytest.raises(ExportError, match=r"'.*a\.png' is read-only: make it wri"):
        check_target(file, [".png"])


def test_a_write_that_fails_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("before")

    def fill() -> None:
        with replaced(file, DataError) as part:
            part.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DataError, match="cannot be written: No space left on device"):
        fill()
    assert file.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]
    with replaced(file, DataError) as part:
        part.write_text("after")
    assert file.read_text() == "after"
