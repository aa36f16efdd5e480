from __future__ import annotations

import tomllib

import numpy as np
import pytest

from surefoot.racing.race import Race
from surefoot.racing.rules.rank import ByPrediction, ByRank
from surefoot.racing.rules.tests import BySwaps, ByTest
from surefoot.racing.rungs.prediction import ByCurve
from surefoot.racing.schedules.base import Schedule
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.schedules.stages import default_schedule
from surefoot.racing.screen import Screen
from surefoot.studies.plan.plan import OWN, choices
from surefoot.studies.select.study import SelectStudy
from surefoot.study_files.schema import build_rules, read_race
from tests.fakes import Fake
from tests.studies.races import BASELINE, study

MANY = tuple(Fake(quality=1.0 + 0.02 * i, noise=0.4) for i in range(200))


def names(asked: SelectStudy) -> list[str]:
    return [choice.name for choice in choices(asked)]


def test_the_studys_own_race_comes_first_and_once() -> None:
    found = names(study(candidates=MANY, schedule=Halving()))
    assert found[0] == f"{OWN} (paper)"
    assert "paper" not in found
    found = names(study(candidates=MANY, schedule=default_schedule(200), rule=ByPrediction()))
    assert found[0] == f"{OWN} (default)"
    assert names(study(candidates=MANY, schedule=Halving(keep=0.3)))[:2] == [OWN, "default x 0.5"]


def test_races_with_and_without_rungs_are_compared() -> None:
    found = {choice.name: choice for choice in choices(study(candidates=MANY))}
    rungs = found["default, prediction rungs"]
    assert rungs.race.rungs == ByCurve()
    assert rungs.changes == ('schedule = "default"', 'rungs = "prediction"')
    own = choices(study(candidates=MANY, rungs="prediction", schedule=None))
    assert own[0].name == f"{OWN} (default, prediction rungs)"
    (without,) = (choice for choice in own if choice.name == f"{OWN}, no rungs")
    assert without.race.rungs is None
    (plain,) = (choice for choice in own if choice.name == "default")
    assert 'rungs = "none"' in plain.changes
    few = [choice.name for choice in choices(study())]
    assert not [name for name in few if "prediction rungs" in name], "they would learn from nobody"


@pytest.mark.parametrize(
    "changes",
    [
        {"cost": "seconds", "limit": 50.0},
        {"cost": "visits"},
        {"limit": 700.0},
        {"rule": ByTest()},
        {"paired": False},
    ],
)
def test_the_own_race_is_there_whatever_its_rules(changes: dict[str, object]) -> None:
    asked = study(candidates=MANY, schedule=FlatBudget(9.0), **changes)
    own = choices(asked)[0]
    assert own.name == OWN
    assert own.changes == ()
    race = own.scenario(100).race
    assert (race.schedule, race.rule, race.limit) == (
        asked.race.schedule,
        asked.race.rule,
        asked.limit,
    )
    assert own.race.cost == asked.cost


def test_what_could_be_changed_in_the_own_race_is_tried() -> None:
    asked = study(candidates=MANY, baseline=BASELINE, screen=Screen(0.2), paired=False)
    found = {choice.name: choice for choice in choices(asked)}
    assert found[f"{OWN}, no screen"].race.screen is None
    assert found[f"{OWN}, noise margin"].race.screen == Screen(0.2, margin="noise")
    assert found[f"{OWN}, paired"].paired
    assert all(choice.race.screen for name, choice in found.items() if "no screen" not in name)
    assert f"{OWN}, noise margin" not in names(
        study(candidates=MANY, baseline=BASELINE, screen=Screen(0.2, margin="noise"))
    )
    tested = {choice.name: choice for choice in choices(study(candidates=MANY, rule=ByTest()))}
    assert tested[f"{OWN}, by rank"].race.rule == ByRank()
    assert tested[f"{OWN}, by rank"].changes == ('rule = "rank"',)


def test_the_default_is_offered_with_several_budgets() -> None:
    found = {choice.name: choice for choice in choices(study(candidates=MANY))}
    spent = [
        sum(one.trainings for one in found[name].race.plan())
        for name in ("default x 0.5", "default", "default x 2", "default x 4")
    ]
    np.testing.assert_allclose(np.array(spent) / spent[1], [0.5, 1.0, 2.0, 4.0], rtol=0.1)
    assert found["default x 2"].changes[1].startswith("limit = ")
    limited = {choice.name: choice for choice in choices(study(candidates=MANY, limit=300))}
    assert "default x 2" not in limited
    assert sum(one.trainings for one in limited["default"].race.plan()) <= 300
    assert limited["default"].changes == ('schedule = "default"', "limit = 300")


def test_a_limit_in_seconds_is_not_taken_for_trainings() -> None:
    found = choices(study(candidates=MANY, cost="seconds", limit=50.0))
    default = next(choice for choice in found if choice.name == "default")
    assert (default.race.limit, default.race.cost) == (None, "instances")
    assert 'cost = "instances"' in default.changes
    limited = choices(study(candidates=MANY, limit=500.0))
    assert all(choice.race.limit in (500.0, 250.0) for choice in limited)


@pytest.mark.parametrize("criterion", ["mean", "max"])
@pytest.mark.parametrize("count", [24, 200])
def test_the_lines_for_a_study_file_build_the_race(criterion: str, count: int) -> None:
    asked = study(candidates=MANY[:count], criterion=criterion, schedule=Halving(keep=0.3))
    for choice in choices(asked)[1:]:
        rules = build_rules(read_race(tomllib.loads("\n".join(choice.changes))))
        assert Race(choice.race.keys, asked.race.criterion, **rules) == choice.race


def test_swaps_run_in_fewer_populations() -> None:
    own, rank, *_ = choices(study(candidates=MANY, rule=BySwaps()))
    assert own.scenario(300).races == 30
    assert own.scenario(100).races == 10
    assert own.scenario(7).races == 7
    assert rank.scenario(100).races == 100
    tested = choices(study(candidates=MANY, rule=ByTest()))[0]
    assert tested.scenario(100).races == 100


def test_the_exact_race_is_offered_for_the_maximum_only() -> None:
    assert "exact max" in names(study(candidates=MANY, criterion="max"))
    assert "exact max" not in names(study(candidates=MANY))


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Halving(), "half leave after each instance"),
        (Halving(keep=0.2, per_round=3), "80% leave after each 3 instances"),
        (FlatBudget(48), "rounds of about 48 trainings, 50% stay"),
    ],
)
def test_schedules_in_words(schedule: Schedule, words: str) -> None:
    assert schedule.words.startswith(words)


def test_the_default_schedule_in_words() -> None:
    default = next(c for c in choices(study(candidates=MANY)) if c.name == "default")
    assert (
        default.race.schedule.words
        == "those closest to the leader train on, then the last 16 in pairs"
    )
