"""``surefoot grid`` on small showers."""

import re

import numpy as np
import pytest

from surefoot.cli.commands import grid as command
from tests.cli.commands.small import count


@pytest.fixture
def study(folder):
    text = (folder / "small.toml").read_text()
    (folder / "g.toml").write_text(text + '\n[grid]\ninstances = 7\nby = "window"\n')
    return folder


def test_a_grid_ends_with_tables_by_field_and_a_figure(run, study):
    code, out, err = run("grid", "g.toml")
    assert (code, err) == (0, "")
    assert "A small study: 6 candidates, relative_rmse on showers.npz, 7 instances each" in out
    assert "instances: 42 to go" in out
    assert re.search(r"\nwindow +candidates +median +95% interval +half within +lost +p\n", out)
    assert re.search(r"\nlinear ", out) is None
    assert re.search(r"Journal +g-grid\.db\nFigure +g-grid\.png\n", out)
    assert (study / "g-grid.png").read_bytes().startswith(b"\x89PNG")
    assert count("g-grid.db") == 42


def test_another_field_and_more_instances_go_on(run, study):
    run("grid", "g.toml")
    code, out, _ = run("grid", "g.toml", "--by", "linear", "--by", "window", "-i", 8)
    assert code == 0
    assert "instances: 6 to go (42 before)" in out
    assert re.search(r"\nlinear +candidates ", out)
    assert out.index("\nlinear ") < out.index("\nwindow ")
    code, out, _ = run("show", "g-grid.db")
    assert code == 0
    assert re.search(r"\nlinear +candidates ", out)
    code, _, _ = run("plot", "g-grid.db", "w.png", "--what", "by-window")
    assert code == 0
    code, _, err = run("plot", "g-grid.db", "w.png", "--what", "by-depth")
    assert code == 2
    assert "did you mean 'by-" in err or "by-window" in err


def test_an_unknown_field_names_the_fields_and_trains_nothing(run, study):
    code, _, err = run("grid", "g.toml", "--by", "windw")
    assert code == 2
    assert "did you mean 'window'?; the candidates differ in " in err
    assert not list(study.glob("*.db"))


def test_a_large_grid_is_not_begun_unasked(run, study, monkeypatch):
    monkeypatch.setattr(command, "LIMIT", 40)
    code, _, err = run("grid", "g.toml")
    assert code == 2
    assert "42 trainings are more than 40: say that you mean it with --yes" in err
    assert not list(study.glob("*.db"))
    assert run("grid", "g.toml", "--dry-run")[0] == 0
    assert run("grid", "g.toml", "--yes")[0] == 0
    # Those recorded are not counted again.
    assert run("grid", "g.toml")[0] == 0


def test_other_data_have_their_own_journal(run, study):
    with np.load("showers.npz") as whole:
        np.savez("half.npz", **{name: whole[name][:140] for name in whole})
    code, out, _ = run("grid", "g.toml", "--source", "half.npz")
    assert code == 0
    assert "on half.npz" in out
    assert count("g-grid-half.db") == 42


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("instances = 7", "instances = 1", "[grid] n = 1 instances of each candidate"),
        ("instances = 7", "instance = 7", "did you mean 'instances'?"),
        ('by = "window"', "by = 3", "it must be a field in quotes, or a list of fields"),
        ('by = "window"', 'by = ["windw"]', "[grid] by = 'windw' is no field here"),
    ],
)
def test_bad_study_files_are_one_sentence(run, study, old, new, message):
    text = (study / "g.toml").read_text()
    assert old in text
    (study / "g.toml").write_text(text.replace(old, new))
    code, _, err = run("grid", "g.toml")
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_an_instance_is_trained_again_to_the_same_loss(run, study):
    run("grid", "g.toml")
    code, out, _ = run("replay", "g-grid.db", "scaled sum", 3, "--role", "grid")
    assert code == 0
    assert "the same" in out
