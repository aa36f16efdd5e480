import numpy as np

from surefoot.racing.state import stretches
from surefoot.reports.views.chart import Points
from surefoot.reports.views.survival import MOST, survival, thinned
from tests.reports.views.marks import named, of


def test_everybody_who_left_is_there_with_the_reason(race):
    _, selection = race
    out = selection.state.eliminations
    who, count = survival(selection).panels
    left = [mark for mark in of(who, Points) if mark.label.startswith("left")]
    assert sum(len(mark.x) for mark in left) == len(out)
    reasons = [reason for mark in left for reason in mark.hover["because"]]
    assert sorted(reasons) == sorted(one.reason for one in out)
    for mark in left:
        assert ((mark.y >= who.y.low) & (mark.y <= who.y.high)).all()
    told = stretches(selection.state.rounds)
    assert named(count, "came into the round").ends.tolist() == [len(one[0].keys) for one in told]
    assert named(count, "went on").ends.tolist() == [len(one[-1].survivors) for one in told]


def test_a_value_is_drawn_where_it_is_and_a_divergence_at_the_edge(race):
    _, selection = race
    who = survival(selection).panels[0]
    values = {one.key: one.value for one in selection.state.eliminations}
    finite = sorted(value for value in values.values() if np.isfinite(value))
    assert sorted(named(who, "left").y.tolist()) == finite
    lost = [mark for mark in of(who, Points) if mark.label == "left, diverged"]
    assert sum(len(mark.x) for mark in lost) == len(values) - len(finite)


def test_nobody_has_won_a_race_that_goes_on(race, half):
    assert "the winner" in {mark.label for mark in of(survival(race[1]).panels[0], Points)}
    view = survival(half[1])
    assert "who leads now" in {mark.label for mark in of(view.panels[0], Points)}
    assert "still to be trained" in view.tables[0].note


def test_of_thousands_the_last_are_all_drawn_and_of_the_others_some_of_every_value():
    assert thinned(MOST) == list(range(MOST))
    drawn = thinned(7000)
    assert len(drawn) == len(set(drawn)) == MOST
    assert drawn[0] == 0
    assert drawn[-MOST // 2 :] == list(range(7000 - MOST // 2, 7000))
    assert np.diff(drawn).max() < 8
