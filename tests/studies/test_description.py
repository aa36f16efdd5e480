"""A journal's description gives the race back, of every rule and schedule, and of old journals."""

import json

import pytest

from surefoot.executors.inline import InlineExecutor
from surefoot.journal import MEMORY, Journal
from surefoot.journal.descriptions import canonical, differences
from surefoot.racing.rules.rank import ByRank
from surefoot.racing.rules.tests import ByQuantileInterval, BySigns, BySwaps, ByTest
from surefoot.racing.schedules.exact_max import ByMax, ExactMax
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.schedules.stages import Chain, Pairs, default_schedule
from surefoot.racing.screen import Screen
from surefoot.studies.description import Description
from tests.studies.races import BASELINE, study

RULES = [
    (ByRank(), "mean", None),
    (ByTest(0.01, 4, "permutation", 7), "median", 64),
    (BySigns(0.1), "mean", 64),
    (BySwaps(0.1, 500, 3), "cvar(0.2)", 64),
    (ByQuantileInterval(0.1, True), "quantile(0.6)", 64),
    (ByMax(9), "max", 9),
]
SCHEDULES = [
    Halving(0.25, 2, 3),
    FlatBudget(48.0, cap=9),
    Chain((FlatBudget(48.0, keep=0.4, finalists=6), Pairs(cap=40))),
    ExactMax(9),
    default_schedule(24),
]


def described(asked):
    return json.loads(canonical(asked.description.json()))


@pytest.mark.parametrize(("rule", "criterion", "max_instances"), RULES)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_race_is_rebuilt_from_its_description(rule, criterion, max_instances, schedule):
    fields = {"rule": rule, "criterion": criterion, "schedule": schedule}
    for more in (
        {},
        {"max_instances": 20, "limit": 900.0, "screen": Screen(0.3), "baseline": BASELINE},
    ):
        asked = study(**fields, **more)
        assert Description.read(described(asked)).race == asked.race
    assert study(**fields).race.max_instances == max_instances


@pytest.mark.parametrize(("rule", "criterion", "max_instances"), RULES)
def test_a_changed_most_is_a_difference_and_an_equal_one_is_none(rule, criterion, max_instances):
    asked = study(rule=rule, criterion=criterion)
    explicit = study(rule=rule, criterion=criterion, max_instances=max_instances)
    assert described(asked) == described(explicit)
    other = study(rule=rule, criterion=criterion, max_instances=50)
    before = "absent" if max_instances is None else max_instances
    assert list(differences(described(asked), described(other))) == [
        f"max_instances: {before} -> 50"
    ]


@pytest.mark.parametrize(("rule", "criterion", "max_instances"), RULES)
def test_descriptions_from_before_most_mean_the_same_race_as_then(rule, criterion, max_instances):
    asked = study(rule=rule, criterion=criterion)
    old = {name: value for name, value in described(asked).items() if name != "max_instances"}
    race = Description.read(old).race
    assert (race.rule, race.schedule, race.limit) == (rule, asked.schedule, None)
    if max_instances is None:
        assert race == asked.race
        with Journal.open(MEMORY, old, asked.everyone) as journal:
            asked._check(journal, InlineExecutor(asked.engine))
    else:
        assert race.max_instances is not None
        assert race.max_instances > 1_000_000


FORMER = {
    '"kind":"test"': '"kind":"ByTest"',
    '"kind":"chain"': '"kind":"Chain"',
    '"kind":"closest"': '"kind":"Closest"',
    '"kind":"pairs"': '"kind":"TopTwo"',
    '"friedman_above"': '"many"',
    '"pairwise_test"': '"few"',
    '"max_instances"': '"most"',
}


def test_a_journal_with_the_names_of_former_versions_is_read_and_resumed(tmp_path):
    asked = study(rule=ByTest(0.1), schedule="default")
    text = canonical(asked.description.json())
    for now, then in FORMER.items():
        assert now in text
        text = text.replace(now, then)
    with Journal.open(tmp_path / "old.db", json.loads(text), asked.everyone):
        pass
    with asked.open(tmp_path / "old.db") as journal:
        assert journal.extended is None
        assert Description.read(journal.study).race == asked.race
