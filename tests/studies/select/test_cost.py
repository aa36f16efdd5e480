from __future__ import annotations

from dataclasses import replace

import pytest

from surefoot.learning.stopping import Stopping
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.screen import Screen
from surefoot.studies.select.cost import count_trainings, selection_cost
from surefoot.studies.select.study import SelectStudy
from tests.fakes import Fake, fake_setting
from tests.studies.races import BASELINE, CANDIDATES, run, study


def test_the_papers_study_takes_41567_trainings_and_exhaustion_345600() -> None:
    candidates = tuple(Fake(quality=i, side=i % 2) for i in range(6912))
    asked = SelectStudy(
        candidates=candidates,
        setting=fake_setting(),
        schedule=Halving(warmup=5),
        certify=50,
        certify_best_of="side",
    )
    counted = count_trainings(asked)
    assert len(counted.study.candidates) == 6912
    assert [one.trainings for one in counted.rounds] == [
        6912 * 5, 3456, 1728, 864, 432, 216, 108, 54, 27, 13, 6, 3,
    ]  # fmt: skip
    assert counted.certified == 2
    assert counted.race == 41_467
    assert counted.total == 41_567
    assert counted.exhaustive == 345_600
    assert counted.exact


def test_a_plan_without_a_screen_is_what_is_trained() -> None:
    asked = study()
    assert count_trainings(asked).total == run(asked).table.count + asked.certify


def test_behind_a_screen_numbers_hold_if_nobody_leaves() -> None:
    asked = study(baseline=BASELINE, screen=Screen(0.2))
    assert not count_trainings(asked).exact
    assert count_trainings(asked).rounds[0].trainings == 24


@pytest.mark.parametrize(("cost", "rounds"), [("instances", 24 * 50), ("visits", 24 * 50 * 40)])
def test_a_budget_counts_in_the_studys_unit(cost: str, rounds: int) -> None:
    asked = study(cost=cost, schedule=FlatBudget(rounds, keep=0.3))
    assert count_trainings(asked).rounds[0].trainings == 24 * 50


def test_a_race_that_costs_more_than_training_everybody_says_so() -> None:
    few = study(candidates=CANDIDATES[:3], certify=59, schedule=None)
    counted = count_trainings(few)
    assert counted.exhaustive == 177 < counted.total
    assert counted.advice.startswith("177 trainings, no more than this race, train all 3 candid")
    assert count_trainings(study(certify=59)).advice == ""
    assert count_trainings(study(candidates=CANDIDATES[:3], certify=0)).advice == ""
    assert count_trainings(study(candidates=CANDIDATES[:1], certify=59)).advice == ""


def test_rungs_are_counted_by_their_epochs() -> None:
    """400 candidates: half are reckoned to leave after 5, 15 and 40 of 100 epochs."""
    setting = replace(fake_setting(), stopping=Stopping(100, reading="none"))
    many = tuple(Fake(quality=1.0 + 0.01 * i) for i in range(400))
    asked = study(candidates=many, setting=setting, rungs="prediction", schedule=Halving())
    counted = count_trainings(asked)
    at_rungs = (184 * 5 + 92 * 15 + 46 * 40) / 100
    after = sum(one.trainings for one in counted.rounds[3:])
    assert counted.race == 322 + after
    assert counted.raced == pytest.approx(at_rungs + after)
    text = str(selection_cost(asked))
    assert "about 400 candidates to epoch 5, 216 stay" in text
    assert f"as much as {counted.raced:,.0f} to the end" in text
    assert "if as many leave at the rungs" in text
    plain = count_trainings(study(candidates=many, setting=setting))
    assert plain.raced == plain.race
