from __future__ import annotations

import logging
from pathlib import Path

import pytest

from surefoot.journal import Journal, mounts
from surefoot.journal.mounts import network_file_system
from tests.journal.recorded import STUDY

TABLE = r"""
22 27 0:21 / /proc rw,nosuid shared:12 - proc proc rw
27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 27 0:40 / /home rw,relatime shared:20 - nfs4 server:/export/home rw,vers=4.2
41 40 8:2 / /home/local rw,relatime - xfs /dev/sdb rw
42 27 0:42 / /data/my\040disk rw - fuse.sshfs ann@host:/ rw,user_id=0
43 27 0:43 / /afs rw - afs none rw
44 27 0:44 / /lustre rw - lustre 10.0.0.1@tcp:/scratch rw
45 27 0:45 / /gpfs rw - gpfs gpfs rw
46 27 0:46 / /over rw - nfs server:/a rw
47 27 0:47 / /over rw - tmpfs none rw
""".lstrip()


@pytest.fixture(autouse=True)
def mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    table = tmp_path / "mountinfo"
    table.write_text(TABLE)
    monkeypatch.setattr(mounts, "MOUNTS", table)
    return table


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/home/ann/race.db", "nfs4 at /home"),
        ("/home/local/race.db", ""),
        ("/homes/race.db", ""),
        ("/data/my disk/race.db", "fuse.sshfs at /data/my disk"),
        ("/afs/cern.ch/race.db", "afs at /afs"),
        ("/lustre/race.db", "lustre at /lustre"),
        ("/gpfs/race.db", "gpfs at /gpfs"),
        ("/over/race.db", ""),
        ("/tmp/race.db", ""),
    ],
)
def test_the_innermost_mount_decides(path: str, found: str) -> None:
    assert network_file_system(Path(path)) == found


def test_nothing_is_known_without_the_table(mounted: Path) -> None:
    mounted.unlink()
    assert network_file_system(Path("/home/race.db")) == ""


def test_a_journal_to_be_written_on_a_network_is_warned_of(
    mounted: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Journal.open(tmp_path / "local.db", STUDY).close()
    assert caplog.records == []
    with mounted.open("a") as table:
        table.write(f"48 27 0:48 / {tmp_path.resolve()} rw - nfs4 server:/b rw\n")
    Journal.open(tmp_path / "race.db", STUDY).close()
    (told,) = caplog.records
    assert told.levelno == logging.WARNING
    assert f"is on a network file system (nfs4 at {tmp_path.resolve()})" in told.message
    Journal.read(tmp_path / "race.db").close()
    assert len(caplog.records) == 1
