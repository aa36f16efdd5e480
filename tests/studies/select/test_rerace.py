from __future__ import annotations

import time

import numpy as np
import pytest

from surefoot.errors import JournalError
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Outcome, Status
from surefoot.journal import MEMORY, Journal
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.screen import Screen
from surefoot.seeds.ledger import Role
from surefoot.studies.assess.study import AssessStudy
from surefoot.studies.select.rerace import rerace
from surefoot.studies.select.study import SelectStudy
from tests.fakes import Fake, fake_setting
from tests.studies.races import BASELINE, CANDIDATES, study


def raced(asked: SelectStudy) -> Journal:
    journal = asked.open(MEMORY)
    with LocalExecutor(2, "fake") as executor:
        asked.run(journal, executor=executor)
    return journal


def recorded(losses: np.ndarray, asked: SelectStudy) -> Journal:
    """A journal of racing losses [candidates, n]; NaN is not recorded."""
    journal = asked.open(MEMORY)
    curve = np.ones(1, np.float32)
    journal.add(
        *(
            Outcome(c.key, Role.RACE, n, 20, Status.FINISHED, float(loss), curve, 0.1, "fake")
            for c, row in zip(asked.candidates, losses, strict=True)
            for n, loss in enumerate(row)
            if not np.isnan(loss)
        )
    )
    return journal


def test_unchanged_rules_lead_to_the_same_winner() -> None:
    asked = study(certify=0)
    with raced(asked) as journal:
        again = rerace(journal)
        count = journal.count()
    assert again.state.winner == again.original.winner is not None
    assert [one.survivors for one in again.state.rounds] == [
        one.survivors for one in again.original.rounds
    ]
    assert count == again.record.table.count
    assert again.lines()[-1] == "the journal's own rules have the same winner"


def test_another_criterion_can_have_another_winner() -> None:
    steady, lucky = np.full(12, 1.0), np.full(12, 0.9)
    lucky[5] = 3.0
    losses = np.vstack([steady, lucky, *[np.full(12, 2.0)] * 22])
    asked = study(certify=0, schedule=Halving(warmup=8))
    with recorded(losses, asked) as journal:
        by_mean, by_max = (rerace(journal, criterion=name) for name in ("median", "max"))
    assert by_mean.state.winner == CANDIDATES[1].key
    assert by_max.state.winner == CANDIDATES[0].key
    assert by_max.original.winner == CANDIDATES[0].key


def test_what_is_missing_is_named() -> None:
    with raced(study(certify=0)) as journal:
        again = rerace(journal, schedule=FlatBudget(24 * 4, cap=8))
    lacking = again.missing
    assert again.state.winner is None
    assert sum(lacking.values()) == len(again.state.need) > 0
    # Half of the 24 had one instance only, and lack three of four.
    assert sorted(lacking.values())[-1] == 3
    line = again.lines()[0]
    assert "no winner: round 1 asks for up to 4 instances of each of 24 candidates" in line
    assert f"{len(again.state.need):,} are not recorded (3 of fake" in line
    assert "more candidates" in line


def test_the_best_so_far_is_named_where_the_record_ends() -> None:
    losses = np.full((24, 4), np.nan)
    losses[:, 0] = np.arange(24.0) + 1.0
    losses[:12, 1] = np.arange(12.0) + 1.0
    with recorded(losses, study(certify=0)) as journal:
        again = rerace(journal)
    assert len(again.state.rounds) == 2
    assert again.lines()[1] == f"best so far: {CANDIDATES[0].label} ({CANDIDATES[0].key})"


def test_a_screen_needs_the_journals_baseline() -> None:
    with (
        raced(study(certify=0)) as journal,
        pytest.raises(JournalError, match="the journal has none"),
    ):
        rerace(journal, screen=Screen(0.2))
    asked = study(certify=0, baseline=BASELINE, screen=Screen(0.05))
    with raced(asked) as journal:
        without = rerace(journal, screen=None)
        wider = rerace(journal, screen=Screen(0.2))
    assert wider.state.rounds[0].name == "screen"
    assert len(wider.state.rounds[0].survivors) >= len(wider.original.rounds[0].survivors)
    assert without.state.rounds == () or without.state.rounds[0].name == "race"


def test_journals_without_a_race_are_refused() -> None:
    with study().open(MEMORY) as journal, pytest.raises(JournalError, match="nothing to race"):
        rerace(journal)
    single = AssessStudy(candidate=Fake(), setting=fake_setting(), engine="fake", n=3)
    with single.open(MEMORY) as journal, LocalExecutor(1, "fake") as executor:
        single.run(journal, executor=executor)
        with pytest.raises(JournalError, match="holds no race"):
            rerace(journal)


@pytest.mark.slow
def test_fifty_thousand_outcomes_are_raced_again_in_two_seconds(tmp_path) -> None:
    rng = np.random.default_rng(0)
    asked = SelectStudy(
        candidates=tuple(Fake(quality=1.0 + i / 6912) for i in range(6912)),
        setting=fake_setting(),
        certify=0,
    )
    losses = np.full((6912, 64), np.nan)
    losses[:, :7] = 1.0 + rng.random((6912, 7))
    losses[:48] = 1.0 + rng.random((48, 64))
    assert np.count_nonzero(~np.isnan(losses)) > 50_000
    path = tmp_path / "race.db"
    with asked.open(path) as journal:
        curve = np.ones(30, np.float32)
        journal.add(
            *(
                Outcome(c.key, Role.RACE, n, 20, Status.FINISHED, float(loss), curve, 0.1, "fake")
                for c, row in zip(asked.candidates, losses, strict=True)
                for n, loss in enumerate(row)
                if not np.isnan(loss)
            )
        )
    begin = time.process_time()
    with Journal.read(path) as journal:
        again = rerace(journal, criterion="max", schedule=Halving(keep=0.1, warmup=5))
    seconds = time.process_time() - begin
    assert len(again.state.rounds) >= 2
    assert seconds < 2.0
