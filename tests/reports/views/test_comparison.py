import numpy as np

from surefoot.reports.views.chart import Boxes, Points, Texts
from surefoot.reports.views.comparison import comparison, transfer
from surefoot.studies.sizes.compare import Comparison
from surefoot.studies.sizes.transfer import Transfer

RNG = np.random.default_rng(1)


def found(scale=(1.0, 1.1, 1.2), sizes=(10, 20), **changes):
    losses = np.array(scale)[:, None, None] * RNG.uniform(0.9, 1.1, (len(scale), len(sizes), 20))
    return Comparison(tuple("abc"[: len(scale)]), sizes, losses, **changes)


def of(panel, kind):
    return [mark for mark in panel.marks if isinstance(mark, kind)]


def test_a_box_for_every_candidate_and_size_and_a_line_for_every_rival():
    view = comparison(found(reference=2), "loss")
    boxes, wins = view.panels
    assert [len(mark.places) for mark in of(boxes, Boxes)] == [2, 2, 2]
    assert boxes.x.names == ("10", "20")
    assert [mark.label for mark in of(wins, Points)] == ["a", "b"]
    assert wins.y.label == "chance to beat c"
    assert "95% intervals" in wins.title
    assert [len(table.columns) for table in view.tables] == [6, 6]
    assert len(comparison(found(), "loss").panels) == 1


def test_a_poor_candidate_does_not_squeeze_the_others_and_is_marked_at_the_edge():
    poor = found((1.0, 1.1, 3.0))
    panel = comparison(poor, "loss").panels[0]
    assert poor.losses[:2].max() < panel.y.high < 1.6
    (arrows,) = [mark for mark in of(panel, Points) if mark.shape == "up"]
    assert len(arrows.x) == 2
    (words,) = of(panel, Texts)
    assert words.words == tuple(f"{value:.3g}" for value in poor.medians[2])
    assert "40 losses lie beyond the upper edge" in panel.note


def test_divergences_are_counted_not_drawn():
    one = found()
    one.losses[1, 0, :3] = np.inf
    assert comparison(one, "loss").panels[0].note == "3 diverged or failed, not drawn"
    one.losses[:] = np.inf
    assert comparison(one, "loss").panels[0].note.startswith("120")


def test_transfer_shows_home_beside_there_and_a_single_loss_as_a_point():
    one = found(sizes=(10,), reference=2)
    homes = [RNG.uniform(1.0, 2.0, 9), RNG.uniform(1.0, 2.0, 5), np.array([1.5])]
    left, right = transfer(Transfer(one, tuple(homes), ("home", "there")), "loss").panels
    assert (left.title, right.title) == ("home", "there")
    assert (len(of(left, Boxes)), len(of(right, Boxes))) == (2, 3)
    (single,) = of(left, Points)
    assert (single.y.tolist(), single.label) == ([1.5], "a single loss")
    assert left.x.names == ("a, n = 9", "b, n = 5", "c, n = 1")


def test_many_sizes_have_names_and_tables_at_distances_and_one_axis_for_all():
    sizes = tuple(range(100, 145))
    losses = np.geomspace(10.0, 1.0, 45)[None, :, None] * RNG.uniform(0.9, 1.1, (2, 45, 8))
    losses[1] *= 3.0
    one = Comparison(("a", "b"), sizes, losses)
    view = comparison(one, "loss")
    panel = view.panels[0]
    assert sum(map(bool, panel.x.names)) == 12
    assert panel.x.log is False
    assert (panel.y.log, panel.y.high > losses.max()) == (True, True)
    assert [table.title.split()[0] for table in view.tables][::7] == ["100", "144"]
    assert not of(panel, Texts)
