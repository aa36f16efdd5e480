import numpy as np
import pytest
from scipy import stats

from surefoot.reports.views.chart import Line, Points
from surefoot.reports.views.ranks import critical_differences
from surefoot.statistics.comparison import critical_difference
from tests.reports.views.marks import named, of

NAMES = ["a", "b", "c", "d"]


def losses(gap=0.0, n=20):
    rng = np.random.default_rng(3)
    return 1.0 + gap * np.arange(4)[:, None] + 0.1 * rng.standard_normal((4, n))


def test_ranks_are_the_means_of_scipys():
    table = losses(0.05)
    panel = critical_differences(NAMES, table).panels[0]
    (points,) = of(panel, Points)
    wanted = stats.rankdata(table, axis=0).mean(axis=1)
    np.testing.assert_allclose(np.sort(points.x), np.sort(wanted))


@pytest.mark.parametrize(("k", "q"), [(2, 1.960), (5, 2.728), (10, 3.164)])
def test_the_critical_difference_is_that_of_demsars_table_5(k, q):
    assert critical_difference(k, 14) == pytest.approx(q * np.sqrt(k * (k + 1) / 84.0), rel=1e-3)


def test_whoever_lies_within_the_critical_difference_is_under_one_bar():
    def bars(table):
        panel = critical_differences(NAMES, table).panels[0]
        return [mark for mark in of(panel, Line) if mark.width == 4.0], panel

    alike, panel = bars(losses(0.0))
    assert len(alike) == 1
    assert named(panel, "not told apart") is alike[0]
    apart, _ = bars(losses(1.0, n=200))
    assert apart == []


def test_magnitudes_stand_beside_ranks_and_too_little_has_no_diagram():
    view = critical_differences(NAMES, losses(0.5))
    assert [column.name for column in view.tables[0].columns][:3] == [
        "candidate",
        "mean rank",
        "median loss",
    ]
    assert view.appendix
    assert critical_differences(NAMES[:2], losses()[:2]) is None
    assert critical_differences(NAMES, losses(n=4)) is None
