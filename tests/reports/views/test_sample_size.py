import numpy as np
import pytest

from surefoot.reports.views.chart import Boxes, Points, Rule
from surefoot.reports.views.sample_size import plateau_of, sample_sizes
from surefoot.studies.sizes.sample_size import RobustRule, SampleSizeResult, find_robust_size

SIZES = [100, 200, 400, 800]


def result(*levels: float, noise: float = 0.01, n: int = 40) -> SampleSizeResult:
    rng = np.random.default_rng(2)
    losses = np.array(levels)[:, None] * np.exp(noise * rng.standard_normal((len(levels), n)))
    return find_robust_size(SIZES[: len(levels)], losses, RobustRule(), rng=rng)


def of(panel, kind):
    return [mark for mark in panel.marks if isinstance(mark, kind)]


def test_every_size_has_a_box_and_the_plateau_a_panel_of_its_own() -> None:
    view = sample_sizes(result(9.0, 2.0, 1.0, 1.0), "loss", baseline=1.4)
    whole, flat = view.panels
    assert (whole.x.log, whole.y.log, flat.x.log, flat.y.log) == (True, True, True, False)
    assert [len(panel.marks[1].places) for panel in view.panels] == [4, 2]
    assert [mark.label.partition(" below")[0] for mark in of(whole, Rule)] == [
        "limit: 90% must stay",
        "robust from 400 on",
        "median flat from 400 on",
        "baseline",
    ]
    assert flat.title == "from 400 examples on"


def test_triangles_are_the_bounds_that_the_rule_compares_with_the_limit() -> None:
    found = result(9.0, 2.0, 1.0, 1.0)
    (triangles,) = of(sample_sizes(found, "loss").panels[0], Points)
    assert triangles.y.tolist() == [one.value for one in found.bounds]
    assert triangles.x[triangles.y <= found.limit].min() == found.robust


def test_boxes_stay_whole_at_the_ends_of_the_axis() -> None:
    for panel in sample_sizes(result(9.0, 2.0, 1.0, 1.0), "loss").panels:
        (boxes,) = of(panel, Boxes)
        assert (boxes.places - boxes.width / 2.0 > panel.x.low).all()
        assert (boxes.places + boxes.width / 2.0 < panel.x.high).all()
        assert np.nanmax(boxes.high) < panel.y.high


def test_losses_of_one_scale_need_one_panel() -> None:
    (panel,) = sample_sizes(result(1.2, 1.1, 1.0, 1.0), "loss").panels
    assert not panel.y.log


def test_a_candidate_that_is_nowhere_robust_is_called_so() -> None:
    assert "robust at no size" in sample_sizes(result(9.0, 2.0, 1.0, 1.0, noise=0.3)).panels[0].note


@pytest.mark.parametrize(
    ("levels", "places"),
    [
        ((9.0, 2.0, 1.0, 1.0), [2, 3]),
        ((9.0, 1.1, 1.0, 1.0), [1, 2, 3]),
        ((9.0, 4.0, 2.0, 1.0), []),
        ((1.2, 1.1, 1.0, 1.0), []),
    ],
)
def test_the_plateau_is_what_lies_near_the_last_median(levels, places) -> None:
    assert plateau_of(result(*levels)) == places


def test_diverged_instances_are_counted_and_sizes_without_a_loss_have_no_box() -> None:
    losses = np.ones((4, 40))
    losses[1] = np.inf
    found = find_robust_size(SIZES, losses, RobustRule(), rng=np.random.default_rng(0))
    (panel,) = sample_sizes(found, "loss").panels
    assert np.isnan(of(panel, Boxes)[0].median).tolist() == [False, True, False, False]
    assert panel.note.startswith("40 diverged")


def test_one_size_alone_and_too_few_instances_have_no_triangle() -> None:
    (panel,) = sample_sizes(result(1.0, n=5), "loss").panels
    assert not of(panel, Points)
