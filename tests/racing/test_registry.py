"""Everything registered means the same in a study file, in Python, in rerace and in the planner."""

import dataclasses

import numpy as np
import pytest

from surefoot import registry as names
from surefoot.cli.commands.rerace import changes_of, race_options
from surefoot.errors import ConfigurationError, JournalError
from surefoot.journal import Journal
from surefoot.racing import ByCurve, ByMax, ByRank, ExactMax, Halving, Race, as_criterion
from surefoot.racing.registry import ONE, describe, keys, modern, rebuild, registered
from surefoot.racing.simulation.pilot import Pilot
from surefoot.racing.simulation.planner import simulate
from surefoot.studies.plan.plan import OWN, choices
from surefoot.studies.select.rerace import rerace
from surefoot.study_files.schema import build_rules, read_race
from tests.racing.worlds import pilot_table
from tests.studies.races import run, study

NEEDED = {"budget": 40.0, "complete": 5}
JUDGED = {"any": "mean", "mean, median": "mean", "median, quantile(p)": "median", "max": "max"}
PARTS = [(kind, name) for kind in ONE for name in registered(kind)]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A journal of the paper's race."""
    path = tmp_path_factory.mktemp("registered") / "race.db"
    run(study(certify=0), path)
    return path


def races(path, given, criterion):
    """The race of a study file, of Python, of rerace and of the planner, with the same keys."""
    rules = build_rules(read_race(given))
    file = study(criterion=criterion, **rules)
    by_name = {name: given.get(name) for name in ("schedule", "rule", "rungs")}
    if NEEDED.keys() & given.keys():
        by_name["schedule"] = rules["schedule"]
    python = study(criterion=criterion, **by_name)
    with Journal.read(path) as journal:
        again = rerace(journal, criterion=criterion, **changes_of(dict(given)))
    plan = choices(file)[0]
    assert plan.name.startswith(OWN)
    planned = dataclasses.replace(plan.race, keys=file.race.keys)
    table = pilot_table(8, 4)
    pilot = Pilot.of(table, curves=table.losses[:, :, None] * np.array([2.0, 1.0]))
    scenario = dataclasses.replace(plan.scenario(1), race=plan.race)
    (forecast,) = simulate(pilot, 24, {"": scenario}, rng=np.random.default_rng(0), races=1)
    assert forecast.trainings > 0
    return file.race, python.race, again.race, planned


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_schedules_and_rules_have_the_same_defaults_everywhere(recorded, kind, name):
    part = registered(kind)[name]
    rule = getattr(part, "own_rule", part)
    given = {"schedule": "halving"} if kind != "schedules" else {}
    given |= {one.name: NEEDED[one.name] for one in part.parameters() if one.needed}
    given[ONE[kind]] = name
    criterion = JUDGED["any" if rule is None else rule.judges]
    first, *others = races(recorded, given, criterion)
    assert all(other == first for other in others)
    if kind == "rules":
        assert first.rule == part()
    elif kind == "rungs":
        assert first.rungs == part()
    else:
        assert first.rule == first.schedule.usual_rule


@pytest.mark.parametrize("word", names.names("criteria"))
def test_criteria_mean_the_same_everywhere(recorded, word):
    first, *others = races(recorded, {"schedule": "halving"}, word)
    assert all(other == first for other in others)
    assert first.criterion == as_criterion(word) == as_criterion(first.criterion.name)


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_a_part_states_its_name_and_every_key_is_an_option(kind, name):
    part = registered(kind)[name]
    assert part.name == name
    assert part.__doc__
    options = {option.name for option in race_options()}
    assert {one.name for one in part.parameters()} | {ONE[kind]} <= options
    assert all(one.help.endswith(".") and one.domain.words for one in part.parameters())


def test_an_exact_race_given_in_python_has_its_own_rule():
    race = study(criterion="max", schedule=ExactMax(32)).race
    assert race.rule == ByMax(32)
    assert race.max_instances == 32
    assert Race("abc", schedule=Halving(3 / 4)).rule == ByRank()


def test_names_and_numbers_that_are_none_are_refused_with_what_would_be_right():
    for fields, message in (
        ({"schedule": "halvig"}, "schedule = 'halvig' is not known: did you mean 'halving'"),
        ({"rule": "tests"}, "rule = 'tests' is not known: did you mean 'test'"),
        ({"schedule": "flat_budget"}, "schedule = 'flat_budget' needs budget"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            Race("abc", **fields)
    with pytest.raises(ConfigurationError, match="halving: keep = 'much' cannot be used: give a"):
        Halving(keep="much")


@pytest.mark.parametrize(("kind", "name"), PARTS)
def test_journals_keep_stable_names(kind, name):
    part = registered(kind)[name]
    made = part(**{one.name: NEEDED[one.name] for one in part.parameters() if one.needed})
    described = describe(made)
    assert described["kind"] == name
    assert rebuild(kind, described) == made
    with pytest.raises(JournalError, match="'unheard' is not known here: known are"):
        rebuild(kind, {**described, "kind": "unheard"})
    with pytest.raises(JournalError, match="has other numbers than this surefoot's"):
        rebuild(kind, {**described, "unheard": 1})


def test_descriptions_of_former_versions_are_those_of_today():
    default = {
        "kind": "Chain",
        "parts": [
            {
                "cap": 64,
                "finalists": 16,
                "kind": "Closest",
                "part": 0.5,
                "share": 0.2,
                "total": 256,
            },
            {"cap": 64, "kind": "TopTwo", "per_round": 2, "separation": 4.0, "total": 256},
        ],
    }
    rule = {"few": "wilcoxon", "kind": "ByTest", "level": 0.05, "many": 8, "seed": 0}
    study = {"most": 64, "schedule": default, "rule": rule, "screen": None}
    found = modern(study)
    race = Race(map(str, range(64)), rule="test")
    assert rebuild("schedules", found["schedule"]) == race.schedule
    assert found == {
        "max_instances": race.max_instances,
        "schedule": describe(race.schedule),
        "rule": describe(race.rule),
        "screen": None,
    }
    assert modern(found) == found


def test_a_key_means_the_same_wherever_it_stands():
    for kind in ONE:
        for homes in keys(kind).values():
            (first, *others) = (one for _, one in homes)
            assert all(one.domain.words == first.domain.words for one in others)


def test_rungs_of_an_earlier_rule_are_refused():
    described = describe(ByCurve())
    assert rebuild("rungs", described) == ByCurve()
    del described["tolerance"]
    with pytest.raises(JournalError, match="'prediction' are those of an earlier surefoot"):
        rebuild("rungs", described)
