"""How every figure looks: shades, boxes, axes, legends and notes.

Everything is told by shape, width and dash besides shade, so that figures read in greyscale.
Losses that are not finite (diverged or failed instances) are counted in words, never drawn. No
function keeps state or opens a window.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Style = dict[str, Any]

BLACK, DARK, MIDDLE, LIGHT = "0.05", "0.3", "0.55", "0.85"
BOX: dict[str, Any] = {
    "patch_artist": True,
    "boxprops": {"facecolor": LIGHT, "edgecolor": DARK},
    "medianprops": {"color": BLACK, "linewidth": 1.6},
    "whiskerprops": {"color": DARK},
    "capprops": {"color": DARK},
    "flierprops": {"markersize": 3, "markeredgecolor": MIDDLE},
}
"""Quartiles, whiskers to the furthest loss within 1.5 interquartile ranges, circles beyond."""
WIDE_RANGE = 8.0
"""Positive losses that span more than this factor are drawn on a logarithmic axis."""


def new_figure(
    panels: int, title: str, size: tuple[float, float] | None = None
) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many panels beside each other, and their axes; ``size`` in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    usual = (6.4 if panels == 1 else 4.7 * panels, 4.2)
    figure = Figure(figsize=size or usual, layout="constrained")
    FigureCanvasAgg(figure)
    drawn = figure.subplots(1, panels, squeeze=False)[0].tolist()
    for axes in drawn:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="0.93", linewidth=0.8)
        axes.set_axisbelow(True)
    if title:
        figure.suptitle(textwrap.fill(title, 60 * panels), fontsize="large")
    return figure, drawn


def name_panels(panels: Iterable[Axes], names: Iterable[str]) -> None:
    """Write a letter and a name above each of several panels."""
    for axes, letter, name in zip(panels, "abc", names):
        axes.set_title(f"({letter}) {name}", loc="left", fontsize="medium")


def loss_label(loss: str, unit: str = "") -> str:
    """Return the label of a loss axis.

    >>> loss_label("rmse", "mm"), loss_label("relative_rmse")
    ('test loss (rmse) / mm', 'test loss (relative rmse)')
    """
    label = f"test loss ({loss.replace('_', ' ')})"
    return f"{label} / {unit}" if unit else label


def finite(losses: ArrayLike) -> Floats:
    """Return the finite losses of any shape, ``[n]``."""
    values = np.asarray(losses, dtype=np.float64)
    return values[np.isfinite(values)]


def is_wide(losses: Floats, factor: float = WIDE_RANGE) -> bool:
    """Whether finite losses are positive and span more than a factor."""
    return bool(losses.size and losses.min() > 0.0 and losses.max() > factor * losses.min())


def draw_boxes(
    axes: Axes, losses: Iterable[ArrayLike], places: ArrayLike, widths: ArrayLike, **style: Any
) -> None:
    """Draw a box of the finite losses of every row that has some, as `BOX` says."""
    rows = [finite(row) for row in losses]
    kept = [number for number, row in enumerate(rows) if row.size]
    if kept:
        axes.boxplot(
            [rows[number] for number in kept],
            positions=np.asarray(places)[kept],
            widths=np.broadcast_to(widths, len(rows))[kept],
            **BOX | style,
        )


def note_lost(axes: Axes, lost: int) -> None:
    """Write how many instances diverged or failed, if any did."""
    if lost:
        words = f"{lost} diverged or failed, not drawn"
        axes.set_title(words, fontsize="small", loc="right", color=DARK)


def draw_baseline(axes: Axes, loss: float | None, *, losses: str = "y") -> None:
    """Draw the baseline's loss as a dotted line, across the axis (x or y) that has the losses."""
    if loss is not None and np.isfinite(loss):
        draw = axes.axhline if losses == "y" else axes.axvline
        draw(loss, color=DARK, linestyle=":", linewidth=1.4, label="baseline")


def legend(axes: Axes, **style: Any) -> None:
    """Add a small legend if anything has a name."""
    if axes.get_legend_handles_labels()[1]:
        axes.legend(**{"frameon": False, "fontsize": "small", **style})


def plain_numbers(axis: Axis) -> None:
    """Write ticks of a logarithmic axis as plain numbers, few enough not to touch each other."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    if axis.get_scale() != "log":
        return
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1.0,) if high > 3000.0 * low else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
