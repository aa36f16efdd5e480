import re
import tomllib
from pathlib import Path

import pytest

from surefoot.errors import ConfigurationError, StudyFileError
from surefoot.racing.criteria import from_name
from surefoot.racing.prediction.mixed_model import ByPrediction
from surefoot.racing.race import Race
from surefoot.racing.rules.base import MOST, ByRank
from surefoot.racing.rules.by_interval import ByQuantileInterval, BySwaps
from surefoot.racing.rules.by_test import BySigns, ByTest
from surefoot.racing.rules.exact_max import ByMax, ExactMax
from surefoot.racing.schedules.base import Chain, FlatBudget, Halving
from surefoot.racing.schedules.default import default_schedule
from surefoot.racing.schedules.top_two import TopTwo
from surefoot.racing.screen import Screen
from surefoot.study_files.race import (
    RULE_KEYS,
    RULES,
    SCHEDULE_KEYS,
    SCHEDULES,
    build_rule,
    build_rules,
    build_schedule,
    build_screen,
)
from surefoot.study_files.schema import RaceTable

MEAN = from_name("mean")
VALUES = {
    "keep": 0.4,
    "per_round": 2,
    "warmup": 3,
    "budget": 48.0,
    "cap": 12,
    "finalists": 4,
    "complete": 40,
    "level": 0.01,
    "few": "permutation",
    "many": 5,
    "anytime": True,
}


def table(**keys):
    return RaceTable.model_validate(keys)


@pytest.mark.parametrize(
    ("keys", "schedule"),
    [
        ({}, default_schedule(64)),
        ({"limit": 500, "most": 40}, default_schedule(64, 500, 40)),
        ({"limit": 40}, default_schedule(64)),
        ({"limit": 500, "cost": "seconds"}, default_schedule(64)),
        ({"schedule": "halving", "keep": 0.25, "per_round": 2}, Halving(0.25, 2)),
        ({"schedule": "flat_budget", "budget": 48, "cap": 9}, FlatBudget(48, cap=9)),
        (
            {"schedule": "top_two", "budget": 48, "keep": 0.4, "complete": 90},
            Chain((FlatBudget(48, keep=0.4, finalists=16), TopTwo(cap=90))),
        ),
        (
            {"schedule": "top_two", "budget": 48, "finalists": 3, "complete": 90},
            Chain((FlatBudget(48, finalists=3), TopTwo(cap=90))),
        ),
        ({"schedule": "exact_max"}, ExactMax(32)),
        ({"schedule": "exact_max", "complete": 8}, ExactMax(8)),
    ],
)
def test_schedules(keys, schedule):
    assert build_schedule(table(**keys), 64, MEAN) == schedule


def test_the_default_schedule_pays_for_what_a_spread_needs_at_first():
    schedule = build_schedule(table(), 64, from_name("mean+2*sd"))
    assert schedule == default_schedule(64, needs=2) != default_schedule(64)


@pytest.mark.parametrize(
    ("keys", "rule"),
    [
        ({}, ByPrediction()),
        ({"schedule": "halving"}, ByRank()),
        ({"schedule": "halving", "rule": "prediction"}, ByPrediction()),
        ({"rule": "rank"}, ByRank()),
        ({"rule": "test"}, ByTest()),
        (
            {"rule": "test", "level": 0.01, "few": "permutation", "many": 4},
            ByTest(0.01, 4, "permutation"),
        ),
        ({"rule": "signs", "level": 0.1}, BySigns(0.1)),
        ({"rule": "swaps"}, BySwaps()),
        ({"rule": "quantile", "anytime": True}, ByQuantileInterval(anytime=True)),
        ({"schedule": "exact_max"}, ByMax(32)),
        ({"schedule": "exact_max", "complete": 8}, ByMax(8)),
    ],
)
def test_rules(keys, rule):
    assert build_rule(table(**keys)) == rule


def test_every_rule_is_called_as_the_study_file_calls_it():
    for name in RULES:
        assert build_rule(table(rule=name)).name == name
    assert set(SCHEDULE_KEYS) | set(RULE_KEYS) == set(VALUES)


@pytest.mark.parametrize("key", VALUES)
def test_a_key_is_used_or_refused_with_its_homes(key):
    """No combination is silently ignored: a key changes what is built, or is refused."""
    choice, kinds = ("schedule", SCHEDULES) if key in SCHEDULE_KEYS else ("rule", RULES)
    homes = [f"'{kind}'" for kind, keys in kinds.items() if key in keys]
    for kind, keys in kinds.items():
        given = {choice: kind, "budget": 30.0, "complete": 32}
        given = {name: given[name] for name in (choice, *keys) if name in given}
        full = table(**{**given, key: VALUES[key]})
        build = (lambda race: build_schedule(race, 64, MEAN)) if kinds is SCHEDULES else build_rule
        if key in keys:
            assert build(full) != build(table(**given))
            continue
        with pytest.raises(ConfigurationError) as caught:
            build(full)
        assert f"{key} = " in str(caught.value)
        assert str(caught.value).endswith(
            f"has no meaning for {choice} = '{kind}': it belongs to {choice} = "
            + ", ".join(homes).replace(f", {homes[-1]}", f" or {homes[-1]}")
        )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"schedule": "flat_budget"}, "'flat_budget' needs budget, the trainings of a round"),
        ({"schedule": "top_two", "budget": 9}, "'top_two' needs complete, the instances of the"),
        ({"schedule": "exact_max", "rule": "test"}, "rule = 'test' has no meaning for schedule ="),
        ({"schedule": "exact_max", "most": 9}, "most = 9 has no meaning for schedule = 'exact_max"),
        ({"anytime": True}, "anytime = true has no meaning for rule = 'prediction': .* 'quantile'"),
        ({"screen_margin": "noise"}, "screen_margin = 'noise' has no meaning without a screen"),
        ({"rule": "test", "level": 0.7}, r"level = 0\.7; give a small probability"),
    ],
)
def test_impossible_tables_are_one_sentence(keys, message):
    with pytest.raises((StudyFileError, ConfigurationError), match=message):
        build_rules(table(**keys), 64, MEAN)


def test_rules_make_a_race():
    keys = tuple(map(str, range(64)))
    rules = build_rules(table(rule="test", most=40, limit=900.0, screen=0.3), 64, MEAN)
    race = Race(keys, MEAN, **rules)
    schedule = default_schedule(64, 900, 40)
    assert race == Race(keys, MEAN, schedule, Screen(0.3), ByTest(), 900.0, 40)
    assert build_screen(table(screen=0.3, screen_margin="noise")) == Screen(0.3, "noise")


PAGE = (Path(__file__).parents[2] / "docs" / "race.md").read_text()


def rows_of_the_page():
    """The table rows of docs/race.md: name -> the keys that its last cell names, with defaults."""
    found = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            keys = re.findall(r"`(\w+)`(?: \(`?([^`)]+)`?\))?", cells[-1])
            found[cells[0].strip("`")] = dict(keys)
    return found


def test_the_page_names_every_schedule_and_rule_with_its_keys_and_defaults():
    kinds = {**SCHEDULES, **RULES}
    page = rows_of_the_page()
    assert page.keys() == kinds.keys()
    needed = {"budget": 48.0, "complete": 64}
    for name, keys in kinds.items():
        assert set(page[name]) == set(keys)
        choice = "schedule" if name in SCHEDULES else "rule"
        given = {key: needed[key] for key, default in page[name].items() if not default}
        said = {
            key: tomllib.loads(f"x = {default}")["x"]
            for key, default in page[name].items()
            if default
        }
        build = (lambda race: build_schedule(race, 64, MEAN)) if name in SCHEDULES else build_rule
        bare = table(**{choice: name}, **given)
        assert build(bare) == build(table(**{choice: name}, **given, **said))
    assert f"`most` is {MOST} unless given" in " ".join(PAGE.split())


def test_the_tables_of_the_page_make_races():
    for text in re.findall(r"```toml\n(.*?)```", PAGE, re.S):
        read = tomllib.loads(text)
        criterion = from_name(read.get("study", {}).get("criterion", "mean"))
        Race(("a", "b"), criterion, **build_rules(table(**read["race"]), 2, criterion))


def test_the_sentences_of_the_page_are_those_said():
    def race(keys, criterion):
        rules = build_rules(table(**keys), 64, from_name(criterion))
        return Race(tuple(map(str, range(64))), criterion, **rules)

    said = []
    for keys, criterion in (({"level": 0.01}, "mean"), ({"rule": "quantile"}, "quantile(0.9)")):
        with pytest.raises((StudyFileError, ConfigurationError)) as caught:
            race(keys, criterion)
        said.append(f"surefoot: study.toml: [race] {caught.value}\n")
    assert f"```text\n{''.join(said)}```" in PAGE
