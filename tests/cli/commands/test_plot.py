"""``surefoot plot``: every figure of a journal."""

import pytest


@pytest.mark.parametrize("what", ["race", "rounds", "curves", "certificate"])
def test_every_figure_can_be_drawn(run, raced, what):
    code, out, _ = run("plot", "small.db", f"{what}.svg", "--what", what)
    assert (code, out) == (0, f"{what}.svg\n")
    assert (raced / f"{what}.svg").read_bytes().startswith(b"<?xml")


def test_figures_that_cannot_be_are_refused(run, raced):
    assert "did you mean 'rounds'" in run("plot", "small.db", "a.png", "--what", "round")[2]
    assert "has the suffix" in run("plot", "small.db", "a.bmp")[2]


def test_the_pareto_front_of_a_journal_is_drawn(run, folder) -> None:
    run("select", "small.toml", "-j", "r.db")
    code, _, _ = run("plot", "r.db", "front.svg", "--what", "pareto")
    assert code == 0
    assert (folder / "front.svg").read_bytes().startswith(b"<?xml")


def test_a_figure_of_others_is_kept_unless_it_is_to_be_replaced(run, raced):
    (raced / "mine.png").write_bytes(b"a holiday")
    code, _, err = run("plot", "small.db", "mine.png")
    assert code == 2
    assert "'mine.png' exists and surefoot did not write it" in err
    assert (raced / "mine.png").read_bytes() == b"a holiday"
    assert run("plot", "small.db", "mine.png", "--overwrite")[0] == 0
    assert run("plot", "small.db", "mine.png")[0] == 0


def test_a_study_says_before_it_trains_whose_figure_is_in_the_way(run, folder):
    (folder / "small.png").write_bytes(b"a holiday")
    code, _, err = run("select", "small.toml")
    assert code == 2
    assert "figure 'small.png' exists and surefoot did not write it" in err
    assert not (folder / "small.db").exists()
    assert run("select", "small.toml", "--overwrite")[0] == 0
    assert (folder / "small.png").read_bytes().startswith(b"\x89PNG")
