"""The figure of a variance study: one source at a time, and where the spread comes from."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from surefoot.reports import style
from surefoot.reports.style import BLACK, DARK, LIGHT, MIDDLE, finite
from surefoot.studies.variance.analysis import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from surefoot.studies.variance.analysis import VarianceResult


def variance_figure(result: VarianceResult, *, label: str, title: str = "") -> Figure:
    """Return the losses of the three experiments beside the spread that each source gives."""
    figure, panels = style.new_figure(2, title)
    _draw_experiments(panels[0], result, label)
    _draw_sources(panels[1], result, label)
    style.name_panels(panels, ("one source at a time", "where the spread comes from"))
    return figure


def _draw_experiments(axes: Axes, result: VarianceResult, label: str) -> None:
    """Draw boxes and losses; those far out of all boxes are counted at the upper edge, in words."""
    experiments = result.experiments
    places = np.arange(1, len(experiments) + 1)
    highest = max((one.fence for one in experiments), default=np.inf)
    kept = [finite(one.losses) for one in experiments]
    style.draw_boxes(axes, kept, places, 0.5, showfliers=False)
    for number, losses in zip(places, kept):
        # Points spread by rank, so that the figure needs no luck.
        across = number + 0.16 * np.sin(2.399963 * np.arange(losses.size))
        near = losses <= highest
        axes.plot(across[near], losses[near], ".", color=MIDDLE, markersize=4, zorder=3)
        if not near.all():
            edge = axes.get_xaxis_transform()
            axes.plot(number, 0.98, "^", color=BLACK, markersize=6, transform=edge, zorder=4)
            words = f"{(~near).sum()} up to {losses.max():.3g}"
            beside: style.Style = {"textcoords": "offset points", "fontsize": "small"}
            axes.annotate(words, (number, 0.98), (7, -3), xycoords=edge, **beside)
    names = [
        f"{NAMES[one.source].replace(' ', chr(10))}\nsd {one.sd.estimate:.2g}"
        f"\niqr {one.iqr.estimate:.2g}"
        for one in experiments
    ]
    axes.set_xticks(places, names)
    axes.set_ylabel(label)


def _draw_sources(axes: Axes, result: VarianceResult, label: str) -> None:
    """Draw each source's standard deviation with its interval, one below the other."""
    found = {NAMES[one.source]: one.sd for one in result.experiments}
    if result.crossed is not None:
        deviations = result.crossed.deviations()
        found = {result.crossed.source(name): one for name, one in deviations.items()}
    if result.test is not None:
        found["test sample (part of the sample)"] = result.test
    rows = list(range(len(found)))[::-1]
    middles = [one.estimate for one in found.values()]
    axes.barh(rows, middles, height=0.55, color=LIGHT, edgecolor=DARK)
    for row, one in zip(rows, found.values()):
        ends = [one.low, one.high]
        axes.plot(ends, [row, row], "|-", color=BLACK, linewidth=1.4, markersize=8)
    axes.set_yticks(rows, [textwrap.fill(name, 18) for name in found])
    axes.set_xlim(left=0.0)
    axes.locator_params(axis="x", nbins=5)
    axes.grid(axis="y", visible=False)
    confidence = {one.confidence_level for one in found.values()}
    bars = f", {confidence.pop():.0%} intervals" if len(confidence) == 1 else ""
    axes.set_xlabel(textwrap.fill(f"standard deviation of the {label}{bars}", 44))
