"""The figure of a comparison: losses against sample size, and who beats the reference."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from surefoot.reports import style
from surefoot.reports.style import BLACK, DARK, Floats, finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from surefoot.studies.sizes.compare import Comparison
    from surefoot.studies.sizes.transfer import Transfer

STYLES = (
    ("0.25", "", "o", "-"),
    ("0.6", "", "s", "--"),
    ("white", "", "^", "-."),
    ("white", "////", "D", ":"),
    ("0.85", "....", "v", "-"),
    ("0.45", "xxxx", "P", "--"),
)
"""Shade and hatch of a box, marker and dash of a line: candidates differ without colour."""
FAR = 1.5
"""A candidate whose losses are larger than the best one's by this factor may leave the figure."""
BELOW: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "ncols": 3}
"""Place of a legend below its panel."""
GROUP = 0.8
"""Width of the boxes of one size, of the distance between sizes."""


def comparison_figure(found: Comparison, *, label: str, title: str = "") -> Figure:
    """Return boxplots of all candidates against the size, and the chance to beat the reference.

    Boxes are quartiles, whiskers reach the furthest loss within 1.5 interquartile ranges, dots lie
    beyond. The second panel is left out without a reference.
    """
    alone = found.reference is None
    figure, axes = style.new_figure(1 if alone else 2, title, (6.4 if alone else 10.6, 4.4))
    _draw_losses(axes[0], found, label)
    if found.reference is not None:
        _draw_wins(axes[1], found, found.reference)
        style.name_panels(axes, ("losses", "paired instances"))
    return figure


def _draw_losses(axes: Axes, found: Comparison, label: str) -> None:
    width = GROUP / len(found.names)
    for row, name in enumerate(found.names):
        _draw_styled(axes, found.losses[row], _places(found, row), 0.85 * width, row, name)
    _name_sizes(axes, found)
    everything, top = finite(found.losses), highest_shown(found)
    if style.is_wide(everything[everything <= top]):
        axes.set_yscale("log")
    elif everything.size and everything.max() > top:
        axes.set_ylim(everything.min() - 0.05 * (top - everything.min()), top)
        _mark_above(axes, found, top)
    style.note_lost(axes, int(np.isinf(found.losses).sum()))
    axes.set_ylabel(label)
    style.legend(axes, **BELOW)


def _places(found: Comparison, row: int) -> Floats:
    """Return where a candidate's boxes stand, beside those of the others, by size."""
    middle = (len(found.names) - 1) / 2.0
    return np.arange(float(len(found.sizes))) + (row - middle) * GROUP / len(found.names)


def _draw_styled(
    axes: Axes, losses: Iterable[Floats], places: ArrayLike, width: float, row: int, name: str
) -> None:
    """Draw boxes of the finite losses in the style of candidate number ``row``."""
    shade, hatch, _, _ = STYLES[row % len(STYLES)]
    thin = {"color": DARK, "linewidth": 0.8}
    axes.fill_between([], [], facecolor=shade, hatch=hatch, edgecolor=DARK, label=name)
    style.draw_boxes(
        axes,
        losses,
        places,
        width,
        manage_ticks=False,
        boxprops={"facecolor": shade, "hatch": hatch, "edgecolor": DARK, "linewidth": 0.7},
        medianprops={"color": "white" if shade == "0.25" else BLACK, "linewidth": 1.6},
        whiskerprops=thin,
        capprops=thin,
        flierprops={"marker": ".", "markersize": 3, "markeredgecolor": DARK},
    )


def _name_sizes(axes: Axes, found: Comparison) -> None:
    axes.set_xticks(np.arange(len(found.sizes)), [f"{size:,}" for size in found.sizes])
    axes.set(xlim=(-0.5, len(found.sizes) - 0.5), xlabel="training examples")


def highest_shown(found: Comparison) -> float:
    """Return the largest loss of the candidates near the best at every size: the axis ends there.

    Near is a median below `FAR` times the lowest. So one poor candidate does not squeeze the
    others into a line.
    """
    medians = found.medians
    near = (medians <= FAR * medians.min(axis=0)).all(axis=1)
    losses = finite(found.losses[near] if near.any() else found.losses)
    if not losses.size:
        return np.inf
    return float(losses.max() + 0.05 * (losses.max() - losses.min()))


def _mark_above(axes: Axes, found: Comparison, top: float) -> None:
    """Write the median of every box that lies above the axis at its upper end."""
    for row, size in np.argwhere(found.medians > top).tolist():
        place, words = _places(found, row)[size], f"{found.medians[row, size]:.3g} ▶"
        axes.text(place, top, words, fontsize=7, rotation=90, ha="center", va="top")


def _draw_wins(axes: Axes, found: Comparison, reference: int) -> None:
    """Draw every candidate's chance of a smaller loss than the reference's, with its interval."""
    rivals = [row for row in range(len(found.names)) if row != reference]
    for place, row in enumerate(rivals):
        shade, _, marker, line = STYLES[row % len(STYLES)]
        chances = [found.wins(row, reference, size) for size in range(len(found.sizes))]
        low, middle, high = np.array([(one.low, one.estimate, one.high) for one in chances]).T
        axes.errorbar(
            np.arange(len(found.sizes)) + 0.09 * (place - (len(rivals) - 1) / 2.0),
            middle,
            np.maximum([middle - low, high - middle], 0.0),
            label=found.names[row],
            color=DARK,
            marker=marker,
            markerfacecolor=shade,
            linestyle=line,
            linewidth=0.9,
            markersize=6,
            capsize=2,
        )
    axes.axhline(0.5, color=BLACK, linewidth=0.8, linestyle=":")
    _name_sizes(axes, found)
    axes.set(ylim=(-0.03, 1.03), ylabel=f"chance to beat {found.names[reference]}")
    style.legend(axes, **BELOW)


def transfer_figure(transfer: Transfer, *, label: str) -> Figure:
    """Return boxplots of each candidate's losses at home beside those on the other population."""
    found = transfer.comparison
    figure, axes = style.new_figure(2, "", (10.6, 4.4))
    both = transfer.at_home, tuple(found.losses[:, 0])
    for panel, name, losses in zip(axes, transfer.populations, both):
        for row, one in enumerate(losses):
            _draw_styled(panel, [one], [row], 0.5, row + 1, found.names[row])
        words = [textwrap.fill(one, 22) for one in found.names]
        panel.set_xticks(np.arange(len(words)), words, fontsize="small")
        panel.set(xlim=(-0.6, len(words) - 0.4), ylabel=label)
        panel.set_title(name, loc="left", fontsize="medium")
    return figure
