"""``surefoot assess``: candidates by name, certificates and promises."""

import re

import numpy as np
import pytest

from surefoot.executors.local.executor import LocalExecutor
from tests.cli.commands.small import NETWORK, count


def test_assess_certifies_a_candidate_by_its_family(run, folder) -> None:
    code, out, err = run("assess", "small.toml", "-c", "scaled_sum", "-j", "a.db")
    assert (code, err) == (0, "")
    assert re.search(r"Assess: scaled sum +\(key [0-9a-f]{16}\), relative_rmse on showers.npz", out)
    assert "instances: 7 to go" in out
    assert re.search(r"Losses +7 instances: smallest 0\.", out)
    assert "at least 65.1 % of retrainings" in " ".join(out.split())
    assert (folder / "a.png").read_bytes().startswith(b"\x89PNG")
    _, again, _ = run("assess", "small.toml", "-c", "scaled_sum", "-j", "a.db")
    assert "to go" not in again
    assert count("a.db") == 7


def test_more_instances_go_on_in_the_journal_and_fewer_are_refused(run, folder) -> None:
    run("assess", "small.toml", "-c", "scaled_sum", "-j", "a.db")
    code, out, _ = run("assess", "small.toml", "-c", "scaled_sum", "-j", "a.db", "-i", "9")
    assert code == 0
    assert "Extended: n 7 -> 9; nothing recorded is trained again" in out
    assert "7 fresh losses had been seen before it was extended" in out
    assert "instances: 2 to go (7 before)" in out
    code, _, err = run("assess", "small.toml", "-c", "scaled_sum", "-j", "a.db", "-i", "8")
    assert code == 2
    assert "n: 9 -> 8" in err
    assert "an extension only asks for more, but n 9 -> 8 asks for less" in err
    assert "rerace" not in err
    assert count("a.db") == 9


@pytest.mark.parametrize(
    ("study", "which", "label"),
    [
        ("networks.toml", NETWORK, "2c3 fc3-1+side"),
        ("small.toml", "scaled sum 3x3", "scaled sum 3x3"),
        ("small.toml", "scaled_sum", "scaled sum"),
    ],
)
def test_candidates_are_named_in_several_ways(run, folder, study, which, label: str) -> None:
    code, out, err = run("assess", study, "-c", which, "--dry-run")
    assert (code, err) == (0, "")
    assert f"Assess: {label}" in out
    key = re.search(r"\(key ([0-9a-f]{16})\)", out).group(1)
    if study == "small.toml":
        assert run("assess", study, "-c", key[:12], "--dry-run")[1].splitlines()[0] in out


def test_the_winner_of_a_journal_can_be_assessed(run, folder) -> None:
    run("select", "small.toml", "-j", "r.db")
    code, out, _ = run("assess", "small.toml", "--from", "r.db", "-i", "3")
    assert code == 0
    winner = re.search(r"\(key ([0-9a-f]{16})\)", out).group(1)
    assert f"small-assess-{winner[:8]}.db" in out
    assert winner in run("show", "r.db")[1]


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ((), "describes 6 candidates: say which with --candidate"),
        (("-c", "model_7"), "did you mean 'model_"),
        (("-c", "channels = [2"), "cannot be read as fields"),
        (("-c", "chanels = [2]"), "field 'chanels' cannot be used"),
        (("-c", "channels = [[2], [3]]"), "describes 2 candidates"),
        (("-c", "scaled sum", "--from", "none.db"), "there is no journal"),
        (("-c", "model_1"), "input"),
    ],
)
def test_what_names_no_candidate_is_one_sentence(run, folder, which, message: str) -> None:
    code, _, err = run("assess", "small.toml", *which)
    assert code == 2
    assert err.startswith("surefoot: ")
    assert message in err
    assert err.count("\n") == 1


def test_a_dry_run_trains_nothing(run, small) -> None:
    for command in ("assess", "variance", "sample-size"):
        sizes = ("-s", "20,40") if command == "sample-size" else ()
        code, out, _ = run(command, "networks.toml", "-c", NETWORK, "--dry-run", *sizes)
        assert code == 0
        assert re.search(r"[\d,]+ trainings, about .* on \d+ cores?", out)
    assert not list(small.glob("*.db"))


def test_every_command_takes_other_data(run, small) -> None:
    with np.load("showers.npz") as whole:
        np.savez("half.npz", **{name: whole[name][:120] for name in whole})
    asked = {"assess": (), "variance": (), "sample-size": ("-s", "20,40")}
    for command, more in asked.items():
        given = (command, "networks.toml", "-c", NETWORK, "--source", "half.npz", *more)
        code, out, err = run(*given, "--dry-run")
        assert (code, err) == (0, "")
        assert "on half.npz" in out
    code, out, _ = run("assess", "small.toml", "-c", "scaled_sum", "--source", "half.npz", "-i", 3)
    assert code == 0
    assert re.search(r"small-assess-[0-9a-f]{8}-half\.db", out)


def test_ctrl_c_keeps_what_is_finished(run, folder, monkeypatch) -> None:
    real = LocalExecutor.batches

    def interrupted(self, instances, setting):
        for number, batch in enumerate(real(self, list(instances)[:2], setting)):
            yield batch
            del number
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalExecutor, "batches", interrupted)
    code, _, err = run("assess", "small.toml", "-c", "scaled_sum", "-j", "a.db")
    assert code == 130
    assert "every finished instance is kept in a.db" in err
    assert count("a.db") == 2
    monkeypatch.setattr(LocalExecutor, "batches", real)
    assert run("assess", "small.toml", "-c", "scaled_sum", "-j", "a.db")[0] == 0
    assert count("a.db") == 7


def test_a_promise_stops_as_soon_as_it_is_broken(run, folder) -> None:
    options = ("-c", "scaled_sum", "-j", "p.db", "-w", "2")
    code, out, err = run("assess", "small.toml", *options, "--promise", "0.0001")
    said = " ".join(out.split())
    assert (code, err) == (1, "")
    assert "Promise broken: at least 95 % of retrainings lose at most 0.0001" in said
    assert "instance 1 of 59 lost" in said
    assert "57 of 59 trainings were saved" in said
    assert "Certificate none" in said
    assert "lose more than 0.0001: the promise is false" not in said
    assert count("p.db") == 2
    assert (folder / "p.png").read_bytes().startswith(b"\x89PNG")


def test_a_kept_promise_is_certified(run, folder) -> None:
    options = ("-c", "scaled_sum", "--promise", "10", "--allowed", "1")
    code, out, err = run("assess", "small.toml", *options)
    said = " ".join(out.split())
    assert (code, err) == (0, "")
    assert "Promise kept: at least 95 % of retrainings lose at most 10 0 of 93 losses" in said
    assert "Certificate With 95 % confidence, at least 95 % of retrainings" in said
    assert list(folder.glob("small-promise-*.db"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--max-exceedances", "1"), "give the promise too"),
        (("--promise", "1", "-i", "9"), "a promise decides how many"),
        (("--promise", "nan"), "finite limit"),
    ],
)
def test_promises_that_cannot_be_asked_for(run, folder, options, message: str) -> None:
    code, _, err = run("assess", "small.toml", "-c", "scaled_sum", *options)
    assert code == 2
    assert message in err


def test_zero_instances_or_workers_are_refused_and_too_few_are_said_to_be(run, small):
    for options in (("-i", 0), ("-i", -3), ("-w", 0), ("-w", 5000), ("-p", "nan"), ("-i", 10**9)):
        code, _, err = run("assess", "networks.toml", "-c", NETWORK, *options)
        assert (code, err.count("\n")) == (2, 1), options
    code, out, _ = run("assess", "networks.toml", "-c", NETWORK, "-i", 3)
    assert code == 0
    caution = "Caution: 3 instances cannot certify 95 % of retrainings with 95 % confidence"
    assert out.index(caution) < out.index("instances: 3 to go")


def test_a_sample_size_study_that_cannot_answer_says_so_before(run, small):
    _, out, _ = run("sample-size", "networks.toml", "-c", NETWORK, "-s", "20,30", "-i", 3)
    assert out.index("Caution: no size can be named robust") < out.index("instances: 6 to go")
