import numpy as np
import pytest

from surefoot.report.panels import RoundLosses, draw_certificate, draw_curves, draw_rounds
from surefoot.report.style import loss_label, new_figure


def drawn(draw, *given, **options):
    _, (axes,) = new_figure(1, "")
    draw(axes, *given, **options)
    return axes


def lines_by_label(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def test_median_curve_is_over_the_instances_still_trained():
    curves = [[3.0, 2.0, 1.0], [5.0, 4.0], [4.0, 4.0, 3.0]]
    axes = drawn(draw_curves, curves, label=loss_label("rmse", "mm"))
    median = lines_by_label(axes)["median"]
    assert median.get_xdata().tolist() == [1, 2, 3]
    assert median.get_ydata().tolist() == [4.0, 4.0, 2.0]
    assert axes.get_xlabel() == "epoch"
    assert axes.get_ylabel() == "test loss (rmse) / mm"


def test_diverged_instances_are_counted_not_drawn():
    axes = drawn(draw_curves, [[1.0, 2.0], [1.0, np.inf], [np.nan]], label="loss")
    assert axes.get_title(loc="right") == "2 diverged or failed, not drawn"
    lines = np.concatenate([line.get_ydata() for line in axes.get_lines()])
    assert not np.isinf(lines).any()


@pytest.mark.parametrize(("highest", "scale"), [(7.9, "linear"), (8.1, "log")])
def test_losses_of_a_wide_range_get_a_logarithmic_axis(highest, scale):
    axes = drawn(draw_curves, [[highest, 1.0]], label="loss")
    assert axes.get_yscale() == scale


def test_boxes_are_the_quartiles_of_each_round():
    losses = np.arange(1.0, 10.0)
    rounds = [
        RoundLosses(1, "screen", 9, losses, [2.0]),
        RoundLosses(2, "race", 4, [*losses[:4], np.inf], [2.0, 4.0]),
    ]
    axes = drawn(draw_rounds, rounds, baseline=5.0)
    tops = [patch.get_path().vertices[:, 1].max() for patch in axes.patches]
    bottoms = [patch.get_path().vertices[:, 1].min() for patch in axes.patches]
    assert bottoms == [np.quantile(losses, 0.25), np.quantile(losses[:4], 0.25)]
    assert tops == [np.quantile(losses, 0.75), np.quantile(losses[:4], 0.75)]
    winners = [line.get_ydata()[0] for line in axes.get_lines() if line.get_marker() == "D"]
    assert winners == [2.0, 3.0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["screen\n9", "2\n4"]
    assert lines_by_label(axes)["baseline"].get_ydata() == [5.0, 5.0]
    assert axes.get_title(loc="right") == "1 diverged or failed, not drawn"


def test_a_round_in_which_all_diverged_has_no_box():
    rounds = [RoundLosses(1, "race", 2, [np.inf, np.inf], [np.inf])]
    axes = drawn(draw_rounds, rounds)
    assert len(axes.patches) == 0


def test_certificate_steps_count_the_diverged_in_their_share():
    axes = drawn(
        draw_certificate,
        [3.0, 1.0, np.inf, 2.0],
        bound=3.0,
        bound_label="bound 3",
        racing=[0.5],
        baseline=4.0,
    )
    lines = lines_by_label(axes)
    steps = lines["4 fresh instances"]
    assert steps.get_xdata().tolist() == [1.0, 1.0, 2.0, 3.0]
    assert steps.get_ydata().tolist() == [0.0, 0.25, 0.5, 0.75]
    assert lines["bound 3"].get_xdata() == [3.0, 3.0]
    assert lines["in the race"].get_xdata().tolist() == [0.5]
    assert lines["baseline"].get_xdata() == [4.0, 4.0]


def test_nothing_depends_on_colour():
    rounds = [RoundLosses(1, "race", 2, [1.0, 2.0], [1.0])]
    panels = [
        drawn(draw_curves, [[2.0, 1.0], [3.0, 1.0]], baseline=1.0),
        drawn(draw_rounds, rounds, baseline=1.0),
        drawn(draw_certificate, [1.0, 2.0], bound=2.0, racing=[1.0], baseline=1.0),
    ]
    for axes in panels:
        figure = axes.figure
        figure.canvas.draw()
        pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)
        assert (pixels.max(axis=-1) == pixels.min(axis=-1)).all()
