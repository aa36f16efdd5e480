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
