import numpy as np
import pytest

from surefoot.reports.figures import figure_of
from surefoot.reports.views.chart import Line, Points, Texts
from surefoot.reports.views.plan import planned
from surefoot.studies.plan.plan import OWN
from tests.studies.plan.rows import ROWS, row


def panel(rows, pick, workers=1):
    return planned(rows, pick, criterion="mean", workers=workers).panels[0]


def test_every_race_has_a_mark_a_name_and_units() -> None:
    drawn = panel(ROWS, ROWS[2], workers=2)
    names = [mark.words for mark in drawn.marks if isinstance(mark, Texts)]
    assert names == [(one.choice.name,) for one in ROWS]
    assert (drawn.x.log, drawn.y.log) == (True, True)
    assert drawn.x.label == "time of the race on 2 cores / hours"
    assert drawn.y.label == "expected regret in mean / %"


def test_only_races_that_nothing_beats_are_filled_and_joined() -> None:
    drawn = panel(ROWS, ROWS[2])
    (line,) = [mark for mark in drawn.marks if isinstance(mark, Line)]
    np.testing.assert_allclose(line.x, np.array([4_000, 20_000, 90_000]) / 3600)
    points = {mark.shape: mark.x.tolist() for mark in drawn.marks if isinstance(mark, Points)}
    assert points == {
        "ring": [2.5],
        "circle": [pytest.approx(4000 / 3600), pytest.approx(25.0)],
        "diamond": [pytest.approx(20_000 / 3600)],
    }
    assert "regretted nothing" in drawn.note


def test_a_race_without_a_winner_is_counted_in_words() -> None:
    rows = [row(OWN, 50.0, np.nan, np.nan), row("good", 70.0, 0.01)]
    drawn = panel(rows, rows[1])
    assert "1 without a stable winner, not drawn" in drawn.note
    assert drawn.x.label.endswith("/ minutes")


def test_names_do_not_cover_each_other() -> None:
    rows = [row(f"a race of name {i}", 100.0 * (1.0 + 0.02 * i), 0.01) for i in range(4)]
    figure = figure_of([panel(rows, rows[0])])
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    for number, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[number + 1 :])


def test_rows_that_are_all_alike_and_none_with_a_winner_can_be_drawn() -> None:
    rows = [row("one", 100.0, 0.0, 0.0), row("other", 100.0, 0.0, 0.0)]
    figure_of([panel(rows, rows[0])]).draw_without_rendering()
    none = [row("one", 100.0, np.nan, np.nan)]
    figure_of([panel(none, none[0])]).draw_without_rendering()
