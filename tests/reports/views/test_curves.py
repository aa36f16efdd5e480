from dataclasses import replace

import numpy as np

from surefoot.instances import Outcome, Status
from surefoot.reports.views.chart import Lines, Points, Rule
from surefoot.reports.views.curves import MANY, curve_panels, learning_curves
from surefoot.seeds.ledger import Role
from tests.reports.views.marks import named, of


def outcome(number, curve, *, plain=(), diverged=False):
    array = np.array(curve, np.float32)
    status = Status.DIVERGED if diverged else Status.FINISHED
    loss = float("inf") if diverged else float(array[-1])
    told = np.array(plain, np.float32)
    return Outcome("a", Role.RACE, number, 10, status, loss, array, 1.0, "fake", "", told)


def test_the_median_is_over_the_instances_still_trained():
    curves = ([3.0, 2.0, 1.0], [5.0, 4.0], [4.0, 4.0, 3.0])
    (panel,) = curve_panels([outcome(n, curve) for n, curve in enumerate(curves)], "loss / mm")
    median = named(panel, "median")
    assert (median.x.tolist(), median.y.tolist()) == ([1.0, 2.0, 3.0], [4.0, 4.0, 2.0])
    ends = named(panel, "the loss that counts")
    assert (ends.x.tolist(), ends.y.tolist()) == ([3.0, 2.0, 3.0], [1.0, 4.0, 3.0])
    assert (panel.x.label, panel.y.label) == ("epoch", "loss / mm")


def test_the_axis_shows_the_ends_whatever_they_come_from():
    falling = [outcome(n, [1000.0, 10.0, 1.0 + 0.01 * n, 1.0 + 0.01 * n]) for n in range(10)]
    (panel,) = curve_panels(falling, "loss")
    assert panel.y.high < 2.0
    assert not panel.y.log
    assert panel.note == "10 of 10 curves begin above the axis, up to 1e+03"


def test_diverged_instances_are_counted_and_have_no_end():
    told = [outcome(0, [2.0, 1.0]), outcome(1, [2.0, 3.0], diverged=True)]
    (panel,) = curve_panels(told, "loss")
    assert named(panel, "the loss that counts").y.tolist() == [1.0]
    assert panel.note.startswith("1 diverged or failed, not drawn")


def test_averaged_weights_stand_beside_those_before():
    told = [outcome(n, [2.0, 1.0], plain=[2.5, 1.5]) for n in range(3)]
    averaged, before = curve_panels(told, "loss")
    assert (averaged.title, before.title) == ("averaged weights", "weights before averaging")
    assert named(averaged, "before averaging").y.tolist() == [1.5] * 3
    assert named(before, "median").y.tolist() == [2.5, 1.5]
    last_only = [replace(one, plain=one.plain[-1:]) for one in told]
    assert len(curve_panels(last_only, "loss")) == 1


def test_candidates_without_epochs_show_their_losses():
    (panel,) = curve_panels([outcome(n, [1.0 + n]) for n in range(5)], "loss", 2.0)
    assert "no epochs" in panel.title
    assert of(panel, Points)[0].y.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_of_many_curves_the_ends_are_all_there():
    told = [outcome(n, [2.0, 1.0 + n]) for n in range(3 * MANY)]
    (panel,) = curve_panels(told, "loss")
    (lines,) = of(panel, Lines)
    assert len(lines.y) == MANY
    assert len(named(panel, "the loss that counts").x) == 3 * MANY
    assert "64 of 192 curves drawn" in panel.note


def test_the_winner_comes_first_of_those_one_may_choose(race):
    journal, selection = race
    view = learning_curves(journal, selection)
    names = [choice.name for choice in view.choices]
    assert names[0] == selection.labels[selection.state.winner]
    assert len(names) > 5
    (lines,) = of(view.panels[0], Lines)
    assert len(lines.x) == 20


def test_a_baseline_beyond_the_axis_is_no_line():
    outcomes = [outcome(n, [2.0, 1.1, 0.9 + 0.1 * n]) for n in range(2)]
    for level, count in ((0.95, 1), (50.0, 0)):
        (panel,) = curve_panels(outcomes, "loss", level)
        assert len(of(panel, Rule)) == count
