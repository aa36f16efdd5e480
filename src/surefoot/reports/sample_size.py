"""The figure of a sample-size study: losses against the number of training examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from surefoot.reports import style
from surefoot.reports.style import BLACK, MIDDLE, finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from surefoot.studies.sizes.sample_size import SampleSizeResult

WIDE = 4.0
"""Losses that span more than this factor are drawn on a logarithmic axis."""
NEAR = 1.5
"""Sizes belong to the enlarged plateau while every bound is below this multiple of its median."""
NAMED_SIZES, CLOSE = 6, 1.4
"""At most so many sizes, in a ratio of at least 1.4, are written at the axis themselves."""


def sample_size_figure(
    result: SampleSizeResult, *, label: str, title: str = "", baseline: float | None = None
) -> Figure:
    """Return boxplots of the losses against the number of training examples, on a log axis.

    Where the losses span so much that the plateau is a line, a second panel enlarges it.
    """
    flat = plateau_of(result)
    figure, panels = style.new_figure(2 if flat else 1, title)
    _draw_sizes(panels[0], result, label=label, baseline=baseline)
    if flat:
        _draw_sizes(panels[1], result, label=label, baseline=baseline, only=flat)
        style.name_panels(panels, ("all sizes", f"from {result.sizes[flat[0]]:,} on"))
    return figure


def plateau_of(result: SampleSizeResult) -> list[int]:
    """Return the places of the sizes to enlarge; none where all can be seen in one panel."""
    if not style.is_wide(finite(result.losses), WIDE):
        return []
    far = [place for place, one in enumerate(result.bounds) if one.value > NEAR * result.plateau]
    kept = list(range(far[-1] + 1 if far else 0, len(result.sizes)))
    return kept if 1 < len(kept) < len(result.sizes) else []


def _draw_sizes(
    axes: Axes,
    result: SampleSizeResult,
    *,
    label: str,
    baseline: float | None = None,
    only: Sequence[int] = (),
) -> None:
    """Draw a box of the finite losses of every size (or of ``only`` some places of them).

    A triangle is the loss that the rule's share of retrainings is known to keep at that size: a
    size passes while its triangle is at or below the limit. Circles lie beyond 1.5 interquartile
    ranges.
    """
    places = list(only) or list(range(len(result.sizes)))
    sizes = np.array(result.sizes, dtype=np.float64)
    # Boxes of equal width on the logarithmic axis, and not wider than half their distance.
    ratio = float(np.min(sizes[1:] / sizes[:-1])) if sizes.size > 1 else 1.5
    widths = 0.6 * min(0.3, ratio - 1.0) * sizes[places]
    style.draw_boxes(axes, result.losses[places], sizes[places], widths, manage_ticks=False)
    medians = np.where(np.isfinite(result.medians), result.medians, np.nan)
    axes.plot(sizes[places], medians[places], color=BLACK, linewidth=0.8, zorder=1)
    _draw_rule(axes, result, places)
    style.draw_baseline(axes, baseline)
    axes.set_xscale("log")
    if not only and style.is_wide(finite(result.losses), WIDE):
        axes.set_yscale("log")
    style.plain_numbers(axes.yaxis)
    style.plain_numbers(axes.xaxis)
    if 1 < len(places) <= NAMED_SIZES and ratio >= CLOSE:
        axes.set_xticks(sizes[places])
    axes.set(xlabel="training examples", ylabel=label)
    style.note_lost(axes, int(np.isinf(result.losses[places]).sum()))
    if not only:
        style.legend(axes, frameon=True, framealpha=1.0, edgecolor="none")


def _draw_rule(axes: Axes, result: SampleSizeResult, places: Sequence[int]) -> None:
    """Draw what the rule compares and what it and the plateau found."""
    rule, sizes = result.rule, result.sizes
    if np.isfinite(result.limit) and rule.needed <= result.losses.shape[1]:
        known = np.array([(sizes[place], result.bounds[place].value) for place in places])
        known = known[np.isfinite(known[:, 1])]
        words = f"{rule.content:.0%} are known to lose at most this"
        axes.plot(*known.T, "v", color=BLACK, markersize=5, zorder=4, label=words)
        words = f"limit: {rule.content:.0%} must"
        axes.axhline(result.limit, color=BLACK, linestyle=(0, (6, 2)), linewidth=1.2, label=words)
        if result.robust is None:
            axes.plot([], [], " ", label="robust at no size")
    if result.robust is not None and sizes.index(result.robust) in places:
        words = f"robust from {result.robust:,} on"
        axes.axvline(result.robust, color=BLACK, linestyle="-.", linewidth=1.2, label=words)
    if result.flat is not None and sizes.index(result.flat) in places:
        words = f"median flat from {result.flat:,} on"
        axes.axvline(result.flat, color=MIDDLE, linewidth=4.0, alpha=0.4, zorder=0, label=words)
