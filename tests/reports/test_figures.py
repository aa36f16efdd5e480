import numpy as np
import pytest

from surefoot.reports.figures import figure_of
from surefoot.reports.files import save
from surefoot.reports.views.chart import (
    Area,
    Axis,
    Band,
    Bars,
    Line,
    Lines,
    Panel,
    Points,
    Ranges,
    Rule,
    Texts,
    Tone,
    boxes_of,
)

X, Y = np.array([1.0, 2.0, 4.0]), np.array([0.1, 0.5, 0.9])
EVERY = (
    Area(X, Y - 0.1, Y, label="an area"),
    Band(0.4, 0.6, "y", label="a band"),
    boxes_of([Y, Y + 0.1], [1.5, 3.0], 0.5, label="boxes"),
    Bars(X, Y, None, 0.4, label="bars"),
    Lines((X, X[:2]), (Y, Y[:2]), label="lines"),
    Line(X, Y, step=True, label="a line"),
    Ranges(X, Y - 0.1, Y + 0.1, label="ranges"),
    Points(X, Y, shape="ring", label="points"),
    Rule(0.7, "y", label="a rule"),
    Rule(3.0, "x", label="another", direct=False),
    Texts(X[:1], Y[:1], ("a name",)),
)


def panel(*marks, **changes):
    axes = {"x": Axis("across / cm", 0.0, 5.0), "y": Axis("up", 0.0, 1.0)} | changes
    return Panel("a title", axes["x"], axes["y"], marks or EVERY, changes.get("note", ""))


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_every_mark_is_drawn_within_the_limits_of_the_view(tmp_path, suffix):
    figure = figure_of([panel()], "a whole")
    (axes,) = figure.axes
    assert (axes.get_xlim(), axes.get_ylim()) == ((0.0, 5.0), (0.0, 1.0))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("across / cm", "up")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "an area",
        "a band",
        "boxes",
        "bars",
        "lines",
        "a line",
        "ranges",
        "points",
        "another",
    ]
    assert {"a rule", "a name"} <= {text.get_text() for text in axes.texts}
    assert save(figure, tmp_path / f"all.{suffix}").stat().st_size > 3_000


def test_horizontal_marks_and_named_places_are_drawn(tmp_path):
    marks = (
        boxes_of([Y], [1.0], 0.5, across="x", label="box"),
        Bars(X[1:], Y[1:], across="x"),
        Ranges(X, Y, Y + 0.1, across="x"),
    )
    places = Axis("", 0.0, 5.0, places=(1.0, 2.0, 4.0), names=("one", "two", "a $name$ of money"))
    figure = figure_of([panel(*marks, x=Axis("loss", 0.1, 10.0, log=True), y=places)])
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert save(figure, tmp_path / "a.svg").exists()
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "one",
        "two",
        r"a \$name\$ of money",
    ]


def test_panels_have_letters_and_titles_are_whole():
    long = "a title that is " + "very " * 60 + "long"
    figure = figure_of([panel(), panel()], long)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["(a) a title", "(b) a title"]
    assert figure.get_suptitle().replace("\n", " ") == long


def test_notes_are_written_with_or_without_a_legend():
    (axes,) = figure_of([panel(note="3 diverged, not drawn")]).axes
    assert axes.get_legend().get_title().get_text() == "3 diverged, not drawn"
    (bare,) = figure_of([panel(Rule(0.5), note="3 diverged, not drawn")]).axes
    assert bare.get_xlabel().endswith("3 diverged, not drawn")


def test_tones_differ_in_lightness_also_for_the_colour_blind():
    def lightness(tone: Tone) -> float:
        red, green, blue = (int(tone.value[at : at + 2], 16) / 255.0 for at in (1, 3, 5))
        linear = np.array([red, green, blue]) ** 2.2
        return float((linear @ [0.2126, 0.7152, 0.0722]) ** (1 / 2.2))

    shades = sorted(lightness(one) for one in (Tone.FOCUS, Tone.SECOND, Tone.REST, Tone.INK))
    assert np.diff(shades).min() > 0.08


def test_points_beyond_the_axes_are_not_drawn_and_take_no_room():
    drawn = figure_of([panel(Points(X, np.array([0.1, 50.0, 0.9])))], bare=True)
    drawn.draw_without_rendering()
    (axes,) = drawn.axes
    assert axes.lines[0].get_ydata().tolist() == [0.1, 0.9]
    assert axes.get_position().height > 0.5
