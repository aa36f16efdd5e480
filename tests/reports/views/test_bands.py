import numpy as np

from surefoot.reports.views.bands import Curves, bands
from surefoot.reports.views.chart import Area, Boxes
from tests.reports.views.marks import named, of

RNG = np.random.default_rng(3)


def falling(n=40, epochs=30, settles=10):
    """Curves whose median is at 2 before ``settles`` and at 1 from there on."""
    level = np.where(np.arange(1, epochs + 1) < settles, 2.0, 1.0)
    table = level * RNG.uniform(0.9, 1.1, (n, epochs))
    return Curves("one", table, table[:, -1])


def test_the_bands_hold_their_share_of_the_instances():
    one = falling()
    (panel, _) = bands([one], "loss / mm").panels
    wide, half = of(panel, Area)
    for area, share in ((wide, 0.9), (half, 0.5)):
        inside = (one.table >= area.low) & (one.table <= area.high)
        assert np.abs(inside.mean(axis=0) - share).max() <= 0.05
    assert panel.y.label == "loss / mm"


def test_convergence_is_from_where_the_median_stays():
    one = falling(n=200, settles=12)
    assert one.converged == 12
    view = bands([one], "loss")
    assert "from epoch 12 of 30 on" in view.words[0].sentences[0]
    assert named(view.panels[0], "within 5% of its last value from epoch 12 on").value == 12.0


def test_the_best_epoch_is_the_lowest_of_an_instance_and_stands_beside_the_last():
    one = falling()
    assert (one.best == one.table.min(axis=1)).all()
    best, last = of(bands([one], "loss").panels[-1], Boxes)
    assert best.median[0] == np.median(one.best)
    assert last.median[0] == np.median(one.last)


def test_lost_and_stopped_instances_are_told_of():
    curves = [[3.0, 2.0, 1.0], [3.0, 2.0], [3.0, np.inf]]
    one = Curves.of("one", map(np.array, curves), [1.0, 2.0, np.inf])
    assert one.best.tolist() == [1.0, 2.0, np.inf]
    assert one.quantiles([0.5])[0].tolist() == [3.0, 2.0, 1.0]
    panel, ends = bands([one], "loss").panels
    assert "1 diverged or failed" in panel.note
    assert ends.note == "1 diverged or failed, not drawn"
    assert Curves.of("formula", [np.array([1.0])], [1.0]) is None
    assert bands([], "loss") is None


def test_one_that_only_diverges_is_drawn():
    one = Curves.of("one", [np.array([2.0, np.nan])] * 3, [np.inf] * 3)
    assert len(bands([one], "loss").panels) == 2
