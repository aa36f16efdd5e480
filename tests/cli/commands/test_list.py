"""``surefoot list``, ``--json`` and ``--quiet``."""

import json

import pytest

import surefoot
from surefoot.study_files.available import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_table(run, kind):
    code, out, _ = run("list", kind)
    assert code == 0
    for name in surefoot.available(kind):
        assert f"\n{name} " in out


def test_all_kinds_are_there_for_a_program(run):
    code, out, _ = run("list", "--json")
    assert code == 0
    assert json.loads(out) == {kind: surefoot.available(kind) for kind in KINDS}


def test_another_kind_is_refused(run):
    code, _, err = run("list", "criterion")
    assert code == 2
    assert "'criteria'" in err


def test_a_quiet_command_says_nothing_but_what_went_wrong(run, folder):
    assert run("select", "small.toml", "--quiet") == (0, "", "")
    assert (folder / "small.db").exists()
    assert run("plot", "small.db", "a.png", "-q") == (0, "", "")
    code, out, err = run("export", "small.db", "a.xls", "--quiet")
    assert (code, out) == (2, "")
    assert "has the suffix" in err


def test_a_study_is_told_as_json(run, folder):
    code, out, _ = run("select", "small.toml", "--json")
    assert code == 0
    told = json.loads(out)
    assert told.pop("figure") == "small.png"
    assert told == surefoot.summary("small.db")
    code, out, _ = run("show", "small.db", "--json")
    assert json.loads(out) == told
    assert told["name"] == "A small study"
    best = told["candidates"][0]
    assert best["key"] == told["winner"]
    assert best["figures"]["bound"] == max(best["certificate"]["losses"])
    code, out, _ = run("assess", "small.toml", "--from", "small.db", "--promise", "1e-9", "--json")
    assert code == 1
    assert json.loads(out)["kind"] == "assess"
