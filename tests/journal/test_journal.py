from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import JournalError, JournalMismatchError
from surefoot.instances import Status
from surefoot.journal import MEMORY, Journal, identity
from surefoot.journal.descriptions import canonical, differences, fingerprint
from surefoot.seeds.ledger import Role
from tests.fakes import Fake
from tests.journal.recorded import (
    FAKE,
    HOLDER,
    STUDY,
    edit,
    make_old,
    outcome,
    run_script,
    same,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "race.db"


def test_a_journal_gives_back_what_was_recorded(path: Path) -> None:
    recorded = [
        outcome(0, 0.1),
        outcome(2**48 - 1, np.inf, status=Status.DIVERGED),
        outcome(
            3, np.inf, status=Status.FAILED, message="ValueError: «no»", curve=np.zeros(0, "f4")
        ),
        outcome(0, 5e-324, role=Role.CERTIFY),
        outcome(0, 0.2, sample=40),
    ]
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(*recorded[:2])
        for one in recorded[2:]:
            journal.add(one)
    with Journal.open(path, STUDY, [FAKE]) as journal:
        assert all(map(same, journal.outcomes(), recorded))
        assert journal.count() == 5
        assert [o.loss for o in journal.outcomes(Role.CERTIFY)] == [5e-324]
        assert len(journal.outcomes(candidate="nobody")) == 0
        assert journal.study == STUDY
        measures = journal.measures(Role.RACE)
        assert [m.candidate for m in measures] == [FAKE.key] * 4
        assert [m.instance for m in measures] == [0, 2**48 - 1, 3, 0]
        assert [m.loss for m in measures] == [0.1, np.inf, np.inf, 0.2]
        known = journal.candidates()[FAKE.key]
        assert Fake.from_spec(known.spec) == FAKE
        assert (known.family, known.label) == ("fake", FAKE.label)


@given(
    loss=st.floats(allow_nan=False),
    seconds=st.floats(0, 1e9),
    number=st.integers(0, 2**48 - 1),
    curve=st.lists(st.floats(width=32), max_size=5),
    message=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)
def test_every_number_survives_bit_for_bit(
    loss: float, seconds: float, number: int, curve: list[float], message: str
) -> None:
    one = outcome(number, loss, seconds=seconds, curve=np.array(curve, np.float32), message=message)
    with Journal.open(MEMORY, STUDY, [FAKE]) as journal:
        journal.add(one)
        assert same(journal.outcomes()[0], one)


def test_a_message_with_broken_characters_is_recorded_readably() -> None:
    with Journal.open(MEMORY, STUDY, [FAKE]) as journal:
        journal.add(outcome(message="no file r\udce9sum\udce9\0"))
        assert journal.outcomes()[0].message == r"no file r\udce9sum\udce9\x00"


def test_no_instance_is_recorded_twice_and_a_batch_is_all_or_nothing(path: Path) -> None:
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(outcome(0))
        with pytest.raises(JournalError, match=r"instance 0 .* is recorded .* already"):
            journal.add(outcome(1), outcome(0, 0.9))
        with pytest.raises(JournalError, match=r"instance 2 .* already"):
            journal.add(outcome(2), outcome(2))
        with pytest.raises(JournalError, match="does not know"):
            journal.add(outcome(4), outcome(5, candidate="f" * 16))
        with pytest.raises(JournalError, match="NaN"):
            journal.add(outcome(6), outcome(7, float("nan")))
        assert [o.instance for o in journal.outcomes()] == [0]


def test_the_tables_themselves_refuse_a_second_row(path: Path) -> None:
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(outcome(0))
    with sqlite3.connect(path) as raw, pytest.raises(sqlite3.IntegrityError):
        raw.execute(
            "INSERT INTO outcomes SELECT id + 1, candidate, role, instance, sample, attempt, "
            "status, loss, seconds, engine, message, recorded, curve, plain FROM outcomes"
        )
    raw.close()


def test_a_failed_instance_may_be_tried_again_and_both_attempts_stay(path: Path) -> None:
    failure = outcome(1, np.inf, status=Status.FAILED, message="out of memory")
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(outcome(0), failure)
        assert journal.failed() == {(FAKE.key, Role.RACE, 1, 20)}
        with pytest.raises(JournalError, match="already"):
            journal.add(outcome(0), retry=True)
        journal.add(failure, retry=True)
        journal.add(outcome(1, 0.5), retry=True)
        with pytest.raises(JournalError, match="already"):
            journal.add(outcome(1, 0.6), retry=True)
        assert not journal.failed()
        assert not journal.lost()
        assert journal.count() == 2
        assert sorted(m.loss for m in journal.measures(Role.RACE)) == [0.25, 0.5]
    with sqlite3.connect(path) as raw:
        rows = raw.execute("SELECT attempt, status FROM outcomes WHERE instance = 1").fetchall()
    raw.close()
    assert rows == [(0, "failed"), (1, "failed"), (2, "finished")]


def test_another_study_is_refused_and_named(path: Path) -> None:
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(outcome())
    other = {
        **STUDY,
        "stopping": {"max_epochs": 200, "window": 30},
        "candidates": [f"{i:016x}" for i in range(9)],
    }
    with pytest.raises(JournalMismatchError) as error:
        Journal.open(path, other)
    text = str(error.value)
    assert "stopping.max_epochs: 100 -> 200" in text
    assert "stopping.window: absent -> 30" in text
    assert "candidates: 1 -> 9 (1 gone, 9 new)" in text
    with Journal.open(path, STUDY) as journal:
        assert journal.count() == 1


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=2), PLAIN), st.dictionaries(st.text(max_size=2), PLAIN))
def test_differences_are_found_exactly_when_fingerprints_differ(
    one: dict[str, object], other: dict[str, object]
) -> None:
    old, new = json.loads(canonical(one)), json.loads(canonical(other))
    differ = fingerprint(canonical(old)) != fingerprint(canonical(new))
    assert bool(list(differences(old, new))) == differ


def test_another_opener_is_refused_until_the_first_closes(path: Path) -> None:
    with Journal.open(path, STUDY, [FAKE]) as journal:
        with pytest.raises(JournalError, match="in use by another surefoot"):
            Journal.open(path, STUDY)
        journal.add(outcome())
        with Journal.read(path) as reader:
            assert reader.count() == 1
            with pytest.raises(JournalError, match="opened to be read only"):
                reader.add(outcome(1))
        journal.add(outcome(1))
    with Journal.open(path, STUDY) as journal:
        assert journal.count() == 2


def test_another_process_holds_the_lock_until_it_is_killed(path: Path) -> None:
    holder = run_script(HOLDER, path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(JournalError, match="in use by another surefoot"):
        Journal.open(path, STUDY)
    with Journal.read(path) as reader:
        assert reader.count() >= 1
    holder.send_signal(signal.SIGKILL)
    rest, _ = holder.communicate()
    shown = [int(line) for line in rest.splitlines() if rest.endswith("\n")]
    with Journal.open(path, STUDY) as journal:
        assert journal.count() >= max(shown, default=1)
        assert [o.instance for o in journal.outcomes()] == list(range(journal.count()))


def test_only_the_journal_itself_is_left_behind(path: Path) -> None:
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(outcome())
    assert [file.name for file in path.parent.iterdir()] == ["race.db"]
    with Journal.read(path) as journal:
        assert journal.count() == 1
    assert [file.name for file in path.parent.iterdir()] == ["race.db"]


def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("these are notes, not a journal\n" * 100)
    database = tmp_path / "other.db"
    with sqlite3.connect(database) as raw:
        raw.execute("CREATE TABLE mine (x)")
    raw.close()
    for file in (text, database):
        before = file.read_bytes()
        for attempt in (lambda f: Journal.open(f, STUDY), Journal.read):
            with pytest.raises(JournalError, match="is not a surefoot journal"):
                attempt(file)
        assert file.read_bytes() == before
        opened = {os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.exists()}
        assert str(file) not in opened
    assert sorted(f.name for f in tmp_path.iterdir()) == ["notes.txt", "other.db"]


@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_a_truncated_journal_says_so(path: Path, share: float) -> None:
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(*(outcome(i) for i in range(200)))
    os.truncate(path, int(path.stat().st_size * share))
    for attempt in (lambda f: Journal.open(f, STUDY), Journal.read):
        with pytest.raises(JournalError, match="truncated or damaged"):
            attempt(path)


def test_a_journal_of_another_format_says_so(path: Path) -> None:
    Journal.open(path, STUDY).close()
    edit(path, "PRAGMA user_version = 3")
    with pytest.raises(JournalError, match="has format 3, but this surefoot reads formats 1 to 2"):
        Journal.read(path)
    edit(path, "PRAGMA user_version = 1")
    with pytest.raises(JournalError, match="is damaged: it has digests, but an older format"):
        Journal.read(path)


def test_paths_that_cannot_be_are_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no directory"):
        Journal.open(tmp_path / "nowhere" / "r.db", STUDY)
    with pytest.raises(JournalError, match="Is a directory"):
        Journal.open(tmp_path, STUDY)
    with pytest.raises(JournalError, match="there is no journal"):
        Journal.read(tmp_path / "absent.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(JournalError, match="not a surefoot journal"):
        Journal.read(tmp_path / "empty.db")


def test_a_read_only_journal_can_be_read_but_not_opened(path: Path) -> None:
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(outcome())
    path.chmod(0o444)
    with pytest.raises(JournalError, match="is read-only"):
        Journal.open(path, STUDY)
    with Journal.read(path) as journal:
        assert journal.count() == 1


FULL = """
    import sys
    from surefoot.errors import JournalError
    from surefoot.journal import Journal
    from tests.journal.recorded import FAKE, STUDY, outcome

    journal = Journal.open(sys.argv[1], STUDY, [FAKE])
    number = 0
    try:
        while True:
            journal.add(outcome(number), outcome(number + 1))
            number += 2
    except JournalError as error:
        print(number, error)
"""


def test_a_full_disk_is_one_sentence_and_loses_nothing(path: Path) -> None:
    limit = 200_000
    process = run_script(
        FULL, path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    printed, _ = process.communicate(timeout=20)
    number, _, sentence = printed.strip().partition(" ")
    assert "the disk is full" in sentence
    assert int(number) > 0
    with Journal.open(path, STUDY) as journal:
        assert [o.instance for o in journal.outcomes()] == list(range(int(number)))
        journal.add(outcome(int(number)))


def test_notes_decide_nothing_and_the_latest_counts(path: Path) -> None:
    first = {"population": {"source": "photons:A"}, "author": "one"}
    with Journal.open(path, STUDY, [FAKE], first) as journal:
        assert journal.notes() == first
        journal.add(outcome())
        before = journal.study
    with Journal.open(path, STUDY, notes={"population": {"source": "b.npz"}}) as journal:
        assert journal.study == before
        assert journal.count() == 1
    for _ in range(2):
        Journal.open(path, STUDY, notes={"population": {"source": "b.npz"}}).close()
    with Journal.read(path) as journal:
        assert journal.notes() == {"population": {"source": "b.npz"}, "author": "one"}
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT count(*) FROM notes").fetchone() == (3,)
    raw.close()


def test_a_journal_from_before_notes_opens_and_takes_them(path: Path) -> None:
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(outcome())
    make_old(path, "notes")
    with Journal.read(path) as journal:
        assert journal.notes() == {}
        assert journal.count() == 1
    with Journal.open(path, STUDY, notes={"population": {"source": "photons:A"}}) as journal:
        assert journal.notes()["population"] == {"source": "photons:A"}
        assert journal.count() == 1


def test_losses_of_weights_before_averaging_are_kept(path: Path) -> None:
    last, whole = np.array([0.5], np.float32), np.array([2.0, 1.0, 0.75], np.float32)
    given = [outcome(0), outcome(1, plain=last), outcome(2, plain=whole)]
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(*given)
    with Journal.read(path) as journal:
        found = journal.outcomes()
    assert all(map(same, found, given))
    assert [one.plain_loss for one in found] == [None, 0.5, 0.75]


@pytest.mark.parametrize("old", [False, True], ids=["present format", "format 1"])
def test_a_journal_that_lacks_their_column_is_read_and_written(path: Path, old: bool) -> None:
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(outcome(0))
    if old:
        make_old(path)
    else:
        edit(path, "ALTER TABLE outcomes DROP COLUMN plain")
    with Journal.read(path) as journal:
        assert same(journal.outcomes()[0], outcome(0))
    added = outcome(1, plain=np.array([0.5], np.float32))
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(added)
    with Journal.read(path) as journal:
        assert all(map(same, journal.outcomes(), [outcome(0), added]))


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("UPDATE study SET description = '[1'", None),
        ("UPDATE study SET description = '7'", None),
        ("UPDATE candidates SET spec = 'nothing'", "candidates"),
        ("UPDATE notes SET content = x'ff'", "notes"),
        ("UPDATE outcomes SET status = 'lost'", "count"),
        ("UPDATE outcomes SET status = 'lost'", "outcomes"),
        ("UPDATE outcomes SET role = 77", "failed"),
        ("UPDATE outcomes SET loss = 'low'", "measures"),
    ],
)
def test_damage_that_no_digest_guards_is_one_sentence(
    change: str, read: str | None, path: Path
) -> None:
    with Journal.open(path, STUDY, [FAKE], {"author": "one"}) as journal:
        journal.add(outcome())
    make_old(path)
    edit(path, change)
    with pytest.raises(JournalError, match="restore it from a copy"), Journal.read(path) as journal:
        getattr(journal, str(read))(*([Role.RACE] if read == "measures" else []))


def test_a_journal_from_before_trainings_were_put_aside_is_read_and_goes_on(path: Path) -> None:
    whole = outcome()
    aside = replace(outcome(instance=1), status=Status.PAUSED, message="")
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(whole)
    with closing(sqlite3.connect(path)) as file:
        file.execute("DROP TABLE partials")
    with Journal.read(path) as journal:
        assert (journal.paused(), journal.count()) == ([], 1)
        assert journal.epochs_put_aside(*identity(whole)) == 0
    with Journal.open(path, STUDY, [FAKE]) as journal:
        journal.add(aside)
    with Journal.read(path) as journal:
        assert [one.instance for one in journal.paused()] == [1]


def test_numbers_of_numpy_are_recorded_as_numbers() -> None:
    given = {"limit": np.int64(5), "share": np.float32(0.5), "paired": np.bool_(True)}
    assert canonical(given) == canonical({"limit": 5, "share": 0.5, "paired": True})
    for wrong in (np.float32("nan"), np.array([1, 2])):
        with pytest.raises((ValueError, TypeError)):
            canonical({"limit": wrong})
