import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.cbook import boxplot_stats

from surefoot.reports.views.chart import axis_of, boxes_of, five_numbers

LOSSES = st.lists(st.floats(1e-6, 1e6) | st.just(np.inf), min_size=1, max_size=40)


@given(LOSSES)
def test_an_axis_shows_every_finite_value(losses):
    axis = axis_of(losses, "loss")
    seen = np.array([loss for loss in losses if np.isfinite(loss)])
    assert ((axis.low <= seen) & (seen <= axis.high)).all()
    assert axis.low < axis.high
    assert axis.log == bool(seen.size and seen.max() > 8.0 * seen.min())


def test_an_axis_with_a_zero_is_linear_and_begins_at_its_floor():
    axis = axis_of([0.0, 90.0], "loss", floor=0.0)
    assert (axis.low, axis.log) == (0.0, False)
    assert axis.high > 90.0


@given(LOSSES)
def test_five_numbers_are_those_of_matplotlib(losses):
    seen = [loss for loss in losses if np.isfinite(loss)]
    if not seen:
        assert np.isnan(five_numbers(losses)).all()
        return
    (stats,) = boxplot_stats(seen)
    wanted = [stats[name] for name in ("whislo", "q1", "med", "q3", "whishi")]
    np.testing.assert_allclose(five_numbers(losses)[1:4], wanted[1:4])
    # Matplotlib lets a whisker end at the quartile where no loss lies between it and the fence.
    low, high = five_numbers(losses)[[0, 4]]
    assert min(low, wanted[1]) == pytest.approx(wanted[0])
    assert max(high, wanted[3]) == pytest.approx(wanted[4])


def test_boxes_without_a_loss_hold_nothing():
    boxes = boxes_of([[1.0, 2.0, 3.0], [np.inf]], [1, 2], 0.5)
    assert boxes.median.tolist()[0] == 2.0
    assert np.isnan(boxes.median[1])
    assert boxes.width.tolist() == [0.5, 0.5]
