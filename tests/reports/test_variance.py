from __future__ import annotations

import numpy as np
import pytest

from surefoot.reports.files import save
from surefoot.reports.variance import variance_figure
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


def test_a_variance_figure_names_every_source(tmp_path) -> None:
    figure = variance_figure(result(), label="test loss", title="one")
    left, right = figure.axes
    assert [t.get_text().split("\nsd")[0] for t in left.get_xticklabels()] == [
        "initialisation\nalone",
        "sample\nalone",
        "both",
    ]
    assert [t.get_text() for t in right.get_yticklabels()] == [
        "sample",
        "initialisation\nwith batch order",
        "their interaction",
        "test sample (part\nof the sample)",
    ]
    assert "95% intervals" in right.get_xlabel().replace("\n", " ")
    assert save(figure, tmp_path / "variance.png").stat().st_size > 10_000


def test_strays_stand_in_words_and_leave_the_axis_to_the_others() -> None:
    rng = np.random.default_rng(1)
    calm, wild = rng.random(20), np.append(rng.random(20), 500.0)
    found = analyse(init=wild, draw=calm, both=[], crossed=[], test=[], rng=rng, n_resamples=100)
    left = variance_figure(found, label="loss").axes[0]
    assert left.get_ylim()[1] < 5.0
    assert [note.get_text() for note in left.texts] == ["1 up to 500"]


def test_without_a_crossed_design_the_experiments_are_the_sources(tmp_path) -> None:
    found = result(crossed=False, tested=False)
    right = variance_figure(found, label="loss").axes[1]
    assert [t.get_text() for t in right.get_yticklabels()] == [
        "initialisation\nalone",
        "sample alone",
        "both",
    ]
    bars = [bar.get_width() for bar in right.patches]
    assert bars == pytest.approx([one.sd.estimate for one in found.experiments])
