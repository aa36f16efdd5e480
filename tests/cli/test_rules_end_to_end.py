"""Rules and schedules of the study file, through the command line: select, resume, show, rerace."""

from __future__ import annotations

import re

import pytest

from surefoot.journal import Journal
from surefoot.racing.rules.tests import ByTest
from surefoot.racing.schedules.exact_max import ByMax, ExactMax
from surefoot.seeds.ledger import Role
from surefoot.studies.description import RaceDescription
from surefoot.studies.race_record import recorded_race

TEST = 'rule = "test"\nmax_instances = 12\nlevel = 0.1'
EXACT = 'schedule = "exact_max"\ncomplete = 6'


@pytest.fixture
def write(folder):
    """Write a study of six scaled sums under other rules; return its name."""
    text = (folder / "small.toml").read_text().replace("screen = 0.5", "")

    def writing(name, rules, criterion="mean"):
        study = text.replace('schedule = "halving"', rules)
        study = study.replace("seed = 5", f'seed = 5\ncriterion = "{criterion}"')
        (folder / name).write_text(study)
        return name

    return writing


def flat(text):
    return " ".join(text.split())


def losses_of(path):
    with Journal.read(path) as journal:
        found = {}
        for outcome in journal.outcomes(Role.RACE):
            found.setdefault(outcome.candidate, []).append((outcome.instance, outcome.loss))
        return {key: [loss for _, loss in sorted(rows)] for key, rows in found.items()}


def test_a_race_by_test_ends_resumes_and_is_shown(run, write) -> None:
    write("t.toml", TEST)
    code, out, err = run("select", "t.toml")
    assert (code, err) == (0, "")
    losses = losses_of("t.db")
    assert max(map(len, losses.values())) <= 12
    with Journal.read("t.db") as journal:
        race, count = RaceDescription.read(journal.study).race, journal.count()
        state = recorded_race(journal).state()
    assert (race.rule, race.max_instances) == (ByTest(0.1), 12)
    assert state.over
    assert all("p = " in one.reason and "look" in one.reason for one in state.eliminations)
    ended = f"The race ended with {len(state.survivors)} candidates left: rule 'test' tells no more"
    assert (ended in flat(out)) == (len(state.survivors) > 1)
    code, again, _ = run("select", "t.toml")
    assert code == 0
    assert again.endswith(out[out.index("Winner") :])
    code, shown, _ = run("show", "t.db", "--eliminated")
    assert code == 0
    assert flat(out[out.index("Winner") : out.index("Journal")]) in flat(shown)
    assert len(re.findall(r"(?m)^round \d+: [0-9a-f]{16} ", shown)) == len(state.eliminations)
    with Journal.read("t.db") as journal:
        assert journal.count() == count


def test_candidates_that_no_test_tells_apart_are_named_as_such(run, write) -> None:
    """Five instances are the fewest a test can judge: of six candidates, some are still left."""
    rules = 'schedule = "halving"\nrule = "test"\nlevel = 0.001\nmax_instances = '
    write("t.toml", f"{rules}9", "median")
    code, _, err = run("select", "t.toml")
    assert code == 2
    assert "[race] rule 'test' can remove nobody of 6 candidates before 14 instances of each" in err
    write("t.toml", f"{rules}14", "median")
    code, out, _ = run("select", "t.toml", "--dry-run")
    assert code == 0
    assert "until one candidate is left or each has 14 instances; 'test' decides" in out
    assert re.search(r"race +at most 84 trainings\n", out)
    code, out, _ = run("select", "t.toml")
    assert code == 0
    with Journal.read("t.db") as journal:
        survivors = len(recorded_race(journal).state().survivors)
    assert survivors > 1
    assert (
        f"The race ended with {survivors} candidates left: rule 'test' tells no more apart with "
        "the instances that max_instances = 14 allows; the best median wins."
    ) in flat(out)
    code, out, _ = run("rerace", "t.db")
    assert code == 0
    assert f"the race ended with {survivors} candidates left: rule 'test' tells" in flat(out)


def test_exact_max_finds_the_smallest_maximum_and_resumes(run, write) -> None:
    write("e.toml", EXACT, "max")
    code, out, err = run("select", "e.toml")
    assert (code, err) == (0, "")
    losses = losses_of("e.db")
    with Journal.read("e.db") as journal:
        race, count = RaceDescription.read(journal.study).race, journal.count()
        state = recorded_race(journal).state()
    assert (race.schedule, race.rule) == (ExactMax(6), ByMax(6))
    full = {key: max(row) for key, row in losses.items() if len(row) == 6}
    assert state.winner == min(full, key=lambda key: (full[key], key))
    assert all(max(row) > full[state.winner] for key, row in losses.items() if key not in full)
    assert all("no further instance can undercut" in one.reason for one in state.eliminations)
    code, again, _ = run("select", "e.toml")
    assert again.endswith(out[out.index("Winner") :])
    assert "no further instance can undercut" in run("show", "e.db", "-x")[1]
    with Journal.read("e.db") as journal:
        assert journal.count() == count
    code, _, err = run("rerace", "e.db", "--criterion", "mean")
    assert code == 2
    assert "'exact_max' is of the criterion 'max' alone, not of 'mean'" in err
    code, out, _ = run("rerace", "e.db", "--criterion", "median", "--schedule", "halving")
    assert code in (0, 3)
    assert "6 candidates, median" in out


@pytest.mark.parametrize(
    ("rules", "criterion", "message"),
    [
        (
            EXACT,
            "mean",
            "[race] schedule 'exact_max' is of the criterion 'max' alone, not of 'mean'",
        ),
        ('rule = "quantile"', "mean", "[race] rule 'quantile' cannot judge 'mean'"),
        ('rule = "test"', "max", "[race] rule 'test' compares typical losses and cannot judge"),
        ("level = 0.01", "mean", "[race] level = 0.01 has no meaning for rule = 'prediction'"),
        ('rule = "tests"', "mean", "[race] rule = 'tests' cannot be used: it must be 'rank', 'pr"),
    ],
)
def test_impossible_rules_are_refused_before_anything_trains(
    run, folder, write, rules, criterion, message
) -> None:
    write("bad.toml", rules, criterion)
    code, _, err = run("select", "bad.toml")
    assert code == 2
    assert f"bad.toml: {message}" in err
    assert err.count("\n") == 1
    assert not (folder / "bad.db").exists()


def test_a_changed_rule_is_another_study(run, write) -> None:
    write("t.toml", TEST)
    assert run("select", "t.toml")[0] == 0
    for changed, message in (
        (TEST.replace("0.1", "0.05"), "rule.level: 0.1 -> 0.05"),
        (TEST.replace("12", "11"), "max_instances: 12 -> 11"),
        ('rule = "signs"\nmax_instances = 12\nlevel = 0.1', 'rule.kind: "test" -> "signs"'),
        ('rule = "rank"', 'rule.kind: "test" -> "rank"'),
    ):
        write("t.toml", changed)
        code, _, err = run("select", "t.toml")
        assert code == 2
        assert message in err


@pytest.mark.parametrize(
    ("criterion", "keys"),
    [
        (
            "mean",
            {
                "schedule": "default",
                "rule": "test",
                "level": 0.1,
                "pairwise_test": "permutation",
                "friedman_above": 3,
                "max_instances": 12,
            },
        ),
        ("median", {"schedule": "halving", "per_round": 3, "rule": "signs", "max_instances": 14}),
        (
            "cvar(0.2)",
            {"schedule": "flat_budget", "budget": 20, "rule": "swaps", "max_instances": 14},
        ),
        (
            "median",
            {
                "schedule": "default",
                "rule": "quantile",
                "anytime": True,
                "max_instances": 14,
                "level": 0.2,
            },
        ),
        ("mean", {"schedule": "top_two", "budget": 9, "finalists": 2, "complete": 10}),
        ("max", {"schedule": "exact_max", "complete": 9}),
        ("mean", {"schedule": "halving", "screen": 0.1, "screen_margin": "noise", "limit": 40}),
    ],
)
def test_rerace_decides_as_the_study_file_does(run, write, criterion, keys) -> None:
    """On a record long enough for all, the same words give the same rounds and winner."""
    write("all.toml", 'schedule = "halving"\nwarmup = 14')
    assert run("select", "all.toml")[0] == 0
    shown = {True: "true", False: "false"}
    lines = [
        f"{key} = {shown[value] if isinstance(value, bool) else repr(value)}"
        for key, value in keys.items()
    ]
    write("own.toml", "\n".join(lines), criterion)
    code, _, err = run("select", "own.toml")
    assert (code, err) == (0, "")
    options = ["--criterion", criterion]
    for key, value in keys.items():
        options.append("--" + key.replace("_", "-"))
        if not isinstance(value, bool):
            options.append(value)
    code, out, err = run("rerace", "all.db", *options)
    assert (code, err) == (0, "")
    code, own, _ = run("rerace", "own.db")
    assert code == 0
    tables = [text[text.index("round ") : text.index("winner: ")] for text in (out, own)]
    assert tables[0] == tables[1]
    winners = [re.search(r"winner: (.*?\([0-9a-f]{16}\))", flat(text)) for text in (out, own)]
    assert winners[0].group(1) == winners[1].group(1)
