"""What every journal promises: nothing recorded is lost, and nothing is recorded twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from surefoot.errors import JournalError, JournalMismatchError
from surefoot.instances import Outcome, Status
from surefoot.journal import Extension, Journal, identity, verify
from surefoot.seeds.ledger import Role
from surefoot.testing.toys import content, toy_function, toy_instance, toy_setting

STUDY = {"seed": str(2**64 - 1), "stopping": {"max_epochs": 100}}
CANDIDATE = toy_function.candidate(shrink=0.3)
FINISHED = Outcome.of(toy_instance(CANDIDATE), toy_setting(), "toy", [1.5, 5e-324, 0.1], 1 / 3)
FAILED = replace(FINISHED, instance=2**48 - 1, status=Status.FAILED, loss=np.inf, message="«no»")


class JournalSuite:
    """What every journal promises; a subclass of another kind gives its own ``place``."""

    def place(self, folder: Path) -> str | Path:
        """Return where the one journal of a test is, whose folder is empty."""
        return folder / "race.db"

    def open(self, folder: Path, study: Mapping[str, Any] = STUDY, **more: Any) -> Journal:
        """Open the one journal of a test, or open it again."""
        return Journal.open(self.place(folder), study, [CANDIDATE], **more)

    def test_what_was_recorded_is_read_back(self, tmp_path: Path) -> None:
        """Outcomes of every status and role come back whole, in their order, after reopening."""
        plain = np.array([0.2], np.float32)
        certifying = replace(FINISHED, role=Role.CERTIFY, sample=40, plain=plain)
        recorded = [FINISHED, FAILED, certifying]
        with self.open(tmp_path) as journal:
            journal.add(*recorded[:2])
            journal.add(certifying)
        with self.open(tmp_path) as journal:
            assert list(map(content, journal.outcomes())) == list(map(content, recorded))
            assert [one.seconds for one in journal.outcomes(Role.CERTIFY)] == [1 / 3]
            assert (journal.study, journal.count()) == (STUDY, 3)

    def test_an_instance_is_recorded_once_and_a_batch_whole(self, tmp_path: Path) -> None:
        """A batch with one bad outcome raises `JournalError`, and none of it is recorded."""
        other = replace(FINISHED, instance=1)
        with self.open(tmp_path) as journal:
            journal.add(FINISHED)
            for bad, words in (
                (FINISHED, r"instance 0 .* is recorded .* already"),
                (replace(FINISHED, candidate="f" * 16), "does not know"),
                (replace(FINISHED, instance=2, loss=float("nan")), "NaN"),
            ):
                with pytest.raises(JournalError, match=words):
                    journal.add(other, bad)
            assert journal.count() == 1

    def test_a_failed_instance_may_be_tried_again(self, tmp_path: Path) -> None:
        """With ``retry`` a failed instance is recorded anew; a finished one never is."""
        with self.open(tmp_path) as journal:
            journal.add(FINISHED, FAILED)
            assert {number for _, _, number, _ in journal.failed()} == {FAILED.instance}
            assert list(map(content, journal.lost(FAILED.role))) == [content(FAILED)]
            assert journal.lost(Role.CERTIFY) == []
            with pytest.raises(JournalError, match="already"):
                journal.add(FINISHED, retry=True)
            journal.add(replace(FINISHED, instance=FAILED.instance), retry=True)
            assert (journal.failed(), journal.lost(), journal.count()) == (set(), [], 2)

    def test_a_training_put_aside_is_unrecorded_until_it_ends(self, tmp_path: Path) -> None:
        """Of a paused training the longest curve is kept, beside the outcomes, until it ends."""
        curve = FINISHED.curve
        first, second = (
            replace(FINISHED, status=Status.PAUSED, curve=curve[:n], loss=float(curve[n - 1]))
            for n in (1, 2)
        )
        what = identity(FINISHED)
        with self.open(tmp_path) as journal:
            journal.add(first)
            journal.add(second, FAILED)
            journal.add(first)
            assert (journal.has(*what), journal.count(), len(journal.outcomes())) == (False, 1, 1)
        with self.open(tmp_path) as journal:
            assert journal.epochs_put_aside(*what) == 2
            assert list(map(content, journal.paused())) == [content(second)]
            assert journal.paused(Role.CERTIFY) == journal.paused(instance=5) == []
            journal.add(FINISHED)
            assert (journal.has(*what), journal.paused()) == (True, [])

    def test_another_study_is_refused(self, tmp_path: Path) -> None:
        """Another study raises `JournalMismatchError`, which names what differs and how."""
        self.open(tmp_path).close()
        with pytest.raises(JournalMismatchError, match=r"stopping.max_epochs: 100 -> 200"):
            self.open(tmp_path, {**STUDY, "stopping": {"max_epochs": 200}})

    def test_an_extended_study_keeps_what_it_was(self, tmp_path: Path) -> None:
        """A study that may be extended goes on, and what it was stays readable."""
        longer = {**STUDY, "stopping": {"max_epochs": 200}}
        with self.open(tmp_path, notes={"by": "one"}) as journal:
            journal.add(FINISHED)
        with self.open(
            tmp_path, longer, notes={"by": "two"}, extends=lambda old, new: Extension(("longer",))
        ) as journal:
            journal.add(FAILED)
        with Journal.read(self.place(tmp_path)) as journal:
            assert [(one.study, one.changes) for one in journal.extensions()] == [
                (STUDY, ("longer",))
            ]
            assert (journal.study, journal.count()) == (longer, 2)
            assert journal.notes() == {"by": "two"}
        rows = {"study": 2, "candidates": 1, "extensions": 1, "notes": 2, "outcomes": 2}
        rows["partials"] = 0
        assert verify(self.place(tmp_path)).rows == rows

    def test_one_writes_at_a_time_and_any_number_read(self, tmp_path: Path) -> None:
        """A second writer is refused until the first closes; readers see each outcome at once."""
        with self.open(tmp_path) as journal:
            with pytest.raises(JournalError, match="in use by another surefoot"):
                self.open(tmp_path)
            with (
                Journal.read(self.place(tmp_path)) as one,
                Journal.read(self.place(tmp_path)) as other,
            ):
                journal.add(FINISHED)
                assert len(one.outcomes()) == len(other.outcomes()) == 1
                with pytest.raises(JournalError, match="opened to be read only"):
                    one.add(FAILED)
        self.open(tmp_path).close()

    def test_who_follows_reads_what_is_new_and_nothing_else(self, tmp_path: Path) -> None:
        """Catching up gives what was added since, and the journal's own chain and counts."""
        again = replace(FINISHED, instance=FAILED.instance)
        with self.open(tmp_path) as journal, Journal.read(self.place(tmp_path)) as follower:
            for batch in ((FINISHED, FAILED), (), (again,)):
                journal.add(*batch, retry=batch == (again,))
                assert list(map(content, follower.catch_up())) == list(map(content, batch))
                assert follower.chain == journal.chain
                assert (follower.count(), follower.failed()) == (journal.count(), journal.failed())
            times, outcomes = zip(*follower.latest(2), strict=True)
            assert list(map(content, outcomes)) == [content(FAILED), content(again)]
            assert list(times) == sorted(times)
