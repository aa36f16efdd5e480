import numpy as np

from surefoot.reports.sketch import Sketch
from surefoot.reports.views.chart import Axis, Line, Panel, Points, Rule, boxes_of

X = np.array([1.0, 2.0, 3.0])


def panel(shift=0.0, **changes):
    marks = (
        Points(X, X + shift, label="points", hover={"name": ["a", "b", "c"]}),
        Line(X, X * 2.0, step=True),
        boxes_of([X], [2.0], 0.5),
        Rule(1.5 + shift, "x", label=f"bound {shift:g}"),
    )
    return Panel("a panel", Axis("x", 0.0, 4.0), Axis("y", 0.0, 8.0), changes.get("marks", marks))


def test_a_sketch_takes_the_next_state_of_its_panel_and_no_other():
    sketch = Sketch(panel())
    figure, source = sketch.figure, sketch.sources[0]
    assert sketch.update(panel(0.5))
    assert (sketch.figure, sketch.sources[0]) == (figure, source)
    np.testing.assert_array_equal(source.data["y"], X + 0.5)
    (label,) = [one for one in figure.center if type(one).__name__ == "Label"]
    assert (label.text, label.x) == ("bound 0.5", 2.0)
    assert not sketch.update(panel(marks=(Line(X, X),)))
    other = panel()
    assert not sketch.update(
        Panel(other.title, Axis("x", 0.1, 4.0, log=True), other.y, other.marks)
    )
