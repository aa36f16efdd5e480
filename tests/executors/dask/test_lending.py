from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from distributed import Client

from surefoot.errors import EngineError
from surefoot.executors.dask import lending
from surefoot.executors.dask.data import SentSetting
from surefoot.executors.dask.executor import DaskExecutor
from surefoot.executors.dask.lending import hold
from tests.executors.processes import ROOT
from tests.fakes import Fake, fake_setting, instances

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are of Linux"),
]
HEAD, ARRAYS = b"head", [np.arange(5000, dtype=np.uint8), np.zeros(0, np.uint8)]


def files() -> list[str]:
    """Return the temporary files without a name that this process has mapped."""
    lines = [line.split(maxsplit=5) for line in Path("/proc/self/maps").read_text().splitlines()]
    named = [line for line in lines if len(line) == 6]
    return [
        line[4]
        for line in named
        if line[5].startswith(tempfile.gettempdir()) and line[5].endswith("(deleted)")
    ]


def equal(arrays: list[Any]) -> bool:
    return all(bytes(one) == bytes(own) for one, own in zip(arrays, ARRAYS, strict=True))


def test_the_second_gets_what_the_first_has() -> None:
    before = set(files())
    first = hold("a", HEAD, ARRAYS)
    second, other = hold("a", b"not used", []), hold("b", HEAD, ARRAYS)
    assert [one.counter is None for one in (first, second, other)] == [False, True, False]
    assert second.head == HEAD
    assert equal(first.arrays)
    assert equal(second.arrays)
    assert len(set(files()) - before) == 2
    second.arrays[0][0] = 7
    assert equal(first.arrays), "nothing that one does to its arrays reaches another"
    first.close()
    deadline = time.monotonic() + 5.0
    while (again := hold("a", HEAD, ARRAYS)).counter is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert again.counter is not None, "when it lends no more, the next one does"
    assert bytes(second.arrays[0][1:]) == bytes(ARRAYS[0][1:]), "what was lent stays"
    again.close()
    other.close()
    del first, second, other, again
    gc.collect()
    assert set(files()) <= before


def test_a_lender_that_dies_leaves_nothing() -> None:
    script = (
        "import sys, numpy as np\n"
        "from surefoot.executors.dask.lending import hold\n"
        "hold('d', b'head', [np.arange(5000, dtype=np.uint8), np.zeros(0, np.uint8)])\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        borrowed = hold("d", b"", [])
        assert borrowed.counter is None
        assert equal(borrowed.arrays)
        process.kill()
    assert equal(borrowed.arrays)
    own = hold("d", HEAD, ARRAYS)
    assert own.counter is not None
    own.close()


def test_what_cannot_be_shared_stays_as_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (EngineError("the disk is full"), FileNotFoundError("no temporary folder")):
        with monkeypatch.context() as patch:
            patch.setattr(lending, "shared", Mock(side_effect=error))
            assert hold("c", HEAD, ARRAYS).arrays[0] is ARRAYS[0]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        assert hold("c", HEAD, ARRAYS).arrays[0] is ARRAYS[0]
    with socket.socket(socket.AF_UNIX) as squatter:
        squatter.bind(f"\0surefoot-{os.getuid()}-c")
        assert hold("c", HEAD, ARRAYS).arrays[0] is ARRAYS[0], "nobody answers"
    lender = hold("c", HEAD, ARRAYS)
    with monkeypatch.context() as patch:
        patch.setattr(lending, "_user", lambda _: -1)
        assert hold("c", b"", ARRAYS[:1]).arrays[0] is ARRAYS[0], "it is somebody else's"
    lender.close()


def mapped_files(key: str, dask_worker: Any) -> tuple[set[str], list[str]]:
    """Return a worker's files without a name, and what holds the arrays that Dask keeps there."""
    _, *arrays = dask_worker.data[key]
    return set(files()), [type(getattr(one.base, "obj", one.base)).__name__ for one in arrays]


def test_workers_of_a_machine_have_one_copy_of_the_data(processes: DaskExecutor) -> None:
    # Data of this process alone: workers of another would lend equal ones to these.
    setting, todo = fake_setting(1000 + os.getpid() % 5000), instances(Fake(seconds=0.05), 20)
    with DaskExecutor(processes.cluster.client, "fake") as executor:
        list(executor.run(todo, setting))
        key = executor.connection.data(setting).key
        first, second = processes.cluster.client.run(mapped_files, key).values()
        assert first[0] & second[0], "they map the same file"
        assert set(first[1]) == set(second[1]) == {"mmap"}, "and keep no other copy"


def test_equal_settings_are_sent_once(threads: Client) -> None:
    with DaskExecutor(threads, "fake") as executor:
        connection = executor.connection
        connection.roll_call()
        first = connection.data(fake_setting())
        assert connection.data(fake_setting()) is first
        assert connection.digest(fake_setting()) == SentSetting.of(fake_setting()).digest
        assert connection.data(fake_setting(size=21)) is not first
