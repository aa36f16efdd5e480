"""Panels as Bokeh figures, which take the next state of a panel and redraw themselves.

Text comes from journals: what goes onto a canvas passes `visible`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.errors import require
from surefoot.escaping import visible
from surefoot.reports.views.chart import (
    Area,
    Axis,
    Band,
    Bars,
    Boxes,
    Line,
    Lines,
    Mark,
    Panel,
    Points,
    Ranges,
    Rule,
    Texts,
    Tone,
)

if TYPE_CHECKING:
    from bokeh.models import ColumnDataSource
    from bokeh.plotting import figure as Figure


FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
GRID = "#e7ebef"
HEIGHT = 340
"""Of a usual panel, in CSS pixels."""
MARKERS = {
    "circle": "circle",
    "ring": "circle",
    "diamond": "diamond",
    "cross": "x",
    "triangle": "triangle",
    "square": "square",
    "up": "triangle",
    "down": "inverted_triangle",
    "dot": "circle",
}
CROWDED = 60
"""Letters of names from which on they stand slanted at a horizontal axis."""
POINT = 96.0 / 72.0
"""CSS pixels of a typographic point."""


def bokeh(module: str) -> Any:
    """Return a module of Bokeh; `MissingExtraError` says how to install it."""
    return require(f"bokeh.{module}", extra="web")


class Sketch:
    """A panel as a Bokeh figure, to be put on a page once and updated while the page lives.

    ``figure`` is the Bokeh model. Everything drawn comes from one column source per mark, so that
    an update sends numbers alone.
    """

    def __init__(self, panel: Panel) -> None:
        plotting, models = bokeh("plotting"), bokeh("models")
        self.panel = panel
        self.figure: Figure = plotting.figure(
            height=round(HEIGHT * panel.height / 100.0),
            sizing_mode="stretch_width",
            min_width=260,
            x_axis_type="log" if panel.x.log else "linear",
            y_axis_type="log" if panel.y.log else "linear",
            x_range=(panel.x.low, panel.x.high),
            y_range=(panel.y.low, panel.y.high),
            tools="box_zoom,wheel_zoom,pan,reset,save",
            active_drag=None,
            active_scroll=None,
            toolbar_location="above",
            outline_line_color=None,
            background_fill_color="#ffffff",
            border_fill_color="#ffffff",
        )
        self.figure.toolbar.logo = None
        self.figure.toolbar.autohide = True
        for axis, grid, told in (
            (self.figure.xaxis[0], self.figure.xgrid[0], panel.x),
            (self.figure.yaxis[0], self.figure.ygrid[0], panel.y),
        ):
            _style_axis(axis, grid, models)
            _name_axis(axis, told, models)
        self.sources: list[ColumnDataSource] = []
        self._labels: list[Any] = []
        for mark in panel.marks:
            source = models.ColumnDataSource(_columns(mark, panel))
            renderer = _RENDERERS[type(mark)](self.figure, mark, source)
            self.sources.append(source)
            hover = getattr(mark, "hover", None)
            if hover:
                tips = [(visible(name), f"@{{hover{at}}}") for at, name in enumerate(hover)]
                self.figure.add_tools(
                    models.HoverTool(
                        renderers=[renderer], tooltips=tips, point_policy="snap_to_data"
                    )
                )
            self._labels.append(_rule_label(self.figure, mark, panel, models))

    def update(self, panel: Panel) -> bool:
        """Redraw the figure for the panel's next state; False if that takes another `Sketch`.

        It does when the panel has other kinds of marks, another scale of an axis, or hovers of
        other names.
        """
        if _shape(panel) != _shape(self.panel):
            return False
        models, before = bokeh("models"), self.panel
        self.panel = panel
        ends: Any
        for told, earlier, axis, ends in (
            (panel.x, before.x, self.figure.xaxis[0], self.figure.x_range),
            (panel.y, before.y, self.figure.yaxis[0], self.figure.y_range),
        ):
            if (told.low, told.high) != (earlier.low, earlier.high):
                ends.update(
                    start=told.low, end=told.high, reset_start=told.low, reset_end=told.high
                )
            if _names(told) != _names(earlier):
                _name_axis(axis, told, models)
        for mark, source, label in zip(panel.marks, self.sources, self._labels, strict=True):
            columns = _columns(mark, panel)
            if not _same(columns, source.data):
                source.data = columns
            if label is not None and isinstance(mark, Rule):
                label.update(text=visible(mark.label), **{mark.at: mark.value})
        return True


def _names(axis: Axis) -> tuple[Any, ...]:
    """Return what is written at an axis."""
    return axis.label, axis.places, axis.names, axis.log, axis.whole


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether two sources have equal columns: arrays, or lists of arrays or of words."""
    return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)


def _equal(one: Any, other: Any) -> bool:
    if len(one) != len(other):
        return False
    if isinstance(one, list) and one and isinstance(one[0], np.ndarray):
        return all(map(_equal, one, other))
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    return list(one) == list(other)


def _shape(panel: Panel) -> tuple[Any, ...]:
    """Return what two states of a panel must share for one figure to show both."""
    kinds = [(type(mark), *getattr(mark, "hover", {}), *_looks(mark)) for mark in panel.marks]
    return panel.x.log, panel.y.log, *kinds


def _looks(mark: Mark) -> list[Any]:
    return [getattr(mark, one.name) for one in fields(mark) if one.name in _LOOKS]


_LOOKS = frozenset({"tone", "hatch", "shape", "dash", "across", "at", "step", "size"})


def _style_axis(axis: Any, grid: Any, models: Any) -> None:
    axis.update(
        axis_line_color="#9aa5b0",
        major_tick_line_color="#9aa5b0",
        minor_tick_line_color=None,
        major_label_text_color=Tone.QUIET.value,
        major_label_text_font=FONT,
        major_label_text_font_size="12px",
        axis_label_text_color=Tone.INK.value,
        axis_label_text_font=FONT,
        axis_label_text_font_size="13px",
        axis_label_text_font_style="normal",
    )
    grid.update(grid_line_color=GRID)


def _name_axis(axis: Any, told: Axis, models: Any) -> None:
    """Give an axis its label and the names of its places; none of it is taken for a formula."""
    axis.axis_label = models.PlainText(text=visible(told.label))
    if told.places:
        axis.ticker = models.FixedTicker(ticks=list(told.places), minor_ticks=[])
        if axis.dimension == 0 and sum(map(len, told.names)) > CROWDED:
            axis.major_label_orientation = 0.5
        axis.major_label_overrides = {
            place: models.PlainText(text=visible(name))
            for place, name in zip(told.places, told.names, strict=True)
        }
    elif told.log:
        axis.ticker = models.LogTicker(mantissas=[1, 2, 5], num_minor_ticks=0)
        axis.formatter = models.NumeralTickFormatter(format="0,0.[00000000]")
    else:
        axis.ticker = models.BasicTicker(desired_num_ticks=6, num_minor_ticks=0)
        if told.whole:
            axis.formatter = models.NumeralTickFormatter(format="0,0")
        else:
            axis.formatter = models.BasicTickFormatter(use_scientific=False)


def _numbers(values: Any) -> Any:
    return np.asarray(values, dtype=np.float64)


def _columns(mark: Mark, panel: Panel) -> dict[str, Any]:
    """Return the columns of a mark's source."""
    found: dict[str, Any]
    match mark:
        case Points():
            found = {"x": _numbers(mark.x), "y": _numbers(mark.y)}
        case Line():
            found = {"x": _numbers(mark.x), "y": _numbers(mark.y)}
        case Lines():
            found = {
                "xs": [_numbers(one) for one in mark.x],
                "ys": [_numbers(one) for one in mark.y],
            }
        case Boxes():
            half = mark.width / 2.0
            found = {
                "place": mark.places,
                "start": mark.places - half,
                "end": mark.places + half,
                **{
                    name: getattr(mark, name)
                    for name in ("low", "first", "median", "third", "high")
                },
            }
        case Bars():
            base = np.zeros(len(mark.ends)) if mark.base is None else mark.base
            wide = mark.width / 2.0
            found = {
                "start": mark.places - wide,
                "end": mark.places + wide,
                "base": base,
                "top": mark.ends,
            }
        case Ranges():
            found = {"place": mark.places, "low": mark.low, "high": mark.high}
        case Rule():
            found = {"value": [mark.value]}
        case Band():
            found = {"low": [mark.low], "high": [mark.high]}
        case Area():
            found = {"x": mark.x, "low": mark.low, "high": mark.high}
        case Texts():
            found = {
                "x": _numbers(mark.x),
                "y": _numbers(mark.y),
                "words": [visible(one) for one in mark.words],
            }
    for at, cells in enumerate(getattr(mark, "hover", {}).values()):
        found[f"hover{at}"] = [visible(cell) for cell in cells]
    return found


def _points(figure: Any, mark: Points, source: Any) -> Any:
    hollow = mark.shape in ("ring", "cross")
    return figure.scatter(
        "x",
        "y",
        source=source,
        marker=MARKERS[mark.shape],
        size=mark.size * POINT * (0.6 if mark.shape == "dot" else 1.0),
        line_color=mark.tone.value if hollow else "#ffffff",
        line_width=1.6 if hollow else 0.6,
        fill_color="#ffffff" if hollow else mark.tone.value,
        alpha=mark.alpha,
    )


def _line(figure: Any, mark: Line, source: Any) -> Any:
    look = {"color": mark.tone.value, "line_width": mark.width, "line_dash": mark.dash}
    if mark.step:
        return figure.step("x", "y", source=source, mode="after", **look)
    return figure.line("x", "y", source=source, **look)


def _lines(figure: Any, mark: Lines, source: Any) -> Any:
    return figure.multi_line(
        "xs",
        "ys",
        source=source,
        color=mark.tone.value,
        alpha=mark.alpha,
        line_width=mark.width,
        line_dash=mark.dash,
        hover_line_color=Tone.FOCUS.value,
        hover_line_alpha=1.0,
    )


def _boxes(figure: Any, mark: Boxes, source: Any) -> Any:
    ink = {"line_color": Tone.INK.value, "source": source}
    along = {"fill_color": mark.tone.value, "fill_alpha": 0.75, "line_width": 1.0, **ink}
    along |= {"hatch_pattern": mark.hatch or " ", "hatch_color": Tone.INK.value, "hatch_alpha": 0.6}
    if mark.across == "y":
        figure.segment("place", "low", "place", "first", line_width=1.0, **ink)
        figure.segment("place", "third", "place", "high", line_width=1.0, **ink)
        made = figure.quad(left="start", right="end", bottom="first", top="third", **along)
        figure.segment("start", "median", "end", "median", line_width=2.4, **ink)
    else:
        figure.segment("low", "place", "first", "place", line_width=1.0, **ink)
        figure.segment("third", "place", "high", "place", line_width=1.0, **ink)
        made = figure.quad(left="first", right="third", bottom="start", top="end", **along)
        figure.segment("median", "start", "median", "end", line_width=2.4, **ink)
    return made


def _bars(figure: Any, mark: Bars, source: Any) -> Any:
    look = {"fill_color": mark.tone.value, "line_color": "#ffffff", "source": source}
    if mark.across == "y":
        return figure.quad(left="start", right="end", bottom="base", top="top", **look)
    return figure.quad(left="base", right="top", bottom="start", top="end", **look)


def _ranges(figure: Any, mark: Ranges, source: Any) -> Any:
    ends = (
        ("place", "low", "place", "high")
        if mark.across == "y"
        else ("low", "place", "high", "place")
    )
    look = {"line_color": mark.tone.value, "line_width": mark.width, "source": source}
    return figure.segment(*ends, **look)


def _rule(figure: Any, mark: Rule, source: Any) -> Any:
    look = {"color": mark.tone.value, "line_dash": mark.dash, "line_width": mark.width}
    if mark.at == "x":
        return figure.vspan(x="value", source=source, **look)
    return figure.hspan(y="value", source=source, **look)


def _band(figure: Any, mark: Band, source: Any) -> Any:
    look = {"fill_color": mark.tone.value, "fill_alpha": 0.25, "line_color": None}
    if mark.at == "x":
        return figure.vstrip(x0="low", x1="high", source=source, **look)
    return figure.hstrip(y0="low", y1="high", source=source, **look)


def _area(figure: Any, mark: Area, source: Any) -> Any:
    look = {"fill_color": mark.tone.value, "fill_alpha": mark.alpha}
    return figure.varea(x="x", y1="low", y2="high", source=source, **look)


def _texts(figure: Any, mark: Texts, source: Any) -> Any:
    right, up = mark.offset
    return figure.text(
        "x",
        "y",
        text="words",
        source=source,
        x_offset=right,
        y_offset=-up,
        text_align=mark.align,
        text_baseline="middle",
        text_color=mark.tone.value,
        text_font={"value": FONT},
        background_fill_color="#ffffff",
        background_fill_alpha=0.75,
        text_font_size="12px",
    )


_RENDERERS: dict[type[Any], Callable[[Any, Any, Any], Any]] = {
    Points: _points,
    Line: _line,
    Lines: _lines,
    Boxes: _boxes,
    Bars: _bars,
    Ranges: _ranges,
    Rule: _rule,
    Band: _band,
    Area: _area,
    Texts: _texts,
}


def _rule_label(figure: Any, mark: Mark, panel: Panel, models: Any) -> Any:
    """Write a rule's name beside it, on the side that has more room; None for no name."""
    if not isinstance(mark, Rule) or not mark.label or not mark.direct:
        return None
    look = {
        "text": visible(mark.label),
        "text_color": mark.tone.value,
        "text_font": FONT,
        "text_font_size": "12px",
        "background_fill_color": "#ffffff",
        "background_fill_alpha": 0.8,
    }
    if mark.at == "x":
        right = _share(panel.x, mark.value) > 0.5
        height = panel.y.low + mark.up * (panel.y.high - panel.y.low)
        look |= {"x": mark.value, "y": height, "y_offset": 4, "text_baseline": "bottom"}
        look |= {"text_align": "right" if right else "left", "x_offset": -6 if right else 6}
    else:
        look |= {"x": 6, "x_units": "screen", "y": mark.value, "y_offset": 3}
        look["text_baseline"] = "bottom"
    label = models.Label(**look)
    figure.add_layout(label)
    return label


def _share(axis: Axis, value: float) -> float:
    """Return where a value lies on an axis, from 0 to 1."""
    low, high = axis.low, axis.high
    if axis.log:
        value, low, high = np.log([value, low, high])
    return float((value - low) / (high - low))
