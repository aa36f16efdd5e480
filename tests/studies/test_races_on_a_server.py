"""A race whose journal is on a server ends as an undisturbed one, whatever happens meanwhile."""

from __future__ import annotations

import random
import re
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Outcome
from surefoot.journal import Journal, verify
from surefoot.studies.watch import Watcher
from tests.executors.processes import children
from tests.journal.recorded import run_script
from tests.postgres import PASSWORD, Server
from tests.studies.races import run, slow_study

RACE = """
    import sys
    from tests.studies.races import run, slow_study

    run(slow_study("fake"), sys.argv[1])
"""


def losses(place: str | Path) -> dict[object, tuple[float, bytes]]:
    with Journal.read(place) as journal:
        outcomes = journal.outcomes()
    assert len(outcomes) == verify(place).rows["outcomes"]
    return {
        (one.candidate, one.role, one.instance): (one.loss, one.curve.tobytes()) for one in outcomes
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[object, object]]:
    """The winner's key, and the losses by instance."""
    path = tmp_path_factory.mktemp("races") / "race.db"
    found = run(slow_study("fake"), path)
    return found.winner.key, losses(path)


class Doing(Watcher):
    """Does something after so many outcomes."""

    def __init__(self, after: int, what: Callable[[], object]) -> None:
        self._left, self._what = after, what

    def outcome(self, outcome: Outcome) -> None:
        self._left -= 1
        if not self._left:
            self._what()


@pytest.mark.parametrize("fault", ["sessions ended", "server crashed"])
def test_a_fault_during_a_race_changes_nothing(
    fault: str, postgres: Server, undisturbed: tuple[str, dict[object, object]]
) -> None:
    url = postgres.url(f"race-{fault[:6].strip()}")

    def crash() -> None:
        postgres.stop("immediate")
        postgres.start()

    does: Callable[[], object] = threading.Thread(target=crash).start
    if fault == "sessions ended":
        does = postgres.end_sessions
    found = run(slow_study("fake"), url, watch=Doing(40, does))
    assert (found.winner.key, losses(url)) == undisturbed
    assert str(found.journal) == url


def test_no_worker_knows_the_journal_or_its_password(postgres: Server) -> None:
    url = postgres.url("workers", f"guarded:{PASSWORD}")
    known: list[str] = []

    def look() -> None:
        for pid in children(int(Path("/proc/self").resolve().name)):
            for what in ("cmdline", "environ"):
                with suppress(OSError):  # it has ended meanwhile
                    known.append(Path(f"/proc/{pid}/{what}").read_text(errors="replace"))

    asked = slow_study("fake_processes")
    with asked.open(url) as journal, LocalExecutor(2, asked.engine) as executor:
        asked.run(journal, executor=executor, watch=Doing(5, look))
    assert any("surefoot.executors.local.worker" in one for one in known)
    assert [one for one in known if PASSWORD in one or "postgresql://" in one] == []


@pytest.mark.slow
def test_a_campaign_of_kills_loses_nothing_and_doubles_nothing(
    postgres: Server, undisturbed: tuple[str, dict[object, object]], tmp_path: Path
) -> None:
    """50 sessions ended, 5 crashes of the server and 10 writers killed, during races in turn."""
    chance = random.Random(8)
    todo = ["session"] * 50 + ["server"] * 5 + ["writer"] * 10
    chance.shuffle(todo)
    urls = [postgres.url("campaign-1")]
    with (tmp_path / "said").open("w+") as said:
        race = run_script(RACE, urls[-1], stderr=said)
        while todo or race.poll() is None:
            time.sleep(chance.uniform(0.05, 0.6))
            if not todo:
                continue
            if race.poll() is not None:
                race.communicate()
                if race.returncode == 0:
                    urls.append(postgres.url(f"campaign-{len(urls) + 1}"))
                race = run_script(RACE, urls[-1], stderr=said)
            elif todo[-1] == "server":
                postgres.stop("immediate")
                time.sleep(chance.uniform(0.0, 0.5))
                postgres.start()
                todo.pop()
            elif todo[-1] == "writer":
                race.send_signal(signal.SIGKILL)
                todo.pop()
            elif postgres.end_sessions():
                todo.pop()
        race.communicate()
        said.seek(0)
        errors = [line for line in said if re.match(r"[\w.]*(Error|Exception)\b", line)]
    # A race whose connection is lost before its journal is open, or whose killed predecessor the
    # server has not yet noticed, ends with one sentence and is started again.
    assert [line for line in errors if "in use by" not in line and "be opened" not in line] == []
    winner, expected = undisturbed
    for url in urls:
        assert run(slow_study("fake"), url).winner.key == winner
        assert losses(url) == expected
