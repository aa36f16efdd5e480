import numpy as np
import pytest

from surefoot.reports.views.chart import Bars, Points, Ranges
from surefoot.reports.views.variance import variance_split
from surefoot.studies.variance.analysis import VarianceResult, analyse


def result(*, crossed: bool = True, tested: bool = True) -> VarianceResult:
    rng = np.random.default_rng(1)
    return analyse(
        init=rng.random(8).tolist(),
        draw=[*rng.random(8).tolist(), np.inf],
        both=rng.random(8).tolist(),
        crossed=rng.random((4, 4, 1)) if crossed else [],
        test=rng.random((2, 4)).tolist() if tested else [],
        rng=rng,
        n_resamples=100,
    )


def test_every_source_has_a_name_a_bar_and_a_named_interval() -> None:
    left, right = variance_split(result(), "test loss").panels
    assert left.x.names == ("initialisation alone", "sample alone", "both")
    assert right.marks[-1].words == (
        "initialisation alone",
        "sample alone",
        "both",
        "crossed: sample",
        "crossed: initialisation with batch order",
        "crossed: their interaction",
        "test sample (part of the sample)",
    )
    (ranges,) = [mark for mark in right.marks if isinstance(mark, Ranges)]
    assert ranges.label == "95% interval"
    assert right.x.high > ranges.high.max()
    assert left.note == "1 diverged or failed, not drawn"


def test_strays_stand_at_the_edge_and_leave_the_axis_to_the_others() -> None:
    rng = np.random.default_rng(1)
    calm, wild = rng.random(20), np.append(rng.random(20), 500.0)
    found = analyse(init=wild, draw=calm, both=[], crossed=[], test=[], rng=rng, n_resamples=100)
    left = variance_split(found, "loss").panels[0]
    assert left.y.high < 5.0
    (stray,) = [one for one in left.marks if isinstance(one, Points) and one.shape == "up"]
    assert stray.hover == {"loss": ["500"]}
    assert left.note == "initialisation alone: 1 beyond the upper edge, up to 500"


def test_without_a_crossed_design_the_experiments_are_the_sources() -> None:
    found = result(crossed=False, tested=False)
    right = variance_split(found, "loss").panels[1]
    (bars,) = [mark for mark in right.marks if isinstance(mark, Bars)]
    assert bars.ends == pytest.approx([one.sd.estimate for one in found.experiments])
