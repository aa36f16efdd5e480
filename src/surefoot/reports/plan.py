"""The figure of a plan: what every race is expected to regret, against the hours it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from surefoot.reports.style import BLACK, DARK, MIDDLE, Style, new_figure, plain_numbers
from surefoot.studies.plan.plan import efficient

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from surefoot.studies.plan.plan import PlanRow

Floats = NDArray[np.float64]

UNITS = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
WIDTH, HEIGHT, LETTER = 480.0, 270.0, (4.6, 9.0)
"""Size of the axes and of a letter of a name, in points, as far as placing names takes."""


def plan_figure(
    rows: Sequence[PlanRow], pick: PlanRow, *, criterion: str, workers: int, title: str = ""
) -> Figure:
    """Return the expected regret of every race against its time, both logarithmic.

    Bars are standard errors. Full markers are races than which none is both cheaper and better,
    joined by a line; a square is the study file's own, a ring surrounds the one to take. A race
    without any regret in the simulations lies on the lower edge, with an arrow.
    """
    figure, (axes,) = new_figure(1, title, (7.6, 4.8))
    seconds = np.array([row.seconds for row in rows])
    per, unit = next(one for one in UNITS if np.median(seconds) >= one[0] or one[0] == 1.0)
    regrets = 100.0 * np.array([row.forecast.regret for row in rows])
    seen = np.isfinite(regrets) & (seconds > 0.0)
    positive = regrets[seen & (regrets > 0.0)]
    foot = float(positive.min()) / 3.0 if positive.size else 0.01
    best = efficient(rows)
    places = np.column_stack([seconds / per, np.maximum(regrets, foot)])
    axes.set(xscale="log", yscale="log")
    for row, (x, y), drawn in zip(rows, places.tolist(), seen, strict=True):
        if drawn:
            _draw(axes, row, x, y, full=row in best)
    front = [place for place in np.argsort(seconds) if rows[place] in best and seen[place]]
    axes.plot(*places[front].T, color=MIDDLE, linewidth=0.9, linestyle="--", zorder=1)
    if seen[rows.index(pick)]:
        ring = places[rows.index(pick)]
        axes.plot(*ring, "o", markersize=15, markerfacecolor="none", markeredgecolor=BLACK)
    if seen.any():
        errors = 100.0 * np.nan_to_num([row.forecast.regret_error for row in rows])[seen]
        axes.set_xlim(_limits(places[seen, 0]))
        axes.set_ylim(_limits(np.append(places[seen, 1], places[seen, 1] + errors)))
        _name(axes, [row.choice.name for row, one in zip(rows, seen) if one], places[seen])
    axes.grid(axis="x", color="0.93", linewidth=0.8)
    cores = f"{workers} core{'s' if workers > 1 else ''}"
    axes.set_xlabel(f"time of the race on {cores} / {unit}")
    axes.set_ylabel(f"expected regret in {criterion} / %")
    words = "filled: nothing is both cheaper and better; ring: the one to take"
    if not seen.all():
        words += f"; {(~seen).sum()} without a stable winner, not drawn"
    axes.set_title(words, fontsize="small", loc="left", color=DARK)
    plain_numbers(axes.xaxis)
    plain_numbers(axes.yaxis)
    return figure


def _draw(axes: Axes, row: PlanRow, x: float, y: float, *, full: bool) -> None:
    error = 100.0 * row.forecast.regret_error
    if row.forecast.regret <= 0.0:
        arrow = {"arrowstyle": "<-", "color": DARK}
        axes.annotate("", (x, y), (0, -20), textcoords="offset points", arrowprops=arrow)
    elif np.isfinite(error):
        axes.errorbar(x, y, [[min(error, 0.9 * y)], [error]], color=DARK, capsize=2, linewidth=0.9)
    shade, inside = (BLACK, BLACK) if full else (DARK, "white")
    marker = "s" if row.choice.own else "o"
    axes.plot(x, y, marker, color=shade, markerfacecolor=inside, markersize=7, zorder=3)


def _limits(values: Floats) -> tuple[float, float]:
    """Return the ends of a logarithmic axis, with room for names."""
    low, high = np.log10(values.min()), np.log10(values.max())
    room = max(0.12 * (high - low), 0.15)
    return float(10.0 ** (low - room)), float(10.0 ** (high + room))


def _name(axes: Axes, names: Sequence[str], places: Floats) -> None:
    """Write each name beside its marker, where it hides the least of other names and markers."""
    ends = np.log10([axes.get_xlim(), axes.get_ylim()])
    points = (np.log10(places) - ends[:, 0]) / (ends[:, 1] - ends[:, 0]) * [WIDTH, HEIGHT]
    taken = [np.concatenate([point - 6.0, point + 6.0]) for point in points]
    for name, place, point in zip(names, places, points, strict=True):
        size = np.array([LETTER[0] * len(name), LETTER[1]])
        offsets = [(side, up) for up in (0.0, 9.0, -9.0, 18.0, -18.0) for side in (9.0, -9.0)]
        boxes = []
        for side, up in offsets:
            left = side - size[0] if side < 0.0 else side
            corner = point + np.array([left, up - size[1] / 2.0])
            boxes.append(np.concatenate([corner, corner + size]))
        hidden = [sum(_overlap(box, other) for other in taken) + _outside(box) for box in boxes]
        choice = int(np.argmin(hidden))
        taken.append(boxes[choice])
        side, up = offsets[choice]
        words: Style = {"textcoords": "offset points", "va": "center", "fontsize": "x-small"}
        align = "right" if side < 0.0 else "left"
        axes.annotate(name, tuple(place), (side, up), ha=align, zorder=5, **words)


def _overlap(one: Floats, other: Floats) -> float:
    """Return the area that two boxes (left, bottom, right, top) share."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    return float(np.prod(np.maximum(sides, 0.0)))


def _outside(box: Floats) -> float:
    whole = np.array([0.0, 0.0, WIDTH, HEIGHT])
    return 2.0 * (float(np.prod(box[2:] - box[:2])) - _overlap(box, whole))
