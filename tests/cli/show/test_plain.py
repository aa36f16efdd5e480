"""``--json``: a command's result and nothing else, with the exit code that words would have."""

import json
from typing import Any

import pytest

import surefoot
from tests.cli.commands.small import count


def strict(text: str) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def raced(folder, run):
    assert run("select", "small.toml")[0] == 0
    return folder


def test_journals(run, raced) -> None:
    (raced / "broken.db").write_text("no journal")
    code, out, err = run("journals", "--json")
    assert (code, err) == (0, "")
    told, found = strict(out), surefoot.journals(".")
    assert [(one["name"], one["state"], one["progress"]) for one in told] == [
        (one.name, one.state, one.progress) for one in found
    ]
    (whole,) = [one for one in told if one["journal"].endswith("small.db")]
    assert whole["instances"] == count("small.db")
    assert whole["written"].endswith("+00:00")
    (raced / "empty").mkdir()
    assert strict(run("journals", "empty", "--json")[1]) == []


def test_check(run, raced) -> None:
    code, out, _ = run("check", "small.db", "--replay", 2, "--json")
    told, checked = strict(out), surefoot.check("small.db")
    assert code == 0
    assert told["same"] is True
    assert (told["rows"], told["digest"]) == (checked.verified.rows, checked.verified.digest)
    assert [one["difference"] for one in told["replayed"]] == [None, None]
    for one in told["replayed"]:
        assert one["recorded"]["loss"] == one["again"]["loss"] > 0
        assert one["recorded"]["epochs"] == one["again"]["epochs"] >= 1


def test_replay(run, raced) -> None:
    code, out, _ = run("replay", "small.db", "winner", 0, "--json")
    told, again = strict(out), surefoot.replay("small.db", "winner", 0)
    assert code == 0
    assert (told["label"], told["role"], told["instance"]) == (again.label, "race", 0)
    assert told["again"]["loss"] == again.recorded.loss


def test_rerace(run, raced) -> None:
    code, out, _ = run("rerace", "small.db", "--criterion", "max", "--json")
    told, found = strict(out), surefoot.rerace("small.db", criterion="max")
    assert code == (0 if found.state.over else 3)
    assert (told["criterion"], told["winner"]) == ("max", found.state.winner)
    assert [one["key"] for one in told["ranking"]] == list(found.state.ranking)
    code, out, _ = run("rerace", "small.db", "--schedule", "halving", "--warmup", "99", "--json")
    told = strict(out)
    assert code == 3
    assert (told["over"], told["winner"]) == (False, None)
    assert sum(told["missing"].values()) > 0
    assert "are not recorded" in " ".join(told["words"])
