"""A race whose journal is on a server ends as an undisturbed one, whatever happens meanwhile."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from surefoot.errors import JournalError
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
            files = (Path(f"/proc/{pid}/{what}") for what in ("cmdline", "environ"))
            known.extend(file.read_text(errors="replace") for file in files)

    asked = slow_study("fake_processes")
    with asked.open(url) as journal, LocalExecutor(2, asked.engine) as executor:
        asked.run(journal, executor=executor, watch=Doing(5, look))
    assert any("surefoot.executors.local.worker" in one for one in known)
    assert [one for one in known if PASSWORD in one or "postgresql://" in one] == []


@pytest.mark.slow
def test_a_campaign_of_kills_loses_nothing_and_doubles_nothing(
    postgres: Server, undisturbed: tuple[str, dict[object, object]]
) -> None:
    """At least 50 sessions ended, 5 crashes of the server and 10 writers killed, in some order."""
    url, chance = postgres.url("campaign"), random.Random(8)
    todo = ["session"] * 50 + ["server"] * 5 + ["writer"] * 10
    chance.shuffle(todo)
    race = run_script(RACE, url)
    while todo:
        time.sleep(chance.uniform(0.05, 0.6))
        if race.poll() is not None:
            assert race.returncode == 0
            url = postgres.url(f"campaign-{len(todo)}")
            race = run_script(RACE, url)
            continue
        what = todo.pop()
        if what == "session":
            if not postgres.end_sessions():
                todo.append(what)
        elif what == "server":
            postgres.stop("immediate")
            time.sleep(chance.uniform(0.0, 0.5))
            postgres.start()
        else:
            race.send_signal(signal.SIGKILL)
            race.communicate()
            race = restarted(url)
    race.communicate()
    assert race.returncode == 0
    winner, expected = undisturbed
    assert run(slow_study("fake"), url).winner.key == winner
    assert losses(url) == expected


def restarted(url: str, within: float = 20.0) -> object:
    """Start the race again as soon as the server has noticed that its writer is dead."""
    end = time.monotonic() + within
    while True:
        try:
            slow_study("fake").open(url).close()
        except JournalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return run_script(RACE, url)
