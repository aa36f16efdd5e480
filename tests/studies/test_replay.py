from __future__ import annotations

from pathlib import Path

import pytest

from surefoot.errors import JournalError, JournalMismatchError
from surefoot.executors.local.executor import LocalExecutor
from surefoot.journal import Journal
from surefoot.racing.screen import Screen
from surefoot.seeds.ledger import Role
from surefoot.studies.description import baseline_place
from surefoot.studies.replay import find_candidate, train_recorded
from tests.fakes import fake_setting
from tests.studies.races import BASELINE, CANDIDATES, run, study


@pytest.mark.parametrize("paired", [True, False])
def test_every_recorded_instance_trains_to_its_recorded_loss(tmp_path: Path, paired: bool) -> None:
    asked = study(baseline=BASELINE, screen=Screen(0.3), paired=paired)
    run(asked, tmp_path / "r.db")
    with Journal.read(tmp_path / "r.db") as journal:
        everything = journal.outcomes()
        roles = {outcome.role for outcome in everything}
        assert roles == {Role.RACE, Role.CERTIFY}
        assert BASELINE.key in {outcome.candidate for outcome in everything}
        for outcome in everything:
            recorded, training = train_recorded(
                journal, fake_setting(), outcome.candidate, outcome.instance, outcome.role
            )
            assert recorded.loss == outcome.loss == training.outcome.loss
            assert training.outcome.engine == recorded.engine


def test_the_baselines_draws_have_an_owner(tmp_path: Path) -> None:
    for paired in (True, False):
        path = tmp_path / f"{paired}.db"
        run(study(baseline=BASELINE, screen=Screen(0.3), paired=paired), path)
        with Journal.read(path) as journal:
            owners = [
                baseline_place(outcome.instance)
                for outcome in journal.outcomes(Role.RACE, BASELINE.key)
            ]
        places = [-1] if paired else range(len(CANDIDATES))
        assert sorted(owners) == [(place, 0) for place in places]


def test_candidates_are_found_by_key_start_label_or_as_the_winner(tmp_path: Path) -> None:
    asked = study()
    winner = run(asked, tmp_path / "r.db").winner
    with Journal.read(tmp_path / "r.db") as journal:
        for text in (winner.key, winner.key[:8], winner.label, "winner"):
            assert find_candidate(journal, text) == winner.key
        with pytest.raises(JournalError, match="names 24 candidates"):
            find_candidate(journal, "")
        with pytest.raises(JournalError, match=r"no candidate .* 'zz'"):
            find_candidate(journal, "zz")


def test_a_running_race_has_no_winner_yet(tmp_path: Path) -> None:
    study().open(tmp_path / "r.db").close()
    with (
        Journal.read(tmp_path / "r.db") as journal,
        pytest.raises(JournalError, match="no winner yet"),
    ):
        find_candidate(journal, "winner")


def test_what_is_not_recorded_or_not_the_journals_is_refused() -> None:
    asked = study()
    with asked.open(":memory:") as journal:
        asked.run(journal, executor=LocalExecutor(1, "fake"))
        with pytest.raises(JournalError, match=r"instance 999 .* recorded are 0, 1"):
            train_recorded(journal, asked.setting, "winner", 999)
        with pytest.raises(JournalMismatchError, match=r"population\.fingerprint"):
            train_recorded(journal, fake_setting(300), "winner", 0)
