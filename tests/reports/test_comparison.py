import numpy as np
import pytest

from surefoot.reports.comparison import comparison_figure, highest_shown, transfer_figure
from surefoot.studies.sizes.compare import Comparison
from surefoot.studies.sizes.transfer import Transfer

RNG = np.random.default_rng(1)


def found(scale=(1.0, 1.1, 1.2), sizes=(10, 20), **changes):
    losses = np.array(scale)[:, None, None] * RNG.uniform(0.9, 1.1, (len(scale), len(sizes), 20))
    return Comparison(tuple("abc"[: len(scale)]), sizes, losses, **changes)


def test_a_box_for_every_candidate_and_size_and_a_line_for_every_rival():
    figure = comparison_figure(found(reference=2), label="loss", title="T")
    boxes, wins = figure.axes
    assert len(boxes.lines) == 3 * 2 * 6
    assert [tick.get_text() for tick in boxes.get_xticklabels()] == ["10", "20"]
    assert [text.get_text() for text in wins.get_legend().get_texts()] == ["a", "b"]
    assert wins.get_ylabel() == "chance to beat c"
    assert len(comparison_figure(found(), label="loss").axes) == 1


def test_a_poor_candidate_does_not_squeeze_the_others():
    poor = found((1.0, 1.1, 3.0))
    top = highest_shown(poor)
    assert top == pytest.approx(poor.losses[:2].max(), rel=0.02)
    axes = comparison_figure(poor, label="loss").axes[0]
    assert axes.get_ylim()[1] == pytest.approx(top)
    assert sum("▶" in text.get_text() for text in axes.texts) == 2
    alone = comparison_figure(found(), label="loss").axes[0]
    assert alone.get_ylim()[1] >= 1.2


def test_divergences_are_counted_not_drawn():
    one = found()
    one.losses[1, 0, :3] = np.inf
    axes = comparison_figure(one, label="loss").axes[0]
    assert axes.get_title(loc="right") == "3 diverged or failed, not drawn"
    one.losses[:] = np.inf
    assert comparison_figure(one, label="loss").axes[0].get_title(loc="right").startswith("120")


def test_transfer_shows_home_beside_there():
    one = found(sizes=(10,), reference=2)
    homes = [RNG.uniform(1.0, 2.0, 9), RNG.uniform(1.0, 2.0, 5), np.empty(0)]
    figure = transfer_figure(Transfer(one, tuple(homes), ("home", "there")), label="loss")
    left, right = figure.axes
    assert (left.get_title(loc="left"), right.get_title(loc="left")) == ("home", "there")
    assert len(left.patches) == 2
    assert len(right.patches) == 3
