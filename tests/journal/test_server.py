"""Journals on a PostgreSQL server: faults, locks, passwords. Their promises: test_conformance."""

from __future__ import annotations

import itertools
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import JournalError, MissingExtraError
from surefoot.journal import Journal, journals_at, verify
from surefoot.journal.server import JournalServer, lock_of
from surefoot.places import Place
from tests.journal.recorded import FAKE, HOLDER, STUDY, outcome, run_script, same
from tests.postgres import PASSWORD, Server

_numbers = itertools.count()


@pytest.fixture
def study() -> str:
    return f"test-{next(_numbers)}"


@pytest.fixture
def url(postgres: Server, study: str) -> str:
    return postgres.url(study)


def numbers(url: str) -> list[int]:
    with Journal.read(url) as journal:
        return [one.instance for one in journal.outcomes()]


@given(
    losses=st.lists(st.floats(allow_nan=False), min_size=1, max_size=20),
    curve=st.lists(st.floats(width=32), max_size=5),
    message=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    seconds=st.floats(0, 1e9),
)
@settings(max_examples=15)
def test_every_number_survives_bit_for_bit(
    postgres: Server, losses: list[float], curve: list[float], message: str, seconds: float
) -> None:
    given = [
        outcome(number, loss, curve=np.array(curve, np.float32), message=message, seconds=seconds)
        for number, loss in enumerate(losses)
    ]
    with Journal.open(postgres.url(f"every-{next(_numbers)}"), STUDY, [FAKE]) as journal:
        journal.add(*given)
        assert all(map(same, journal.outcomes(), given))


def test_a_changed_row_is_refused_with_its_place(postgres: Server, study: str, url: str) -> None:
    with Journal.open(url, STUDY, [FAKE]) as journal:
        journal.add(*map(outcome, range(5)))
    postgres.sql(f'UPDATE "surefoot_{study}".outcomes SET loss = 0.2 WHERE id = 4')
    place = r"was changed after it was written: row 4 of its table 'outcomes' \(instance 3 of fake"
    for attempt in (Journal.read, lambda url: Journal.open(url, STUDY), verify):
        with pytest.raises(JournalError, match=place):
            attempt(url)


def test_the_second_writer_is_told_who_the_first_is(url: str) -> None:
    with Journal.open(url, STUDY, [FAKE]):
        who = rf"in use by another surefoot \(process {os.getpid()} on \S+, since \d{{4}}-.*Z\); "
        with pytest.raises(JournalError, match=who):
            Journal.open(url, STUDY)
        assert [busy for place, busy in journals_at(Place.of(url))] == [True]
    assert [busy for place, busy in journals_at(Place.of(url))] == [False]


def test_the_lock_of_a_killed_writer_is_free(url: str) -> None:
    holder = run_script(HOLDER, url)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(JournalError, match=f"process {holder.pid} on"):
        Journal.open(url, STUDY)
    holder.send_signal(signal.SIGKILL)
    rest, _ = holder.communicate()
    shown = [int(line) for line in rest.splitlines() if rest.endswith("\n")]
    with opened(url) as journal:
        assert journal.count() >= max(shown, default=1)
    assert numbers(url) == list(range(len(numbers(url))))


def opened(url: str, within: float = 10.0) -> Journal:
    """Open a journal whose writer was killed, as soon as the server has noticed."""
    end = time.monotonic() + within
    while True:
        try:
            return Journal.open(url, STUDY, [FAKE])
        except JournalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def test_ended_sessions_are_made_again(postgres: Server, url: str) -> None:
    with Journal.open(url, STUDY, [FAKE]) as journal, Journal.read(url) as reader:
        for number in range(5):
            journal.add(outcome(number))
            assert postgres.end_sessions() >= 2
            assert [one.instance for one in reader.catch_up()] == [number]
        assert len(journal.outcomes()) == 5
        with pytest.raises(JournalError, match="in use"):
            Journal.open(url, STUDY)
    assert numbers(url) == list(range(5))
    assert verify(url).rows["outcomes"] == 5


@pytest.fixture
def failing(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let the next commit lose its connection, before or after the server has done it."""

    def fail(when: str) -> None:
        commit = psycopg.Connection.commit

        def commits(connection: psycopg.Connection) -> None:
            monkeypatch.undo()
            if when == "after":
                commit(connection)
            postgres.end_sessions()
            connection.execute("SELECT 1")

        monkeypatch.setattr(psycopg.Connection, "commit", commits)

    return fail


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_of_unknown_fate_is_there_once(
    when: str, url: str, failing: Callable[[str], None]
) -> None:
    batch = [outcome(0), outcome(1)]
    with Journal.open(url, STUDY, [FAKE]) as journal:
        failing(when)
        journal.add(*batch)
        journal.add(outcome(2))
    with Journal.read(url) as reader:
        assert all(map(same, reader.outcomes(), [*batch, outcome(2)]))
    assert verify(url).rows["outcomes"] == 3


def test_a_crashed_server_is_waited_for(
    postgres: Server, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def crash() -> None:
        postgres.stop("immediate")
        time.sleep(2.0)
        postgres.start()

    with Journal.open(url, STUDY, [FAKE]) as journal, caplog.at_level(logging.WARNING):
        journal.add(outcome(0))
        crashing, number = threading.Thread(target=crash), 1
        crashing.start()
        while crashing.is_alive() or number < 20:
            journal.add(outcome(number))
            number += 1
        crashing.join()
    assert numbers(url) == list(range(number))
    assert verify(url).rows["outcomes"] == number
    told = [record.message for record in caplog.records]
    assert "waiting up to 600 s for the server" in told[0]
    assert "is there again" in told[1]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JournalServer, "patience", 0.2)
    monkeypatch.setattr(JournalServer, "readers_patience", 0.2)


@pytest.mark.usefixtures("impatient")
def test_a_server_that_stays_away_ends_it_resumably(postgres: Server, url: str) -> None:
    words = r"could not be reached for 0.2 s \(.*\): what is recorded is kept; run the same command"
    with Journal.open(url, STUDY, [FAKE]) as journal, Journal.read(url) as reader:
        journal.add(outcome(0))
        postgres.stop()
        try:
            for one in (journal, reader):
                with pytest.raises(JournalError, match=words):
                    one.outcomes()
            with pytest.raises(JournalError, match=words):
                journal.add(outcome(1))
        finally:
            postgres.start()
        assert len(reader.outcomes()) == 1
        journal.add(outcome(1))
    with Journal.open(url, STUDY, [FAKE]) as journal:
        journal.add(outcome(2))
    assert numbers(url) == [0, 1, 2]


def test_whose_lock_was_taken_meanwhile_writes_nothing(postgres: Server, url: str) -> None:
    with Journal.open(url, STUDY, [FAKE]) as first:
        first.add(outcome(0))
        postgres.end_sessions()
        holder = run_script(
            HOLDER.replace("outcome(0)", "outcome(1)").replace("number = 1", "number = 2"), url
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(JournalError, match=rf"taken over by another .*process {holder.pid} on"):
            first.add(outcome(7))
        holder.kill()
        holder.communicate()
        opened(url).close()
        with pytest.raises(JournalError, match="was written to by another surefoot while"):
            first.add(outcome(7))
    assert 7 not in numbers(url)[:2]
    verify(url)


def test_a_session_of_ours_that_the_server_still_has_is_ended(postgres: Server, url: str) -> None:
    """As after a cut cable, when the server has not noticed yet that nobody is there."""
    with Journal.open(url, STUDY, [FAKE]) as journal:
        store = journal.store
        assert isinstance(store, JournalServer)
        lost, store._connection = store._connection, None
        journal.add(outcome(0))
        assert lost is not None
        assert len(_holders(postgres, url)) == 1
        with pytest.raises(Exception, match="terminating connection"):
            lost.exec_driver_sql("SELECT 1")
    assert numbers(url) == [0]


def test_a_closed_journal_stays_closed(url: str) -> None:
    journal = Journal.open(url, STUDY, [FAKE])
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="is closed: open it again"):
        journal.outcomes()
    with pytest.raises(JournalError, match="read only"):
        journal.add(outcome())


def test_a_unix_socket_serves_as_well(postgres: Server, study: str) -> None:
    url = f"postgresql://ann@/races?host={postgres.folder}&port={postgres.port}&study={study}"
    with Journal.open(url, STUDY, [FAKE]) as journal:
        journal.add(outcome())
    assert numbers(url) == numbers(postgres.url(study)) == [0]


def _holders(postgres: Server, url: str) -> list[object]:
    low = lock_of(Place.of(url).study) % 2**32
    return postgres.sql("SELECT pid FROM pg_locks WHERE objid = %s", low)


def test_a_commit_means_the_disk_whatever_the_server_is_set_to(postgres: Server, url: str) -> None:
    postgres.sql("ALTER ROLE ann SET synchronous_commit = off")
    try:
        with Journal.open(url, STUDY, [FAKE]) as journal:
            ask = "SHOW synchronous_commit"
            asked = journal.store.run("read", lambda c: c.exec_driver_sql(ask).scalar())
            assert asked == "on"
    finally:
        postgres.sql("ALTER ROLE ann RESET synchronous_commit")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("", "names a database and no study in it: add [?]study=NAME"),
        ("?study=nearly-ther", "there is no journal .* did you mean 'nearly-there'?"),
        ("?study=foreign", "is not a surefoot journal .*of something else"),
        ("?study=later", "has format 3, but this surefoot reads format 2"),
        ("?study=nearly-there&sslmode=loud", 'invalid sslmode value: "loud"'),
        ("?study=nearly-there&port=1", "cannot be read: .*[Cc]onnection refused"),
        ("x?study=nearly-there", 'database "racesx" does not exist'),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(postgres: Server, change: str, words: str) -> None:
    for name, text in (("nearly-there", "2"), ("later", "3")):
        Journal.open(postgres.url(name), STUDY).close() if text == "2" else None
        postgres.sql(f'CREATE SCHEMA IF NOT EXISTS "surefoot_{name}"')
        signed = f"surefoot journal, format {text}"
        postgres.sql(f"COMMENT ON SCHEMA \"surefoot_{name}\" IS '{signed}'")
    postgres.sql('CREATE SCHEMA IF NOT EXISTS "surefoot_foreign"')
    postgres.sql('GRANT USAGE ON SCHEMA "surefoot_later" TO ann')
    with pytest.raises(JournalError, match=words) as error:
        Journal.read(postgres.url() + change)
    assert "\n" not in str(error.value)


def test_another_users_journal_is_theirs(postgres: Server, study: str, url: str) -> None:
    Journal.open(url, STUDY).close()
    other = postgres.url(study, f"guarded:{PASSWORD}")
    for attempt in (Journal.read, lambda url: Journal.open(url, STUDY)):
        with pytest.raises(JournalError, match="is another user's: ask its owner"):
            attempt(other)
    postgres.sql(f'GRANT USAGE ON SCHEMA "surefoot_{study}" TO guarded')
    with pytest.raises(JournalError, match=r"needs a right that you lack \(permission denied"):
        Journal.read(other)
    postgres.sql(f'GRANT SELECT ON ALL TABLES IN SCHEMA "surefoot_{study}" TO guarded')
    assert Journal.read(other).count() == 0
    with pytest.raises(JournalError, match="needs a right that you lack"):
        Journal.open(other, STUDY, [FAKE])


def test_a_server_that_only_reads_says_so(postgres: Server, url: str) -> None:
    with pytest.raises(JournalError, match=r"can only be read \(a standby\)"):
        Journal.open(f"{url}&options=-cdefault_transaction_read_only%3Don", STUDY)


def test_without_psycopg_the_extra_is_named(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'surefoot\[postgres\]'"):
        Journal.read(url)


@pytest.fixture
def guarded(postgres: Server, study: str) -> str:
    return postgres.url(study, f"guarded:{PASSWORD}")


def test_the_password_comes_from_where_libpq_takes_it(
    postgres: Server, study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.url(study, "guarded")
    with pytest.raises(JournalError, match="no password supplied"):
        Journal.open(url, STUDY)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    Journal.open(url, STUDY).close()
    monkeypatch.delenv("PGPASSWORD")
    passes = tmp_path / "pgpass"
    passes.write_text(f"127.0.0.1:*:races:guarded:{PASSWORD}\n")
    passes.chmod(0o600)
    assert Journal.read(f"{url}&passfile={passes}").count() == 0
    monkeypatch.setenv("PGPASSFILE", str(passes))
    assert Journal.read(url).count() == 0
    services = tmp_path / "services"
    services.write_text(
        f"[lab]\nhost=127.0.0.1\nport={postgres.port}\ndbname=races\nuser=guarded\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    assert Journal.read(f"postgresql://?service=lab&study={study}").count() == 0


def test_a_password_is_in_no_message_no_traceback_and_no_journal(
    postgres: Server, guarded: str, study: str, capfd: pytest.CaptureFixture[str]
) -> None:
    texts = []

    def fails(attempt: Callable[[], object]) -> None:
        with pytest.raises(JournalError) as error:
            attempt()
        texts.append("".join(traceback.format_exception(error.value)))

    with Journal.open(guarded, STUDY, [FAKE]) as journal:
        journal.add(outcome())
        texts += map(repr, (journal.place, [journal.place], journal.store.__dict__))
        texts.append(str(journal.place))
        fails(lambda: Journal.open(guarded, STUDY))
        fails(lambda: journal.add(outcome()))
        fails(lambda: Journal.open(f"{guarded}&application_name=x", STUDY))
    texts.append(str(verify(guarded)))
    fails(lambda: Journal.open(guarded, {**STUDY, "seed": "1"}))
    fails(lambda: Journal.read(guarded.replace("guarded:", "nobody:")))
    fails(lambda: Journal.read(guarded.replace("/races", "/nowhere")))
    fails(lambda: Journal.read(guarded.replace(f":{postgres.port}", ":port")))
    fails(lambda: Journal.read(f"{guarded}&nonsense=1"))
    fails(lambda: Journal.read(f"{guarded}&study=../no"))
    texts.append(str(postgres.dumped(study)))
    texts.append("".join(capfd.readouterr()))
    assert [text for text in texts if PASSWORD in text] == []
    assert outcome().engine in texts[-2]
