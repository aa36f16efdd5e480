from __future__ import annotations

import numpy as np
import pytest

from surefoot.racing.criteria import from_name
from surefoot.racing.race import Race
from surefoot.racing.schedules.base import Halving
from surefoot.racing.table import LossTable
from surefoot.report.figures import save
from surefoot.report.study_figures import assessment_figure, pareto_figure, variance_figure
from surefoot.studies.select.rivals import honesty
from surefoot.studies.variance.analysis import analyse
from surefoot.studies.variance.result import VarianceResult


def result(*, crossed: bool = True, tested: bool = True) -> VarianceResult:
    rng = np.random.default_rng(1)
    return analyse(
        init=rng.random(8).tolist(),
        draw=[*rng.random(8).tolist(), np.inf],
        both=rng.random(8).tolist(),
        crossed=rng.random((4, 4, 1)) if crossed else [],
        test=rng.random((2, 4)).tolist() if tested else [],
        rng=rng,
        resamples=100,
    )


def words(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_variance_figure_names_every_source(tmp_path) -> None:
    figure = variance_figure(result(), label="test loss", title="one")
    left, right = figure.axes
    assert [t.get_text().split("\nsd")[0] for t in left.get_xticklabels()] == [
        "initialisation\nalone",
        "sample\nalone",
        "both",
    ]
    assert [t.get_text() for t in right.get_yticklabels()] == [
        "sample",
        "initialisation\nwith batch order",
        "their interaction",
        "test sample (part\nof the sample)",
    ]
    assert "95% intervals" in right.get_xlabel().replace("\n", " ")
    assert save(figure, tmp_path / "variance.png").stat().st_size > 10_000


def test_strays_stand_in_words_and_leave_the_axis_to_the_others() -> None:
    rng = np.random.default_rng(1)
    calm, wild = rng.random(20), np.append(rng.random(20), 500.0)
    found = analyse(init=wild, draw=calm, both=[], crossed=[], test=[], rng=rng, resamples=100)
    left = variance_figure(found, label="loss").axes[0]
    assert left.get_ylim()[1] < 5.0
    assert [note.get_text() for note in left.texts] == ["1 up to 500"]


def test_without_a_crossed_design_the_experiments_are_the_sources(tmp_path) -> None:
    found = result(crossed=False, tested=False)
    right = variance_figure(found, label="loss").axes[1]
    assert [t.get_text() for t in right.get_yticklabels()] == [
        "initialisation\nalone",
        "sample alone",
        "both",
    ]
    bars = [bar.get_width() for bar in right.patches]
    assert bars == pytest.approx([one.sd.estimate for one in found.experiments])


def test_a_front_is_drawn_with_its_winner(tmp_path) -> None:
    rng = np.random.default_rng(4)
    losses = (
        1.0 + np.arange(4)[:, None] + rng.standard_normal((4, 30)) * [[0.9], [0.5], [0.1], [2.0]]
    )
    table = LossTable(tuple("abcd"), losses)
    state = Race(table.keys, "mean", Halving(warmup=30)).replay(table)
    found = honesty(table, state, from_name("mean"))
    labels = {key: f"candidate {key}" for key in "abcd"}
    (axes,) = pareto_figure(found, labels, label="loss").axes
    assert words(axes) == [
        "worse than the winner",
        "not to be told from it",
        "nobody is better in both",
        "winner",
    ]
    assert axes.get_xlabel() == "mean loss\n1 candidate a\n2 candidate b\n3 candidate c"
    assert save(axes.figure, tmp_path / "front.svg").exists()


def test_an_assessment_shows_curves_and_losses(tmp_path) -> None:
    figure = assessment_figure(
        [[2.0, 1.0], [3.0, 1.2], [4.0, np.nan]],
        [1.0, 1.2, np.inf],
        label="loss",
        bound=1.2,
        bound_label="the bound",
    )
    left, right = figure.axes
    assert left.get_title(loc="left") == "(a) all instances"
    assert "the bound" in words(right)
    assert save(figure, tmp_path / "assess.png").exists()
