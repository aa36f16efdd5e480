import numpy as np

from surefoot.reports.views.chart import Line, Points
from surefoot.reports.views.front import front
from tests.reports.views.marks import named, of


def test_everybody_with_a_spread_is_drawn_once(race):
    _, selection = race
    panel = front(selection).panels[0]
    points = of(panel, Points)
    names = [name for mark in points for name in mark.hover["candidate"]]
    losses = selection.table.losses
    spread = [
        np.isfinite(row[~np.isnan(row)]).all() and (~np.isnan(row)).sum() > 1 for row in losses
    ]
    assert len(names) == len(set(names)) == sum(spread)
    for mark in points:
        assert ((mark.x <= panel.x.high) & (mark.y <= panel.y.high)).all()


def test_nobody_on_the_line_is_beaten_in_both(race):
    _, selection = race
    view = front(selection)
    lines = of(view.panels[0], Line)
    if lines:
        assert (np.diff(lines[0].x) >= 0.0).all()
        assert (np.diff(lines[0].y) <= 0.0).all()
    found = dict(zip(selection.rivals.compared, selection.rivals.location, strict=True))
    winner = named(view.panels[0], "the winner")
    assert winner.x.tolist() == [found[selection.rivals.winner]]
