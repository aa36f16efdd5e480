"""Views on a page: Bokeh figures for panels, HTML for words and tables, and one file of all.

`Sketch` is a panel as a Bokeh figure that takes the next state of the panel and redraws itself, for
pages that live; `block_of` is a view as HTML around the places of its figures. Text comes from
journals: what goes into HTML passes `html_text`, what goes onto a canvas `visible`.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.errors import require
from surefoot.escaping import html_text, visible
from surefoot.replacing import MARK
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
    Table,
    Texts,
    Tone,
    View,
)
from surefoot.studies.text import Paragraph

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
LONG = 20
"""Rows of a table beyond which it scrolls within the page."""
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


def words_html(paragraphs: Iterable[Paragraph]) -> str:
    """Return paragraphs as HTML."""
    parts = []
    for one in paragraphs:
        head = f"<h3>{html_text(one.title)}</h3>" if one.title else ""
        if one.layout == "table":
            lines = "\n".join(html_text(line) for line in one.sentences)
            parts.append(f"{head}<pre>{lines}</pre>")
            continue
        said = [html_text(sentence) for sentence in one.sentences]
        if one.bold and said:
            said[0] = f"<strong>{said[0]}</strong>"
        parts.append(head + "".join(f"<p>{sentence}</p>" for sentence in said))
    return "\n".join(parts)


def table_html(table: Table) -> str:
    """Return a table as HTML; its columns can be sorted where the page's script runs."""
    heads = "".join(
        f'<th scope="col"{_right(column.numbers is not None)}>{html_text(column.name)}</th>'
        for column in table.columns
    )
    rows = []
    for row in range(len(table.columns[0].cells)):
        cells = []
        for column in table.columns:
            text = html_text(column.cells[row])
            if column.numbers is None:
                cells.append(f"<td>{text}</td>")
            else:
                cells.append(
                    f'<td class="number" data-value="{column.numbers[row]:.9g}">{text}</td>'
                )
        strong = ' class="strong"' if row == table.strong else ""
        rows.append(f"<tr{strong}>{''.join(cells)}</tr>")
    title = f"<caption>{html_text(table.title)}</caption>" if table.title else ""
    note = f'<p class="note">{html_text(table.note)}</p>' if table.note else ""
    body = "\n".join(rows)
    scroll = "scroll long" if len(rows) > LONG else "scroll"
    return (
        f'<div class="{scroll}"><table class="sortable">{title}<thead><tr>{heads}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>{note}"
    )


def _right(number: bool) -> str:
    return ' class="number"' if number else ""


def legend_html(panel: Panel) -> str:
    """Return what the colours, shapes and dashes of a panel mean, as HTML; empty for none."""
    items = []
    for mark in panel.marks:
        label = getattr(mark, "label", "")
        if label and not (isinstance(mark, Rule) and mark.direct):
            items.append(f"<li>{_swatch(mark)}{html_text(label)}</li>")
    return f'<ul class="legend">{"".join(items)}</ul>' if items else ""


DASHED = {"solid": "", "dashed": "6 3", "dotted": "2 3", "dashdot": "6 3 2 3"}


def _swatch(mark: Mark) -> str:
    """Return a small picture of a mark."""
    assert not isinstance(mark, Texts)
    colour = mark.tone.value
    match mark:
        case Points():
            shape = _SWATCHES[mark.shape].format(colour=colour)
        case Line() | Lines() | Rule():
            dash = DASHED[mark.dash]
            shape = (
                f'<path d="M1 7H25" stroke="{colour}" stroke-width="{max(1.5, mark.width)}" '
                f'stroke-dasharray="{dash}" fill="none"/>'
            )
        case Ranges():
            shape = f'<path d="M3 7H23M3 3V11M23 3V11" stroke="{colour}" stroke-width="2"/>'
        case Band() | Area():
            shape = f'<rect x="2" y="2" width="22" height="10" fill="{colour}" opacity="0.3"/>'
        case _:
            shape = f'<rect x="4" y="2" width="18" height="10" fill="{colour}"/>'
            shape += _FILLED[getattr(mark, "hatch", "")]
    return f'<svg width="26" height="14" aria-hidden="true">{shape}</svg>'


_INK = f'stroke="{Tone.INK.value}" stroke-width="1" fill="none"'
_FILLED = {
    "": "",
    "/": f'<path d="M5 12L13 2M10 12L18 2M15 12L22 4" {_INK}/>',
    ".": f'<path d="M8 5h1M13 5h1M18 5h1M8 9h1M13 9h1M18 9h1" {_INK}/>',
    "x": f'<path d="M5 12L13 2M12 12L20 2M5 2L13 12M12 2L20 12" {_INK}/>',
    "-": f'<path d="M4 5H22M4 9H22" {_INK}/>',
    "|": f'<path d="M8 2V12M13 2V12M18 2V12" {_INK}/>',
}
_SWATCHES = {
    "circle": '<circle cx="13" cy="7" r="4.5" fill="{colour}"/>',
    "dot": '<circle cx="13" cy="7" r="2.5" fill="{colour}"/>',
    "ring": '<circle cx="13" cy="7" r="4" fill="#fff" stroke="{colour}" stroke-width="1.8"/>',
    "diamond": '<path d="M13 1L18 7L13 13L8 7Z" fill="{colour}"/>',
    "cross": '<path d="M9 3L17 11M17 3L9 11" stroke="{colour}" stroke-width="2"/>',
    "triangle": '<path d="M13 2L18 12H8Z" fill="{colour}"/>',
    "up": '<path d="M13 2L18 12H8Z" fill="{colour}"/>',
    "down": '<path d="M13 12L18 2H8Z" fill="{colour}"/>',
    "square": '<rect x="9" y="3" width="8" height="8" fill="{colour}"/>',
}


def page_of(title: str, about: str, views: Sequence[View]) -> str:
    """Return views as one HTML document that needs nothing else; ``about`` stands below its title.

    Bokeh's script is in it once, and draws a figure when it comes into sight. The browser is told
    to load nothing from anywhere and to run no other script than those of the document, known by
    their digests. Without scripts, figures are pictures.
    """
    inline = {"mode": "inline", "components": ["bokeh"], "log_level": "warn"}
    library = bokeh("resources").Resources(**inline).js_raw
    scripts = [*library, _asset("page.js"), _asset("tables.js")]
    digests = " ".join(f"'sha256-{_digest(text)}'" for text in scripts)
    policy = (
        f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'"
    )
    name = html_text(title)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            f'<meta name="generator" content="{MARK}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<noscript><style>.plot { display: none }</style></noscript>",
            f"<title>{name}</title>\n<style>{_asset('page.css')}</style>\n</head>\n<body>",
            f"<header><h1>{name}</h1><p>{html_text(about)}</p>{_contents(views)}</header>\n<main>",
            *map(_section, views),
            "</main>",
            *(f"<script>{text}</script>" for text in scripts),
            "</body>\n</html>\n",
        ]
    )


def _section(view: View) -> str:
    """Return a view with all that its figures are drawn from."""
    if not view.choices:
        return block_of(view, [_place(panel) for panel in view.panels])
    # All but the first choice are templates, which cost nothing until they are chosen.
    first, *others = view.choices
    blocks = [panels_html(first.panels, [_place(panel) for panel in first.panels])]
    for choice in others:
        places = [_place(panel, static=False) for panel in choice.panels]
        blocks.append(f"<template>{panels_html(choice.panels, places)}</template>")
    names = "".join(f"<option>{html_text(choice.name)}</option>" for choice in view.choices)
    picker = f'<label class="picker" hidden>Of <select>{names}</select></label>'
    told = f'{picker}<p class="chosen">{html_text(first.name)}</p>'
    return block_of(view, figures=f'<div class="choices">{told}{"".join(blocks)}</div>')


def _place(panel: Panel, *, static: bool = True) -> str:
    """Return where a panel's figure appears: what it is drawn from, and a picture of it."""
    item = bokeh("embed").json_item(Sketch(panel).figure)
    text = json.dumps(item, separators=(",", ":")).replace("<", "\\u003c")
    height = round(HEIGHT * panel.height / 100.0)
    picture = f"<noscript>{_picture(panel)}</noscript>" if static else ""
    return (
        f'<div class="plot" style="min-height:{height}px">'
        f'<script type="application/json">{text}</script></div>{picture}'
    )


def _picture(panel: Panel) -> str:
    """Return a panel as a picture drawn by matplotlib, which holds no text of its own markup."""
    from surefoot.reports.figures import figure_of
    from surefoot.reports.files import picture

    code = b64encode(picture(figure_of([panel], bare=True))).decode()
    source, name = f"data:image/svg+xml;base64,{code}", html_text(panel.title)
    return f'<img class="static" alt="{name}" src="{source}">'


def _digest(script: str) -> str:
    """Return the SHA-256 of a script as a content policy has it."""
    return b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _asset(name: str) -> str:
    """Return a text file beside this one."""
    return resources.files("surefoot.reports").joinpath(name).read_text(encoding="utf-8")


def _contents(views: Sequence[View]) -> str:
    """Return the links to the views."""
    links = "".join(
        f'<li><a href="#{html_text(view.name)}">{html_text(view.title)}</a></li>' for view in views
    )
    return f"<nav><ul>{links}</ul></nav>"


def block_of(view: View, places: Sequence[str] = (), *, figures: str = "") -> str:
    """Return a view as HTML; ``places`` is the HTML at which each panel's figure appears.

    ``figures`` is the HTML of all its panels instead.
    """
    reading = f'<p class="reading">{html_text(view.reading)}</p>' if view.reading else ""
    tables = "".join(table_html(table) for table in view.tables)
    return (
        f'<section id="{html_text(view.name)}"><h2>{html_text(view.title)}</h2>'
        f"{_numbers_html(view)}{figures or panels_html(view.panels, places)}{reading}"
        f"{words_html(view.words)}{tables}</section>"
    )


def panels_html(panels: Sequence[Panel], places: Sequence[str]) -> str:
    """Return panels as HTML, with their titles, legends and notes; empty for none."""
    told = "".join(
        f'<figure class="panel"><figcaption>{html_text(panel.title)}</figcaption>{place}'
        f"{legend_html(panel)}"
        + (f'<p class="note">{html_text(panel.note)}</p>' if panel.note else "")
        + "</figure>"
        for panel, place in zip(panels, places, strict=True)
    )
    return f'<div class="panels">{told}</div>' if told else ""


def _numbers_html(view: View) -> str:
    """Return a view's main numbers as HTML; empty for none."""
    told = "".join(
        f"<div><dt>{html_text(one.name)}</dt><dd><b>{html_text(one.value)}</b>"
        + (f"<small>{html_text(one.note)}</small>" if one.note else "")
        + "</dd></div>"
        for one in view.figures
    )
    return f'<dl class="numbers">{told}</dl>' if told else ""
