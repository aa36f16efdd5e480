from dataclasses import replace

import numpy as np
import pytest

from surefoot.racing import as_criterion
from surefoot.reports.views.chart import Boxes, Points, Ranges, Rule
from surefoot.reports.views.grid import best_of_all, field_view
from surefoot.studies.grid.fields import Fields
from surefoot.studies.grid.study import Grid
from tests.reports.views.marks import of

RNG = np.random.default_rng(3)


def found(values=(1.0, 1.01, 3.0), n=8, baseline=None, by=()):
    specs = [{"kind": kind, "rate": rate} for kind in "abc" for rate in (1, 2)]
    scale = np.repeat(values, 2)[:, None]
    losses = scale * (1.0 + RNG.normal(0.0, 0.02, n) + RNG.normal(0.0, 0.01, (6, n)))
    labels = tuple(f"{one['kind']}{one['rate']}" for one in specs)
    fields = Fields.of(("toy", one) for one in specs)
    return Grid(labels, labels, fields, losses, baseline, tuple(by), as_criterion("mean"))


def test_a_field_has_boxes_and_a_table_over_the_others_and_at_their_best():
    view = field_view(found(), "kind", "loss")
    assert (view.name, len(view.panels), len(view.tables)) == ("by-kind", 2, 2)
    for panel in view.panels:
        assert sum(len(mark.places) for mark in of(panel, Boxes)) == 3
        assert panel.x.names == ("a", "b", "c")
        assert of(panel, Ranges)
    over, best = view.tables
    assert [column.name for column in over.columns][:2] == ["kind", "candidates"]
    assert best.columns[-1].name == "others"
    assert over.columns[0].cells[0].startswith("a")
    assert over.columns[0].cells[0].endswith(" *")
    assert over.columns[0].cells[-1] == "c"


def test_a_poor_value_does_not_squeeze_the_others():
    panel = field_view(found(), "kind", "loss").panels[0]
    assert panel.y.high < 1.6
    assert any(mark.shape == "up" and mark.x.tolist() == [3.0] for mark in of(panel, Points))
    assert "16 losses lie beyond the upper edge" in panel.note


@pytest.mark.parametrize(("level", "seen"), [(1.2, True), (0.5, True), (50.0, False)])
def test_the_baseline_is_a_line_where_there_is_room(level, seen):
    panel = field_view(found(baseline=np.full(8, level)), "kind", "loss").panels[0]
    assert bool(of(panel, Rule)) is seen


def test_what_is_lost_is_counted_not_drawn():
    one = found()
    one.losses[0, :4] = np.inf
    view = field_view(one, "kind", "loss")
    assert view.panels[0].note.startswith("4 diverged or failed, not drawn")
    cells = dict(zip(view.tables[0].columns[0].cells, view.tables[0].columns[5].cells))
    assert "4 of 16 (25%)" in cells.values()
    one.losses[:] = np.inf
    view = field_view(replace(one), "kind", "loss")
    assert view.panels[0].note.startswith("48 diverged")
    assert "no value has a finite median" in view.words[0].sentences[0]


def test_fields_nobody_asked_about_stand_in_the_appendix():
    one = found(by=["kind"])
    assert not field_view(one, "kind", "loss").appendix
    assert field_view(one, "rate", "loss").appendix


def test_the_best_of_all_are_told_with_whom_no_test_tells_from_the_first():
    view = best_of_all(found())
    (table,) = view.tables
    assert len(table.columns[0].cells) == 6
    assert table.columns[0].cells[0].endswith(" *")
    assert not table.columns[0].cells[-1].endswith(" *")
    assert "6 candidates, 8 instances each" in view.words[0].sentences[0]
