"""What every journal promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from surefoot.errors import JournalError, JournalMismatchError
from surefoot.instances import Outcome, Status
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.testing.toys import content, toy_function, toy_instance, toy_setting

STUDY = {"seed": str(2**64 - 1), "stopping": {"max_epochs": 100}}
CANDIDATE = toy_function.candidate(shrink=0.3)
FINISHED = Outcome.of(toy_instance(CANDIDATE), toy_setting(), "toy", [1.5, 5e-324, 0.1], 1 / 3)
FAILED = replace(FINISHED, instance=2**48 - 1, status=Status.FAILED, loss=np.inf, message="«no»")


class JournalSuite:
    """What every journal promises; a subclass of another kind gives its own ``open``."""

    def open(self, place: Path, study: Mapping[str, Any] = STUDY, **more: Any) -> Journal:
        """Open the one journal of a test's empty folder, or open it again."""
        return Journal.open(place / "race.db", study, [CANDIDATE], **more)

    def test_what_was_recorded_is_read_back(self, tmp_path: Path) -> None:
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
        with self.open(tmp_path) as journal:
            journal.add(FINISHED, FAILED)
            assert {number for _, _, number, _ in journal.failed()} == {FAILED.instance}
            with pytest.raises(JournalError, match="already"):
                journal.add(FINISHED, retry=True)
            journal.add(replace(FINISHED, instance=FAILED.instance), retry=True)
            assert (journal.failed(), journal.count()) == (set(), 2)

    def test_another_study_is_refused(self, tmp_path: Path) -> None:
        self.open(tmp_path).close()
        with pytest.raises(JournalMismatchError, match=r"stopping.max_epochs: 100 -> 200"):
            self.open(tmp_path, {**STUDY, "stopping": {"max_epochs": 200}})
