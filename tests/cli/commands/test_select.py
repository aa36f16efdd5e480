import re

import pytest

from surefoot.journal import Journal
from surefoot.studies.select.study import SelectStudy


def test_select_ends_with_winner_certificate_and_figure(run, folder):
    code, out, err = run("select", "small.toml")
    assert (code, err) == (0, "")
    assert "A small study: 6 candidates, mean of relative_rmse on showers.npz" in out
    assert "screen: 6 candidates, 6 instances to train" in out
    assert re.search(r"Winner +scaled sum", out)
    assert "With 95 % confidence, at least 65.1 % of retrainings" in " ".join(out.split())
    assert "Winner's curse: mean" in out
    assert re.search(r"Journal +small\.db\nFigure +small\.png\n", out)
    assert (folder / "small.png").read_bytes().startswith(b"\x89PNG")
    assert all(len(line) < 100 for line in out.splitlines())


def test_a_second_run_trains_nothing_and_says_the_same(run, folder):
    _, first, _ = run("select", "small.toml", "-j", "r.db")
    with Journal.read("r.db") as journal:
        count = journal.count()
    _, second, _ = run("select", "small.toml", "-j", "r.db", "-f", "other.svg")
    with Journal.read("r.db") as journal:
        assert journal.count() == count
    assert f"resumed: {count} outcomes are in the journal already" in second
    end = first[first.index("Winner") :].replace("r.png", "other.svg")
    assert second.endswith(end)


def test_a_changed_study_file_is_refused_and_nothing_mixed(run, folder):
    run("select", "small.toml", "-j", "r.db")
    text = (folder / "small.toml").read_text()
    (folder / "small.toml").write_text(text.replace("seed = 5", "seed = 6"))
    code, _, err = run("select", "small.toml", "-j", "r.db")
    assert code == 2
    assert err.startswith("surefoot: ")
    assert 'seed: "5" -> "6"' in err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("screen = 0.5", "screen = -0.9", "every one of the 6 candidates was screened out"),
        ("size = 60", "size = 600\nmethod = 'subsample'", "[sampling] a sample of 600 examples"),
        ('target = "energy"', 'target = "enrgy"', "[population]"),
        ("showers.npz", "shower.npz", "[population]"),
        ('"3x3", "5x5"]', '"4x4"]', "[space]"),
        ("[certificate]", "[certificat]", "did you mean 'certificate'?"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(run, folder, old, new, message):
    text = (folder / "small.toml").read_text()
    assert old in text
    (folder / "small.toml").write_text(text.replace(old, new))
    code, _, err = run("select", "small.toml")
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_impossible_outputs_are_refused_before_anything_is_trained(run, folder):
    assert "has the suffix '.gif'" in run("select", "small.toml", "-f", "a.gif")[2]
    assert (
        "make the folder 'no' first"
        in run("select", "small.toml", "-j", "no/r.db", "-f", "a.png")[2]
    )
    assert "engine 'fast' is unknown" in run("select", "small.toml", "-e", "fast")[2]
    assert not list(folder.glob("*.db"))


def test_ctrl_c_says_how_to_go_on(run, folder, monkeypatch):
    def interrupted(*_, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(SelectStudy, "run", interrupted)
    code, _, err = run("select", "small.toml", "--engine", "direct")
    assert code == 130
    assert "Go on with: surefoot select small.toml --journal small.db --engine direct" in err


def test_dry_run_trains_nothing(run, folder):
    code, out, _ = run("select", "small.toml", "--dry-run")
    assert code == 0
    assert "screen        6 candidates, 6 trainings, the screen decides who stays" in out
    assert "certificate   7 trainings of the winner" in out
    assert re.search(r"time +about .* s on \d+ cores? \(speed measured just now", out)
    assert not list(folder.glob("*.db*"))


BROKEN = """
[population]
source = "showers.npz"
features = "cells"
target = "energy"

[loss]
name = "rmse"

[[space]]
family = "function"
function = "mine.train"

[[space]]
family = "scaled_sum"

[certificate]
n = 3
"""


def test_why_a_candidate_fails_is_said_at_once_and_by_a_dry_run(run, folder):
    text = "import surefoot\n\n@surefoot.candidate\ndef train(draw, seed):\n    import not_there\n"
    (folder / "mine.py").write_text(text)
    (folder / "broken.toml").write_text(BROKEN)
    why = "ModuleNotFoundError: No module named 'not_there'"
    _, out, _ = run("select", "broken.toml", "--trust", "mine", "--dry-run")
    assert f"fails         train fails: {why}" in out
    code, out, _ = run("select", "broken.toml", "--trust", "mine", "-w", "1")
    assert code == 0
    told = f"train, race instance 0, failed: {why}"
    assert out.index(told) < out.index("Winner") < out.rindex("train, race instance 0")
    assert why in " ".join(run("show", "broken.db")[1].split())
    (folder / "alone.toml").write_text(BROKEN.replace('[[space]]\nfamily = "scaled_sum"', ""))
    code, _, err = run("select", "alone.toml", "--trust", "mine", "--dry-run")
    assert (code, err.count("\n")) == (2, 1)
    assert why in err
