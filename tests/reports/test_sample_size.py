from __future__ import annotations

import numpy as np
import pytest

from surefoot.reports.files import save
from surefoot.reports.sample_size import plateau_of, sample_size_figure
from surefoot.studies.sizes.sample_size import RobustRule, SampleSizeResult, find_robust_size

SIZES = [100, 200, 400, 800]


def result(*levels: float, noise: float = 0.01, n: int = 40) -> SampleSizeResult:
    rng = np.random.default_rng(2)
    losses = np.array(levels)[:, None] * np.exp(noise * rng.standard_normal((len(levels), n)))
    return find_robust_size(SIZES[: len(levels)], losses, RobustRule(), rng=rng)


def words(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_every_size_has_a_box_and_the_plateau_a_panel_of_its_own(tmp_path) -> None:
    found = result(9.0, 2.0, 1.0, 1.0)
    figure = sample_size_figure(found, label="loss", baseline=1.4)
    whole, flat = figure.axes
    assert whole.get_xscale() == whole.get_yscale() == "log"
    assert (flat.get_xscale(), flat.get_yscale()) == ("log", "linear")
    assert len(whole.patches) == 4
    assert len(flat.patches) == 2
    assert words(whole) == [
        "90% are known to lose at most this",
        "limit: 90% must",
        "robust from 400 on",
        "median flat from 400 on",
        "baseline",
    ]
    assert flat.get_title(loc="left") == "(b) from 400 on"
    assert save(figure, tmp_path / "sizes.pdf").exists()


def test_triangles_are_the_bounds_that_the_rule_compares_with_the_limit() -> None:
    found = result(9.0, 2.0, 1.0, 1.0)
    (whole, _) = sample_size_figure(found, label="loss").axes
    (triangles,) = [line for line in whole.lines if line.get_marker() == "v"]
    assert list(triangles.get_ydata()) == [one.value for one in found.bounds]
    passing = [x for x, y in zip(triangles.get_xdata(), triangles.get_ydata()) if y <= found.limit]
    assert min(passing) == found.robust


def test_losses_of_one_scale_need_one_panel() -> None:
    (axes,) = sample_size_figure(result(1.2, 1.1, 1.0, 1.0), label="loss").axes
    assert axes.get_yscale() == "linear"


def test_a_candidate_that_is_nowhere_robust_is_called_so() -> None:
    (axes, *_) = sample_size_figure(result(9.0, 2.0, 1.0, 1.0, noise=0.3), label="loss").axes
    assert "robust at no size" in words(axes)


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


def test_diverged_instances_are_counted_and_sizes_without_a_loss_have_no_box(tmp_path) -> None:
    losses = np.ones((4, 40))
    losses[1] = np.inf
    found = find_robust_size(SIZES, losses, RobustRule(), rng=np.random.default_rng(0))
    (axes,) = sample_size_figure(found, label="loss").axes
    assert len(axes.patches) == 3
    assert axes.get_title(loc="right").startswith("40 diverged")
    assert save(axes.figure, tmp_path / "sizes.png").exists()


def test_one_size_alone_and_too_few_instances_can_be_drawn(tmp_path) -> None:
    figure = sample_size_figure(result(1.0, n=5), label="loss")
    assert not [line for line in figure.axes[0].lines if line.get_marker() == "v"]
    assert save(figure, tmp_path / "one.png").exists()
