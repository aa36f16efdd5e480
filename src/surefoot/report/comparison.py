"""The figure of a comparison: losses against sample size, and who beats the reference."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from surefoot.report.style import (
    BLACK,
    DARK,
    Floats,
    finite,
    is_wide,
    legend,
    name_panels,
    new_figure,
    note_lost,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from surefoot.studies.sizes.comparison import Comparison
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
    if found.reference is None:
        figure, axes = new_figure(1, title, (6.4, 4.4))
        _draw_boxes(axes[0], found, label)
        return figure
    figure, axes = new_figure(2, title, (10.6, 4.4))
    _draw_boxes(axes[0], found, label)
    _draw_wins(axes[1], found, found.reference)
    name_panels(axes, ("losses", "paired instances"))
    return figure


def _draw_boxes(axes: Axes, found: Comparison, label: str) -> None:
    count = len(found.names)
    everything = finite(found.losses)
    for row, name in enumerate(found.names):
        places = np.arange(len(found.sizes)) + (row - (count - 1) / 2.0) * GROUP / count
        _draw_styled(axes, found.losses[row], places, 0.85 * GROUP / count, row, name)
    _name_sizes(axes, found)
    top = highest_shown(found)
    if is_wide(everything[everything <= top]):
        axes.set_yscale("log")
    elif everything.size and everything.max() > top:
        axes.set_ylim(everything.min() - 0.05 * (top - everything.min()), top)
        _mark_above(axes, found, top)
    note_lost(axes, int(np.isinf(found.losses).sum()))
    axes.set_ylabel(label)
    legend(axes, **BELOW)


def _draw_styled(
    axes: Axes, losses: Iterable[Floats], places: Iterable[float], width: float, row: int, name: str
) -> None:
    """Draw boxes of the finite losses in the style of candidate number ``row``."""
    shade, hatch, _, _ = STYLES[row % len(STYLES)]
    thin = {"color": DARK, "linewidth": 0.8}
    axes.fill_between([], [], facecolor=shade, hatch=hatch, edgecolor=DARK, label=name)
    kept = [(place, finite(one)) for place, one in zip(places, losses)]
    kept = [(place, one) for place, one in kept if one.size]
    if kept:
        axes.boxplot(
            [one for _, one in kept],
            positions=[place for place, _ in kept],
            widths=width,
            manage_ticks=False,
            patch_artist=True,
            boxprops={"facecolor": shade, "hatch": hatch, "edgecolor": DARK, "linewidth": 0.7},
            medianprops={"color": "white" if shade == "0.25" else BLACK, "linewidth": 1.6},
            whiskerprops=thin,
            capprops=thin,
            flierprops={"marker": ".", "markersize": 3, "markeredgecolor": DARK},
        )


def _name_sizes(axes: Axes, found: Comparison) -> None:
    axes.set_xticks(np.arange(len(found.sizes)), [f"{size:,}" for size in found.sizes])
    axes.set_xlim(-0.5, len(found.sizes) - 0.5)
    axes.set_xlabel("training examples")


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
    width = GROUP / len(found.names)
    for row, size in np.argwhere(found.medians > top).tolist():
        place = size + (row - (len(found.names) - 1) / 2.0) * width
        words = f"{found.medians[row, size]:.3g} ▶"
        axes.text(place, top, words, fontsize=7, rotation=90, ha="center", va="top")


def _draw_wins(axes: Axes, found: Comparison, reference: int) -> None:
    """Draw every candidate's chance of a smaller loss than the reference's, with its interval."""
    rivals = [row for row in range(len(found.names)) if row != reference]
    for place, row in enumerate(rivals):
        _, _, marker, line = STYLES[row % len(STYLES)]
        chances = [found.wins(row, reference, size) for size in range(len(found.sizes))]
        middle = np.array([one.estimate for one in chances])
        ends = np.array([[one.estimate - one.low, one.high - one.estimate] for one in chances]).T
        x = np.arange(len(found.sizes)) + 0.09 * (place - (len(rivals) - 1) / 2.0)
        axes.errorbar(
            x,
            middle,
            np.maximum(ends, 0.0),
            label=found.names[row],
            color=DARK,
            marker=marker,
            markerfacecolor=STYLES[row % len(STYLES)][0],
            linestyle=line,
            linewidth=0.9,
            markersize=6,
            capsize=2,
        )
    axes.axhline(0.5, color=BLACK, linewidth=0.8, linestyle=":")
    _name_sizes(axes, found)
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel(f"chance to beat {found.names[reference]}")
    legend(axes, **BELOW)


def transfer_figure(transfer: Transfer, *, label: str) -> Figure:
    """Return boxplots of each candidate's losses at home beside those on the other population."""
    found = transfer.comparison
    figure, axes = new_figure(2, "", (10.6, 4.4))
    both = transfer.at_home, tuple(found.losses[:, 0])
    for panel, name, losses in zip(axes, transfer.populations, both):
        for row, one in enumerate(losses):
            _draw_styled(panel, [one], [row], 0.5, row + 1, found.names[row])
        words = [textwrap.fill(one, 22) for one in found.names]
        panel.set_xticks(np.arange(len(words)), words, fontsize="small")
        panel.set_xlim(-0.6, len(words) - 0.4)
        panel.set_title(name, loc="left", fontsize="medium")
        panel.set_ylabel(label)
    return figure
