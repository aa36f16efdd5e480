from __future__ import annotations

from pathlib import Path

import pytest

from surefoot.executors import lost


@pytest.mark.parametrize(
    ("code", "outside"), [(0, False), (7, False), (-9, True), (-15, True), (-1, True), (-11, False)]
)
def test_crashes_are_told_from_kills(code: int, outside: bool) -> None:
    assert lost.from_outside(code) is outside


def test_names_of_signals() -> None:
    assert (lost.signal_name(-9), lost.signal_name(-63)) == ("SIGKILL", "signal 63")


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({}, 0),
        ({"/proc/vmstat": "nr_free 3\noom_kill 4\n"}, 4),
        (
            {
                "/proc/self/cgroup": "4:memory:/x\n0::/job/1\n",
                "/sys/fs/cgroup/job/1/memory.events": "oom 9\noom_kill 2\n",
                "/proc/vmstat": "oom_kill 4\n",
            },
            2,
        ),
        ({"/proc/self/cgroup": "0::/\n", "/proc/vmstat": "oom_kill 4\n"}, 4),
    ],
)
def test_the_group_s_memory_kills_are_counted_before_the_machines(
    files: dict[str, str], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost, "_read", lambda path: files.get(str(path), ""))
    assert lost.memory_kills() == count


def test_what_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    assert lost._read(tmp_path / "none") == ""
