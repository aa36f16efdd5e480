"""Views as figures of matplotlib, for files and for readers without scripts.

What a colour, a shape or a limit is stands in the view; here is how it is drawn: light axes, names
at the lines they are of, legends below. No function keeps state or opens a window.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

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
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis as Ticks
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 5.2, 3.6
"""Of a panel, in inches."""
GRID, EDGE = "#e7ebef", "#9aa5b0"
MARKERS = {
    "circle": "o",
    "ring": "o",
    "diamond": "D",
    "cross": "x",
    "triangle": "^",
    "square": "s",
    "up": "^",
    "down": "v",
    "dot": ".",
}
DASHES: dict[str, Any] = {
    "solid": "-",
    "dashed": (0, (6, 2.5)),
    "dotted": (0, (1.2, 1.8)),
    "dashdot": (0, (6, 2, 1.5, 2)),
}
MANY = 3000
"""Points or lines of a mark from which on they become a picture within an SVG or PDF file."""
LONGEST = 44
"""Letters of a name at an axis."""
LETTERS = "abcdefgh"


def figure_of(panels: Sequence[Panel], title: str = "", *, bare: bool = False) -> Figure:
    """Return a figure of panels beside each other, each with its letter if there are several.

    A ``bare`` one is without titles, legends and notes, for a page that has them as text.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = HEIGHT * max(panel.height for panel in panels) / 100.0
    wide = [WIDTH * (1.25 if _longest(panel.y) > 16 else 1.0) for panel in panels]
    width = max(6.4, sum(wide))
    text = "\n".join(textwrap.wrap(title, round(width * 11.0)))
    lines = text.count("\n") + bool(text)
    figure = Figure(figsize=(width, height + 0.6 + 0.25 * lines), layout="constrained")
    FigureCanvasAgg(figure)
    drawn = figure.subplots(1, len(panels), squeeze=False, width_ratios=wide)[0].tolist()
    for number, (axes, panel) in enumerate(zip(drawn, panels, strict=True)):
        letter = f"({LETTERS[number]}) " if len(panels) > 1 else ""
        draw(axes, replace(panel, title=f"{letter}{panel.title}"), bare=bare)
    if text:
        figure.suptitle(text, fontsize="large", x=0.01, ha="left")
    return figure


def draw(axes: Axes, panel: Panel, *, bare: bool = False) -> None:
    """Draw a panel into axes."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(EDGE)
    axes.tick_params(color=EDGE, labelcolor=Tone.QUIET.value, labelsize="small")
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for told, ticks, scale, limits in (
        (panel.x, axes.xaxis, axes.set_xscale, axes.set_xlim),
        (panel.y, axes.yaxis, axes.set_yscale, axes.set_ylim),
    ):
        scale("log" if told.log else "linear")
        limits(told.low, told.high)
        _name_ticks(ticks, told, across=told is panel.x)
    axes.set_xlabel(panel.x.label, color=Tone.INK.value, fontsize=9.0)
    axes.set_ylabel(panel.y.label, color=Tone.INK.value, fontsize=9.0)
    for level, mark in enumerate(panel.marks, start=3):
        _DRAWERS[type(mark)](axes, mark, level)
    if bare:
        return
    axes.set_title(panel.title, loc="left", fontsize="medium", fontweight="bold")
    notes = ["\n".join(textwrap.wrap(panel.note, 64))] if panel.note else []
    named = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    if labels := [one for mark in panel.marks if (one := getattr(mark, "label", "")) in named]:
        axes.legend(
            [named[label] for label in labels],
            labels,
            loc="upper left",
            bbox_to_anchor=(-0.02, -0.17 * 100.0 / panel.height),
            frameon=False,
            fontsize="small",
            ncols=2 if max(map(len, labels)) < 34 else 1,
            columnspacing=1.4,
            handlelength=1.8,
            title=notes[0] if notes else None,
            title_fontproperties={"size": "small"},
            alignment="left",
        )
    elif notes:
        axes.set_xlabel(f"{panel.x.label}\n{notes[0]}")


def _longest(axis: Axis) -> int:
    return max(map(len, axis.names), default=0)


def _name_ticks(ticks: Ticks, told: Axis, *, across: bool) -> None:
    """Give an axis its places and their names, or plain numbers that do not touch each other."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    if told.places:
        ticks.set_minor_locator(NullLocator())
        names = [_short(name) for name in told.names]
        crowded = across and sum(map(len, names)) > 60
        ticks.set_ticks(told.places, [_folded(name) for name in names] if crowded else names)
        return
    plain = FuncFormatter(lambda value, _: f"{value:,.10g}")
    if told.log:
        wide = told.high > 1000.0 * told.low
        ticks.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
        ticks.set_minor_locator(NullLocator())
        if np.log10(told.high / told.low) < 0.35:
            ticks.set_major_locator(MaxNLocator(5))
    else:
        ticks.set_major_locator(MaxNLocator(6, integer=told.whole))
    ticks.set_major_formatter(plain)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _folded(name: str) -> str:
    return "\n".join(textwrap.wrap(name, 14))


def _points(axes: Axes, mark: Points, level: int) -> None:
    hollow = mark.shape in ("ring", "cross")
    size = mark.size * (0.75 if mark.shape != "dot" else 1.0)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    x, y = np.asarray(mark.x), np.asarray(mark.y)
    shown = (x >= left) & (x <= right) & (y >= low) & (y <= high)
    axes.plot(
        x[shown],
        y[shown],
        MARKERS[mark.shape],
        color=mark.tone.value,
        markersize=size,
        markerfacecolor="white" if hollow else mark.tone.value,
        markeredgecolor=mark.tone.value if hollow else "white",
        markeredgewidth=1.2 if hollow else 0.4,
        alpha=mark.alpha,
        label=mark.label,
        zorder=level,
        clip_on=False,
        rasterized=len(mark.x) > MANY,
    )


def _line(axes: Axes, mark: Line, level: int) -> None:
    axes.plot(
        mark.x,
        mark.y,
        color=mark.tone.value,
        linestyle=DASHES[mark.dash],
        linewidth=0.8 * mark.width,
        drawstyle="steps-post" if mark.step else "default",
        label=mark.label,
        zorder=level,
    )


def _lines(axes: Axes, mark: Lines, level: int) -> None:
    from matplotlib.collections import LineCollection

    segments = [np.column_stack(pair) for pair in zip(mark.x, mark.y, strict=True)]
    axes.add_collection(
        LineCollection(
            segments,
            colors=mark.tone.value,
            linestyles=DASHES[mark.dash],
            linewidths=0.8 * mark.width,
            alpha=mark.alpha,
            label=mark.label,
            zorder=level,
            rasterized=sum(map(len, mark.x)) > MANY,
        ),
        autolim=False,
    )


def _boxes(axes: Axes, mark: Boxes, level: int) -> None:
    keys = ("whislo", "q1", "med", "q3", "whishi")
    rows = np.column_stack([mark.low, mark.first, mark.median, mark.third, mark.high])
    seen = np.flatnonzero(~np.isnan(rows).any(axis=1))
    thin = {"color": Tone.INK.value, "linewidth": 0.8}
    if seen.size:
        axes.bxp(
            [dict(zip(keys, rows[row].tolist(), strict=True)) for row in seen],
            positions=mark.places[seen],
            widths=mark.width[seen],
            orientation="vertical" if mark.across == "y" else "horizontal",
            showfliers=False,
            patch_artist=True,
            manage_ticks=False,
            boxprops={
                "facecolor": mark.tone.value,
                "edgecolor": Tone.INK.value,
                "linewidth": 0.8,
                "hatch": 2 * mark.hatch,
            },
            medianprops={"color": _median_colour(mark.tone), "linewidth": 1.8},
            whiskerprops=thin,
            capprops=thin,
            zorder=level,
        )
    if mark.label:
        look: dict[str, Any] = {
            "hatch": 2 * mark.hatch,
            "edgecolor": Tone.INK.value,
            "linewidth": 0.0,
        }
        axes.fill_between([], [], facecolor=mark.tone.value, label=mark.label, **look)


def _median_colour(tone: Tone) -> str:
    return "white" if tone in (Tone.FOCUS, Tone.INK, Tone.QUIET) else Tone.INK.value


def _bars(axes: Axes, mark: Bars, level: int) -> None:
    base = np.zeros(len(mark.ends)) if mark.base is None else mark.base
    look: dict[str, Any] = {"color": mark.tone.value, "label": mark.label, "zorder": level}
    if mark.across == "y":
        axes.bar(mark.places, mark.ends - base, mark.width, base, **look)
    else:
        axes.barh(mark.places, mark.ends - base, mark.width, base, **look)


def _ranges(axes: Axes, mark: Ranges, level: int) -> None:
    middle = (mark.low + mark.high) / 2.0
    reach = np.abs(mark.high - mark.low) / 2.0
    look: dict[str, Any] = {
        "fmt": "none",
        "ecolor": mark.tone.value,
        "elinewidth": mark.width,
        "capsize": 2.5,
        "label": mark.label,
        "zorder": level,
    }
    if mark.across == "y":
        axes.errorbar(mark.places, middle, yerr=reach, **look)
    else:
        axes.errorbar(middle, mark.places, xerr=reach, **look)


def _rule(axes: Axes, mark: Rule, level: int) -> None:
    look: dict[str, Any] = {
        "color": mark.tone.value,
        "linestyle": DASHES[mark.dash],
        "linewidth": 0.8 * mark.width,
        "zorder": level,
    }
    line = axes.axvline if mark.at == "x" else axes.axhline
    line(mark.value, label="" if mark.direct else mark.label, **look)
    if mark.label and mark.direct:
        _name_rule(axes, mark)


def _name_rule(axes: Axes, mark: Rule) -> None:
    """Write a rule's name at the rule, on the side that has more room."""
    look: dict[str, Any] = {
        "color": mark.tone.value,
        "fontsize": "small",
        "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1.0},
        "textcoords": "offset points",
        "zorder": 30,
    }
    if mark.at == "x":
        left, right = np.array(axes.get_xlim())
        share = (mark.value - left) / (right - left)
        if axes.get_xscale() == "log":
            share = np.log(mark.value / left) / np.log(right / left)
        look["ha"] = "right" if share > 0.5 else "left"
        offset = (-4, 4) if share > 0.5 else (4, 4)
        where = axes.get_xaxis_transform()
        axes.annotate(mark.label, (mark.value, mark.up), offset, xycoords=where, **look)
    else:
        where = axes.get_yaxis_transform()
        axes.annotate(mark.label, (0.0, mark.value), (4, 3), xycoords=where, **look)


def _band(axes: Axes, mark: Band, level: int) -> None:
    span = axes.axvspan if mark.at == "x" else axes.axhspan
    look: dict[str, Any] = {"color": mark.tone.value, "label": mark.label}
    look |= {"alpha": 0.25, "linewidth": 0.0}
    span(mark.low, mark.high, zorder=level, **look)


def _area(axes: Axes, mark: Area, level: int) -> None:
    look: dict[str, Any] = {"color": mark.tone.value, "label": mark.label}
    look |= {"alpha": mark.alpha, "linewidth": 0.0}
    axes.fill_between(mark.x, mark.low, mark.high, zorder=level, **look)


def _texts(axes: Axes, mark: Texts, level: int) -> None:
    for x, y, words in zip(mark.x, mark.y, mark.words, strict=True):
        axes.annotate(
            words,
            (float(x), float(y)),
            mark.offset,
            textcoords="offset points",
            ha=mark.align,
            va="center",
            fontsize="small",
            color=mark.tone.value,
            annotation_clip=False,
            zorder=level + 20,
        )


_DRAWERS: dict[type[Mark], Callable[[Axes, Any, int], None]] = {
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
