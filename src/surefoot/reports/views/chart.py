"""The vocabulary of views: panels of marks, tables and words, free of any drawing library.

A view says what is to be seen: numbers as arrays, names and sentences as text, a colour by what it
means. `surefoot.reports.figures` draws it with matplotlib and `surefoot.reports.sketch` with Bokeh;
the limits of axes are part of a view, so that both show the same.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot.studies.text import Paragraph

Floats = NDArray[np.float64]
Shape = Literal["circle", "ring", "diamond", "cross", "triangle", "square", "up", "down", "dot"]
Dash = Literal["solid", "dashed", "dotted", "dashdot"]
Hatch = Literal["", "/", ".", "x", "-", "|"]
Side = Literal["x", "y"]


class Tone(enum.Enum):
    """What a colour means. All differ for the colour-blind, and in lightness for greyscale."""

    FOCUS = "#0b4f8a"
    """The winner, or what the view is about."""
    SECOND = "#d9730d"
    """The runner-up, or what it is compared with."""
    REST = "#a9b6c2"
    """Everybody else."""
    INK = "#17212b"
    """Bounds, limits and medians."""
    QUIET = "#5b6875"
    """The baseline and notes."""
    GREEN = "#2f9e77"
    PINK = "#c46a9f"
    GOLD = "#b8970a"
    SKY = "#67b7dc"


SERIES = (Tone.FOCUS, Tone.SECOND, Tone.GREEN, Tone.PINK, Tone.SKY, Tone.GOLD)
"""Tones of several equal candidates, in their order."""
SHAPES: tuple[Shape, ...] = ("circle", "square", "triangle", "diamond", "ring", "cross")
"""Shapes that tell the same candidates apart without colour."""
HATCHES: tuple[Hatch, ...] = ("", "/", ".", "x", "-", "|")
"""Fillings that tell their boxes apart without colour."""
DASHES: tuple[Dash, ...] = ("solid", "dashed", "dashdot", "dotted")

Hover = Mapping[str, Sequence[str]]
"""What is said of each point when it is pointed at: by name, in words."""


@dataclass(frozen=True, eq=False)
class Axis:
    """An axis: its label with the unit, its limits, and the names of ``places`` if these are told.

    ``whole`` axes count things.
    """

    label: str = ""
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    places: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, eq=False)
class Points:
    """Points ``[n]``; ``size`` is their diameter in points."""

    x: Floats
    y: Floats
    tone: Tone = Tone.FOCUS
    shape: Shape = "circle"
    label: str = ""
    size: float = 6.0
    alpha: float = 1.0
    hover: Hover = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Line:
    """A line through ``[n]`` points, broken at NaN; ``step`` keeps each height up to the next x."""

    x: Floats
    y: Floats
    tone: Tone = Tone.FOCUS
    dash: Dash = "solid"
    width: float = 2.0
    step: bool = False
    label: str = ""


@dataclass(frozen=True, eq=False)
class Lines:
    """Many thin lines of their own lengths, such as the curves of instances."""

    x: tuple[Floats, ...]
    y: tuple[Floats, ...]
    tone: Tone = Tone.REST
    dash: Dash = "solid"
    width: float = 1.0
    alpha: float = 0.8
    label: str = ""
    hover: Hover = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes at ``places``: quartiles, median and whiskers, each ``[n]``, of ``width`` each.

    ``across`` is the axis of the values. Boxes without a value hold NaN.
    """

    places: Floats
    low: Floats
    first: Floats
    median: Floats
    third: Floats
    high: Floats
    width: Floats
    tone: Tone = Tone.REST
    across: Side = "y"
    label: str = ""
    hatch: Hatch = ""
    hover: Hover = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars from 0 (or ``base``) to ``ends`` at ``places``, along the axis ``across``."""

    places: Floats
    ends: Floats
    base: Floats | None = None
    width: float = 0.6
    tone: Tone = Tone.REST
    across: Side = "y"
    label: str = ""
    hover: Hover = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Ranges:
    """Intervals from ``low`` to ``high`` at ``places``, along the axis ``across``."""

    places: Floats
    low: Floats
    high: Floats
    tone: Tone = Tone.INK
    width: float = 1.6
    across: Side = "y"
    label: str = ""


@dataclass(frozen=True, eq=False)
class Rule:
    """A straight line across the panel at a ``value`` of the axis ``at``, named by ``label``.

    The label stands at the line itself (``direct``) or in the legend; that of a value of x stands
    at the share ``up`` of the panel's height.
    """

    value: float
    at: Side = "y"
    tone: Tone = Tone.INK
    dash: Dash = "dashed"
    width: float = 1.6
    label: str = ""
    direct: bool = True
    up: float = 0.0


@dataclass(frozen=True, eq=False)
class Band:
    """What lies from ``low`` to ``high`` of the axis ``at``, shaded."""

    low: float
    high: float
    at: Side = "y"
    tone: Tone = Tone.REST
    label: str = ""


@dataclass(frozen=True, eq=False)
class Area:
    """What lies between ``low`` and ``high``, each ``[n]``, at ``x``, shaded; none may be NaN."""

    x: Floats
    low: Floats
    high: Floats
    tone: Tone = Tone.REST
    alpha: float = 0.3
    label: str = ""


@dataclass(frozen=True, eq=False)
class Texts:
    """Words at points ``[n]``, moved by ``offset`` (right, up) in points."""

    x: Floats
    y: Floats
    words: tuple[str, ...]
    tone: Tone = Tone.INK
    align: Literal["left", "center", "right"] = "left"
    offset: tuple[float, float] = (5.0, 0.0)


Mark = Points | Line | Lines | Boxes | Bars | Ranges | Rule | Band | Area | Texts


@dataclass(frozen=True, eq=False)
class Panel:
    """Two axes and what is drawn between them, the first mark lowest.

    ``note`` says what is not drawn. ``height`` is in hundredths of a usual panel's.
    """

    title: str
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    note: str = ""
    height: int = 100


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a table: its cells as text, and the numbers it is sorted by if it has some."""

    name: str
    cells: tuple[str, ...]
    numbers: Floats | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length; ``strong`` is the row that matters most, counted from 0."""

    columns: tuple[Column, ...]
    title: str = ""
    strong: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A number that matters, with what it is and, below it, what it means."""

    value: str
    name: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class Choice:
    """One of several things that the panels of a view may show, such as one candidate's curves."""

    name: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, eq=False)
class View:
    """One thing to see in a journal.

    ``name`` is its place in a page's address, ``title`` what stands above it, ``words`` what it
    says in sentences and ``reading`` how it is to be read. ``figures`` are its main numbers,
    ``choices`` what its panels may show instead, the first of them what they show. An ``appendix``
    stands at the end.
    """

    name: str
    title: str
    words: tuple[Paragraph, ...] = ()
    panels: tuple[Panel, ...] = ()
    tables: tuple[Table, ...] = ()
    reading: str = ""
    figures: tuple[Figure, ...] = ()
    choices: tuple[Choice, ...] = ()
    appendix: bool = False


FAR = 1.5
"""A row of losses whose median is this factor above the best one's may leave the figure."""
WIDE = 8.0
"""Positive values that span more than this factor are shown on a logarithmic axis."""


def finite(values: ArrayLike) -> Floats:
    """Return the finite values of any shape, ``[n]``."""
    array = np.asarray(values, dtype=np.float64).ravel()
    return array[np.isfinite(array)]


def axis_of(
    values: ArrayLike | Iterable[ArrayLike],
    label: str,
    *,
    log: bool | None = None,
    room: float = 0.05,
    floor: float | None = None,
) -> Axis:
    """Return an axis on which all finite values are seen, with some ``room`` beyond them.

    It is logarithmic if asked for, or if that is left open and the values are positive and span
    more than a factor of `WIDE`. It begins at ``floor`` if that is given.
    """
    arrays = [finite(one) for one in values] if isinstance(values, (list, tuple)) else [values]
    seen = finite(np.concatenate([np.atleast_1d(np.asarray(one, np.float64)) for one in arrays]))
    if not seen.size:
        return Axis(label, 0.0, 1.0)
    low, high = float(seen.min()), float(seen.max())
    positive = low > 0.0
    logarithmic = positive and (high > WIDE * low if log is None else log)
    if logarithmic:
        first, last = np.log10([low, high])
        more = room * max(last - first, 0.1)
        return Axis(label, float(10.0 ** (first - more)), float(10.0 ** (last + more)), log=True)
    more = room * (high - low or abs(high) or 1.0)
    return Axis(label, low - more if floor is None else floor, high + more)


def loss_label(loss: str, unit: str = "") -> str:
    """Return the label of a loss axis: what is trained of the loss changes nothing of its meaning.

    >>> loss_label("rmse", "mm"), loss_label("relative_rmse(root)")
    ('test loss (rmse) / mm', 'test loss (relative rmse)')
    """
    label = f"test loss ({loss.removesuffix('(root)').replace('_', ' ')})"
    return f"{label} / {unit}" if unit else label


def boxes_of(rows: Sequence[ArrayLike], places: ArrayLike, width: ArrayLike, **look: Any) -> Boxes:
    """Return a box of the finite losses of every row.

    Quartiles and median; whiskers reach the furthest loss within 1.5 interquartile ranges (Tukey,
    Exploratory Data Analysis, 1977).
    """
    numbers = np.full((len(rows), 5), np.nan)
    for row, numbers_of in zip(rows, numbers, strict=True):
        numbers_of[:] = five_numbers(row)
    at = np.asarray(places, np.float64)
    low, first, median, third, high = numbers.T
    each = np.broadcast_to(np.asarray(width, np.float64), at.shape)
    return Boxes(at, low, first, median, third, high, each, **look)


def five_numbers(losses: ArrayLike) -> Floats:
    """Return lower whisker, quartiles with the median, and upper whisker; NaN without a loss."""
    seen = finite(losses)
    if not seen.size:
        return np.full(5, np.nan)
    first, median, third = np.quantile(seen, [0.25, 0.5, 0.75])
    reach = 1.5 * (third - first)
    near = seen[(seen >= first - reach) & (seen <= third + reach)]
    return np.array([near.min(), first, median, third, near.max()])


def edge(axis: Axis) -> float:
    """Return where on an axis a mark stands for what lies beyond its upper end."""
    if axis.log:
        return float(axis.high * (axis.low / axis.high) ** 0.02)
    return axis.high - 0.02 * (axis.high - axis.low)


def arrows(
    axis: Axis,
    places: Floats,
    values: Floats,
    tone: Tone,
    hover: Hover | None = None,
    *,
    named: bool = True,
) -> list[Mark]:
    """Return arrows where values ``[n]`` lie beyond the upper end of an axis, with the number."""
    above = values > axis.high
    if not above.any():
        return []
    x, y = places[above], np.full(int(above.sum()), edge(axis))
    said = {
        name: [word for word, far in zip(words, above, strict=True) if far]
        for name, words in (hover or {}).items()
    }
    marks: list[Mark] = [Points(x, y, tone, "up", "", 8.0, hover=said)]
    if named:
        words = tuple(f"{value:.3g}" for value in values[above])
        marks.append(Texts(x, y, words, Tone.INK, "center", (0.0, -11.0)))
    return marks


def axis_near_best(rows: Sequence[ArrayLike], medians: Floats, best: Floats, label: str) -> Axis:
    """Return the axis of rows of losses, logarithmic where even the better ones span much.

    Better is a row whose median is below `FAR` times the ``best`` it is compared with, both
    ``[rows]``. So one poor row does not squeeze the others into a line.
    """
    near = np.flatnonzero(medians <= FAR * best).tolist()
    kept = [rows[row] for row in near] or list(rows)
    boxes = boxes_of(kept, np.arange(float(len(kept))), 1.0)
    shown = axis_of([boxes.low, boxes.high], label)
    return axis_of(list(rows), label) if shown.log else shown


def strips(names: Sequence[str], across: Axis) -> tuple[Floats, Axis, Texts]:
    """Return where strips one below the other stand, their axis, and their names above them.

    A name stands within the panel, at its left, so that there is room for it on any screen.
    """
    places = np.arange(len(names), 0, -1, dtype=np.float64)
    axis = Axis(
        "", 0.45, len(names) + 0.75, places=tuple(places.tolist()), names=("",) * len(names)
    )
    left = np.full(len(names), across.low)
    return places, axis, Texts(left, places + 0.42, tuple(names), Tone.QUIET, offset=(3.0, 0.0))


def scattered(count: int, reach: float) -> Floats:
    """Return offsets within ``reach`` that keep points of a strip apart, without any luck."""
    return np.asarray(reach * np.sin(GOLDEN * np.arange(count)))


GOLDEN = 2.399963
"""The golden angle in radians: its multiples never meet."""


def lost_note(lost: int) -> str:
    """Return how many instances are not drawn because they diverged or failed; empty for none."""
    return f"{lost:,} diverged or failed, not drawn" if lost else ""


def beyond_note(beyond: int) -> str:
    """Return how many losses lie above the axis; empty for none."""
    lie = "loss lies" if beyond == 1 else "losses lie"
    return f"{beyond:,} {lie} beyond the upper edge" if beyond else ""


def counts(name: str, values: Sequence[int]) -> Column:
    """Return a column of whole numbers."""
    return Column(name, tuple(f"{one:,}" for one in values), np.array(values, np.float64))


def numbers(name: str, values: Sequence[float]) -> Column:
    """Return a column of numbers of four digits; NaN is left empty."""
    array = np.array(values, np.float64)
    return Column(name, tuple("" if np.isnan(one) else f"{one:.4g}" for one in array), array)
