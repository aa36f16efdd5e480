"""``surefoot compare`` on small showers."""

import re

import numpy as np
import pytest

from tests.cli.commands.small import count

COMPARE = """
[study]
name = "Sums and a network"
seed = 5

[population]
source = "showers.npz"
features = "cells"
target = "energy"
target_unit = "GeV"
side = "total"

[loss]
name = "relative_rmse"

[stopping]
max_epochs = 2
min_epochs = 1
reading = "none"

[[space]]
name = "network"
channels = [2]
hidden = [3]
learning_rate = 1e-2

[[space]]
name = "square"
family = "scaled_sum"
window = "3x3"

[baseline]
name = "the sum"
family = "scaled_sum"

[compare]
sizes = [30, 60]
instances = 5
"""


@pytest.fixture
def compared(folder):
    (folder / "c.toml").write_text(COMPARE)
    return folder


def test_a_comparison_ends_with_tables_and_a_figure(run, compared):
    code, out, err = run("compare", "c.toml")
    assert (code, err) == (0, "")
    assert "Sums and a network: 3 candidates, relative_rmse on showers.npz, 5 instances" in out
    assert "instances: 30 to go" in out
    assert re.search(r"30 examples +median +quartiles +largest +bound +beats the sum\n", out)
    assert re.search(r"\nsquare \*? +0\.\d+ +0\.\d+ – 0\.\d+ +0\.\d+ +0\.\d+ +\d+%", out)
    assert "at least 54.9 % of a candidate's" in " ".join(out.split())
    assert re.search(r"Journal +c-compare\.db\nFigure +c-compare\.png\n", out)
    assert (compared / "c-compare.png").read_bytes().startswith(b"\x89PNG")
    assert count("c-compare.db") == 30


def test_more_goes_on_where_it_was(run, compared):
    run("compare", "c.toml", "-j", "c.db")
    code, out, _ = run("compare", "c.toml", "-j", "c.db", "-i", 6, "-s", "60,90")
    assert code == 0
    assert "instances: 21 to go" in out
    assert "(15 before)" in out
    assert count("c.db") == 51


def test_a_dry_run_trains_nothing(run, compared):
    code, out, _ = run("compare", "c.toml", "--dry-run", "-i", 7)
    assert code == 0
    assert re.search(r"42 trainings, about .* on \d cores? ", out)
    assert not list(compared.glob("*.db"))


def test_the_papers_scale_is_a_preset_and_needs_its_data(run, compared):
    code, _, err = run("compare", "c.toml", "--paper")
    assert code == 2
    assert "a sample of 32,000 examples exceeds the 100 that showers.npz has" in err
    code, out, _ = run("compare", "c.toml", "--paper", "-s", "50", "--dry-run")
    assert code == 0
    assert "50 instances each at 50 examples" in out
    assert "at most 120 epochs each" in out


def test_other_data_may_be_given(run, compared):
    with np.load("showers.npz") as whole:
        np.savez("half.npz", **{name: whole[name][:120] for name in whole})
    code, out, _ = run("compare", "c.toml", "--source", "half.npz", "-s", "20")
    assert code == 0
    assert "on half.npz" in out
    assert re.search(r"Journal +c-compare-half\.db\n", out)


def test_pairs_of_candidates_are_named_instead_of_the_files(run, compared):
    named = ("-c", "square", "-c", "channels = [3], hidden = [3], side = true")
    code, out, err = run("compare", "c.toml", *named, "-s", "20", "--dry-run")
    assert (code, err) == (0, "")
    labels = {"square": "scaled sum 3x3", "3c3 fc": "3c3 fc3-1.side", "the sum": "scaled sum"}
    for name, label in labels.items():
        assert re.search(rf"^  {name}.*  {label}", out, re.M), out
    assert "  network" not in out
    code, _, err = run("compare", "c.toml", "-c", "square", "-c", "square")
    assert code == 2
    assert err == "surefoot: c.toml: --candidate 'square' is given twice\n"
    code, _, err = run("compare", "c.toml", "-c", "sqare")
    assert code == 2
    assert "--candidate 'sqare' is no key" in err


def test_the_papers_sizes_are_those_that_the_data_reach(run, compared):
    code, _, err = run("compare", "c.toml", "-s", "paper")
    assert code == 2
    assert "the paper's sizes begin at 132, but showers.npz has 100 examples" in err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('window = "3x3"', 'window = ["3x3", "5x5"]', "'square' describes 2 candidates, but"),
        ('name = "square"', 'name = "network"', "name = 'network' is given twice"),
        ("sizes = [30, 60]", "sizes = [30, 600]", "600 examples exceeds the 100"),
        ("sizes = [30, 60]", "sizes = []", "needs at least one size"),
        ("instances = 5", "instances = 1", "n = 1 instances per size show no spread"),
        ("instances = 5", "instance = 5", "did you mean 'instances'?"),
        ('window = "3x3"', "", "is given twice"),
    ],
)
def test_bad_study_files_are_one_sentence(run, compared, old, new, message):
    assert old in COMPARE
    text = COMPARE.replace(old, new)
    if message == "is given twice":
        text = text.replace(
            "[baseline]\nname", '[[space]]\nfamily = "scaled_sum"\n[baseline]\nname'
        )
    (compared / "c.toml").write_text(text)
    code, _, err = run("compare", "c.toml")
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    code, _, err = run("compare", "c.toml", "-s", "many")
    assert code == 2


def test_ctrl_c_says_that_nothing_is_lost(run, compared, monkeypatch):
    from surefoot.studies.sizes.compare import CompareStudy

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(CompareStudy, "answer", interrupted)
    code, _, err = run("compare", "c.toml")
    assert code == 130
    assert "interrupted; every finished instance is kept in c-compare.db" in err
