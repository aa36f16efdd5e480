import inspect
import re
import tomllib
from pathlib import Path

import pytest

from surefoot.errors import ConfigurationError
from surefoot.racing import registry
from surefoot.racing.criteria import as_criterion
from surefoot.racing.parts import either, shown
from surefoot.racing.race import Race
from surefoot.racing.rules.base import MAX_INSTANCES
from surefoot.racing.rules.rank import ByPrediction, ByRank
from surefoot.racing.rules.tests import ByQuantileInterval, BySigns, BySwaps, ByTest
from surefoot.racing.schedules.exact_max import ByMax, ExactMax
from surefoot.racing.schedules.rounds import FlatBudget, Halving
from surefoot.racing.schedules.stages import Chain, Pairs, default_schedule
from surefoot.racing.screen import Screen
from surefoot.study_files.schema import build_rules, read_race

MEAN = as_criterion("mean")
NEEDED = ("budget", "complete")
VALUES = {
    "keep": 0.4,
    "per_round": 2,
    "warmup": 3,
    "budget": 48.0,
    "cap": 12,
    "finalists": 4,
    "complete": 40,
    "level": 0.01,
    "pairwise_test": "permutation",
    "friedman_above": 5,
    "anytime": True,
    "risk": 0.01,
    "tolerance": 0.03,
    "learning_from": 24,
    "reserve": 5,
    "eta": 4,
    "first_epoch": 2,
    "brackets": 3,
}


def built(keys, criterion=MEAN, candidates=64):
    """The race of a table."""
    return Race(map(str, range(candidates)), criterion, **build_rules(read_race(keys)))


@pytest.mark.parametrize(
    ("keys", "schedule"),
    [
        ({}, default_schedule(64)),
        ({"limit": 500, "max_instances": 40}, default_schedule(64, 500, 40)),
        ({"limit": 40}, default_schedule(64)),
        ({"limit": 500, "cost": "seconds"}, default_schedule(64)),
        ({"schedule": "halving", "keep": 0.25, "per_round": 2}, Halving(0.25, 2)),
        ({"schedule": "flat_budget", "budget": 48, "cap": 9}, FlatBudget(48, cap=9)),
        (
            {"schedule": "top_two", "budget": 48, "keep": 0.4, "complete": 90},
            Chain((FlatBudget(48, keep=0.4, finalists=16), Pairs(cap=90))),
        ),
        (
            {"schedule": "top_two", "budget": 48, "finalists": 3, "complete": 90},
            Chain((FlatBudget(48, finalists=3), Pairs(cap=90))),
        ),
        ({"schedule": "exact_max"}, ExactMax(32)),
        ({"schedule": "exact_max", "complete": 8}, ExactMax(8)),
    ],
)
def test_schedules(keys, schedule):
    criterion = as_criterion("max") if isinstance(schedule, ExactMax) else MEAN
    assert built(keys, criterion).schedule == schedule


def test_the_default_schedule_pays_for_what_a_spread_needs_at_first():
    schedule = built({}, as_criterion("mean+2*sd")).schedule
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
            {"rule": "test", "level": 0.01, "pairwise_test": "permutation", "friedman_above": 4},
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
    criteria = {"quantile": "median", "exact_max": "max"}
    assert built(keys, criteria.get(rule.name, "mean"), 8).rule == rule


def test_every_key_of_a_schedule_or_rule_is_tried_below():
    assert {key for kind in registry.ONE for key in registry.keys(kind)} == set(VALUES)


@pytest.mark.parametrize("key", VALUES)
def test_a_key_is_used_or_refused_with_its_homes(key):
    """No combination is silently ignored: a key changes what is built, or is refused."""
    kind = next(kind for kind in registry.ONE if key in registry.keys(kind))
    choice = registry.ONE[kind]
    homes = [name for name, _ in registry.keys(kind)[key]]
    for name, part in registry.registered(kind).items():
        own = [one.name for one in part.parameters()]
        needed = {one: {"budget": 30.0, "complete": 32}[one] for one in own if one in NEEDED}
        given = {choice: name, **needed}
        full = read_race({**given, key: VALUES[key]})
        if key in own:
            assert build_rules(full)[choice] != build_rules(read_race(given))[choice]
            continue
        with pytest.raises(ConfigurationError) as caught:
            build_rules(full)
        assert str(caught.value) == (
            f"{key} = {shown(VALUES[key])} has no meaning for {choice} = '{name}': it belongs to "
            f"{choice} = {either(homes)}"
        )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"schedule": "flat_budget"},
            "'flat_budget' needs budget, a number above 0:",
        ),
        (
            {"schedule": "top_two", "budget": 9},
            "'top_two' needs complete, a whole number",
        ),
        ({"schedule": "exact_max", "rule": "test"}, "rule = 'test' has no meaning for schedule ="),
        (
            {"schedule": "exact_max", "max_instances": 9},
            "max_instances = 9 has no meaning for schedule = 'exact_max",
        ),
        ({"anytime": True}, "anytime = true has no meaning for rule = 'prediction': .* 'quantile'"),
        ({"screen_margin": "noise"}, "screen_margin = 'noise' has no meaning without a screen"),
        ({"rule": "test", "level": 0.7}, r"level = 0\.7 cannot be used: give a small prob"),
    ],
)
def test_impossible_tables_are_one_sentence(keys, message):
    with pytest.raises(ConfigurationError, match=message):
        build_rules(read_race(keys))


def test_rules_make_a_race():
    race = built({"rule": "test", "max_instances": 40, "limit": 900.0, "screen": 0.3})
    schedule = default_schedule(64, 900, 40)
    assert race == Race(race.keys, MEAN, schedule, Screen(0.3), ByTest(), 900.0, 40)
    noisy = build_rules(read_race({"screen": 0.3, "screen_margin": "noise"}))
    assert noisy["screen"] == Screen(0.3, "noise")


def test_keys_of_former_versions_mean_the_same():
    former = {"rule": "test", "most": 40, "few": "permutation", "many": 5}
    race = built(former)
    assert (race.rule, race.max_instances) == (ByTest(0.05, 5, "permutation"), 40)


PAGE = (Path(__file__).parents[2] / "docs" / "race.md").read_text()


def row(name, part, kind):
    """What the page says of a schedule or rule: the first words of its docstring, and its keys."""
    words = " ".join(inspect.getdoc(part).split("\n\n")[0].split()).replace("``", "`").rstrip(".")
    keys = [
        f"`{one.name}`" + ("" if one.needed else f" ({toml(one.default)})")
        for one in part.parameters()
    ]
    judges = [part.judges] if kind == "rules" else []
    return f"| {' | '.join([f'`{name}`', words, *judges, ', '.join(keys)])} |".replace("  |", " |")


def toml(value):
    return f'`"{value}"`' if isinstance(value, str) else shown(value)


def test_the_page_has_a_row_of_every_schedule_and_rule():
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    made = [
        row(name, part, kind)
        for kind in registry.ONE
        for name, part in registry.registered(kind).items()
    ]
    assert rows == made
    assert f"`max_instances` is {MAX_INSTANCES} unless given" in " ".join(PAGE.split())


def test_the_tables_of_the_page_make_races():
    for text in re.findall(r"```toml\n(.*?)```", PAGE, re.S):
        read = tomllib.loads(text)
        criterion = as_criterion(read.get("study", {}).get("criterion", "mean"))
        built(read["race"], criterion, 2)


def test_the_sentences_of_the_page_are_those_said():
    def race(keys, criterion):
        return built(keys, as_criterion(criterion))

    said = []
    for keys, criterion in (({"level": 0.01}, "mean"), ({"rule": "quantile"}, "quantile(0.9)")):
        with pytest.raises(ConfigurationError) as caught:
            race(keys, criterion)
        said.append(f"surefoot: study.toml: [race] {caught.value}\n")
    assert f"```text\n{''.join(said)}```" in PAGE
