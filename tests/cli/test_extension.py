"""A study file edited to ask for more goes on in its journal."""

import re
from pathlib import Path

import pytest

from surefoot.journal import Journal
from surefoot.seeds.ledger import Role

PAGE = (Path(__file__).parents[2] / "docs" / "race.md").read_text()


def edit(folder, *changes):
    text = (folder / "small.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "small.toml").write_text(text)


@pytest.fixture
def limited(folder):
    edit(
        folder,
        ('schedule = "halving"\nscreen = 0.5', "limit = 30"),
        ('[baseline]\nfamily = "scaled_sum"\n', ""),
    )
    return folder


def counts(path="small.db"):
    with Journal.read(path) as journal:
        return journal.count(Role.RACE), journal.count(Role.CERTIFY)


def test_a_larger_limit_and_certificate_go_on_as_if_asked_for_at_once(run, limited):
    run("select", "small.toml")
    assert counts() == (30, 7)
    edit(limited, ("limit = 30", "limit = 60"), ("n = 7", "n = 12"))
    code, out, err = run("select", "small.toml")
    assert (code, err) == (0, "")
    said = re.search(r"Extended: .*\n.*had been seen.*\n", out).group()
    assert f"```text\n{said}```" in PAGE
    assert "resumed: 37 outcomes are in the journal already" in out
    _, once, _ = run("select", "small.toml", "-j", "once.db", "-f", "small.png")
    assert "Extended" not in once
    assert counts() == counts("once.db")
    assert 30 < counts()[0] <= 60
    assert counts()[1] == 12
    end = out[out.index("Winner") :]
    assert end == once[once.index("Winner") :].replace("once.db", "small.db")
    _, again, _ = run("select", "small.toml")
    assert "Extended" not in again
    assert again.endswith(end)


def test_show_tells_the_history(run, limited):
    run("select", "small.toml")
    assert "Extended" not in run("show", "small.db")[1]
    edit(limited, ("limit = 30", "limit = 40"))
    run("select", "small.toml")
    edit(limited, ("limit = 40", ""))
    run("select", "small.toml")
    lines = run("show", "small.db")[1].splitlines()
    time = r"\(\d{4}-\d\d-\d\d \d\d:\d\d UTC\)"
    assert re.fullmatch(
        f"Extended twice: limit 30 -> 40 {time}; limit 40 -> none "
        rf"\(default schedule: 40 -> 198 trainings\) {time}",
        lines[1],
    )
    assert lines[2].startswith("7 fresh losses had been seen before it was extended")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("limit = 30", "limit = 20", "only asks for more, but limit 30 -> 20 asks for less"),
        ("limit = 30", 'limit = 30\nrule = "rank"', "`surefoot rerace JOURNAL` runs the recorded"),
        ("[false, true]", "[true]", "other candidates make another race"),
        ("n = 7", "n = 5", "but certify 7 -> 5 asks for less"),
    ],
)
def test_other_changes_are_refused_in_a_sentence(run, limited, old, new, message):
    run("select", "small.toml")
    edit(limited, (old, new))
    code, _, err = run("select", "small.toml")
    assert code == 2
    assert "belongs to another study" in err
    assert message in err
    assert err.count("\n") == 1
    assert counts() == (30, 7)
    with Journal.read("small.db") as journal:
        assert journal.extensions() == []


def test_a_race_rerun_under_a_smaller_limit_is_what_the_refusal_says(run, limited):
    run("select", "small.toml")
    code, out, err = run("rerace", "small.db", "--limit", "20")
    assert (code, err) == (0, "")
    assert "pays for no further round" in out
    assert counts() == (30, 7)
