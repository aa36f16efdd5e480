from __future__ import annotations

import numpy as np
import pytest

from surefoot.reports.files import save
from surefoot.reports.plan import plan_figure
from surefoot.studies.plan.plan import OWN
from tests.studies.plan.rows import ROWS, row


def test_every_race_has_a_marker_a_name_and_units(tmp_path) -> None:
    figure = plan_figure(ROWS, ROWS[2], criterion="mean", workers=2, title="Photons")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts if text.get_text()] == [
        one.choice.name for one in ROWS
    ]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert axes.get_xlabel() == "time of the race on 2 cores / hours"
    assert axes.get_ylabel() == "expected regret in mean / %"
    assert save(figure, tmp_path / "plan.png").stat().st_size > 10_000


def test_only_races_that_nothing_beats_are_filled_and_joined() -> None:
    (axes,) = plan_figure(ROWS, ROWS[2], criterion="mean", workers=1).axes
    (line,) = [one for one in axes.lines if one.get_linestyle() == "--"]
    np.testing.assert_allclose(line.get_xdata(), np.array([4_000, 20_000, 90_000]) / 3600)
    hollow = [one for one in axes.lines if one.get_markerfacecolor() == "white"]
    assert [one.get_xdata()[0] for one in hollow] == [2.5]
    squares = [one for one in axes.lines if one.get_marker() == "s"]
    assert [one.get_xdata()[0] for one in squares] == [pytest.approx(4000 / 3600)]


def test_a_race_without_a_winner_is_counted_in_words() -> None:
    rows = [row(OWN, 50.0, np.nan, np.nan), row("good", 70.0, 0.01)]
    (axes,) = plan_figure(rows, rows[1], criterion="mean", workers=1).axes
    assert "1 without a stable winner, not drawn" in axes.get_title(loc="left")
    assert axes.get_xlabel().endswith("/ minutes")


def test_names_do_not_cover_each_other() -> None:
    rows = [row(f"a race of name {i}", 100.0 * (1.0 + 0.02 * i), 0.01) for i in range(4)]
    figure = plan_figure(rows, rows[0], criterion="mean", workers=1)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    for number, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[number + 1 :])


def test_rows_that_are_all_alike_can_be_drawn(tmp_path) -> None:
    rows = [row("one", 100.0, 0.0, 0.0), row("other", 100.0, 0.0, 0.0)]
    save(plan_figure(rows, rows[0], criterion="mean", workers=1), tmp_path / "plan.svg")
    none = [row("one", 100.0, np.nan, np.nan)]
    save(plan_figure(none, none[0], criterion="mean", workers=1), tmp_path / "none.svg")
