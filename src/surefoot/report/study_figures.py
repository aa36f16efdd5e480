"""Figures of the studies of one candidate: assessment, variance, sample size; and of the front."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot.report.figures import new_figure
from surefoot.report.panels import BLACK, DARK, LIGHT, MIDDLE, draw_certificate, draw_curves
from surefoot.report.size_panels import BOX, draw_sizes, plateau_of
from surefoot.studies.variance.result import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from surefoot.statistics.intervals import Interval
    from surefoot.studies.select.rivals import Honesty
    from surefoot.studies.sizes.robust_size import SampleSizeResult
    from surefoot.studies.variance.result import VarianceResult

NAMED = 6
"""Candidates of a front that are named in its figure."""


def assessment_figure(
    curves: Sequence[ArrayLike],
    losses: ArrayLike,
    *,
    label: str,
    title: str = "",
    bound: float | None = None,
    bound_label: str = "certified bound",
) -> Figure:
    """Return learning curves beside the distribution of the losses [n] and their bound."""
    figure, (left, right) = new_figure(2, title)
    draw_curves(left, curves, label=label)
    draw_certificate(right, losses, label=label, bound=bound, bound_label=bound_label)
    _letters(left, "(a) all instances")
    _letters(right, "(b) their losses")
    return figure


def variance_figure(result: VarianceResult, *, label: str, title: str = "") -> Figure:
    """Return the losses of the three experiments beside the spread that each source gives."""
    figure, (left, right) = new_figure(2, title)
    _draw_experiments(left, result, label)
    _draw_sources(right, result, label)
    _letters(left, "(a) one source at a time")
    _letters(right, "(b) where the spread comes from")
    return figure


def sample_size_figure(
    result: SampleSizeResult,
    *,
    label: str,
    title: str = "",
    baseline: float | None = None,
) -> Figure:
    """Return boxplots of the losses against the number of training examples, on a log axis.

    Where the losses span so much that the plateau is a line, a second panel enlarges it.
    """
    flat = plateau_of(result)
    figure, panels = new_figure(2 if flat else 1, title)
    draw_sizes(panels[0], result, label=label, baseline=baseline)
    if flat:
        draw_sizes(panels[1], result, label=label, baseline=baseline, only=flat)
        _letters(panels[0], "(a) all sizes")
        _letters(panels[1], f"(b) from {result.sizes[flat[0]]:,} on")
    return figure


def pareto_figure(
    found: Honesty, labels: Mapping[str, str], *, label: str, title: str = ""
) -> Figure:
    """Return the spread of the racing losses against their mean, the front joined and named."""
    figure, (axes,) = new_figure(1, title)
    finite = np.isfinite(found.location) & np.isfinite(found.spread)
    alike = np.array([key in found.shortlist for key in found.compared])
    tested = np.array([key in found.tested for key in found.compared])
    for mask, marker, words in (
        (finite & tested & ~alike, "x", "worse than the winner"),
        (finite & alike, "o", "not to be told from it"),
        (finite & ~tested & ~alike, ".", "too few instances to tell"),
    ):
        if mask.any():
            axes.plot(
                found.location[mask],
                found.spread[mask],
                marker,
                color=DARK,
                markerfacecolor="white",
                label=words,
            )
    place = {key: row for row, key in enumerate(found.compared)}
    front = sorted((place[key] for key in found.front), key=lambda row: found.location[row])
    front = [row for row in front if finite[row]]
    axes.plot(
        found.location[front],
        found.spread[front],
        color=BLACK,
        linewidth=1.0,
        drawstyle="steps-post",
        label="nobody is better in both",
    )
    own = place[found.winner]
    if finite[own]:
        axes.plot(
            found.location[own], found.spread[own], "D", color=BLACK, markersize=8, label="winner"
        )
    for number, row in enumerate(front[:NAMED], start=1):
        axes.annotate(
            str(number),
            (found.location[row], found.spread[row]),
            textcoords="offset points",
            xytext=(5, 5),
        )
    names = [f"{i} {labels[found.compared[row]]}" for i, row in enumerate(front[:NAMED], start=1)]
    axes.set_xlabel(f"mean {label}\n" + "\n".join(names), fontsize="small")
    axes.set_ylabel("standard deviation")
    axes.locator_params(nbins=5)
    axes.legend(frameon=False, fontsize="small")
    return figure


def _draw_experiments(axes: Axes, result: VarianceResult, label: str) -> None:
    """Draw boxes and losses; those far out of all boxes are counted at the upper edge, in words."""
    experiments = result.experiments
    highest = max((one.fence for one in experiments), default=np.inf)
    finite = [one.losses[np.isfinite(one.losses)] for one in experiments]
    if experiments:
        axes.boxplot(finite, widths=0.5, showfliers=False, **BOX)
    for number, losses in enumerate(finite, start=1):
        # Points spread by rank, so that the figure needs no luck.
        across = number + 0.16 * np.sin(2.399963 * np.arange(losses.size))
        near = losses <= highest
        axes.plot(across[near], losses[near], ".", color=MIDDLE, markersize=4, zorder=3)
        if not near.all():
            edge = axes.get_xaxis_transform()
            axes.plot(number, 0.98, "^", color=BLACK, markersize=6, transform=edge, zorder=4)
            axes.annotate(
                f"{(~near).sum()} up to {losses.max():.3g}",
                (number, 0.98),
                xycoords=edge,
                xytext=(7, -3),
                textcoords="offset points",
                fontsize="small",
            )
    axes.set_xticks(
        np.arange(1, len(experiments) + 1),
        [
            f"{NAMES[one.source].replace(' ', chr(10))}\nsd {one.sd.estimate:.2g}"
            f"\niqr {one.iqr.estimate:.2g}"
            for one in experiments
        ],
    )
    axes.set_ylabel(label)


def _draw_sources(axes: Axes, result: VarianceResult, label: str) -> None:
    """Draw each source's standard deviation with its interval, one below the other."""
    found: dict[str, Interval] = {}
    if result.crossed is not None:
        deviations = result.crossed.deviations()
        found = {result.crossed.source(name): one for name, one in deviations.items()}
    else:
        found = {NAMES[one.source]: one.sd for one in result.experiments}
    if result.test is not None:
        found["test sample (part of the sample)"] = result.test
    rows: NDArray[np.int64] = np.arange(len(found))[::-1]
    middles = np.array([one.estimate for one in found.values()])
    ends = np.array([[one.low, one.high] for one in found.values()]).reshape(-1, 2).T
    axes.barh(rows, middles, height=0.55, color=LIGHT, edgecolor=DARK)
    for row, low, high in zip(rows, *ends):
        axes.plot([low, high], [row, row], color=BLACK, linewidth=1.4)
        axes.plot([low, high], [row, row], "|", color=BLACK, markersize=8)
    axes.set_yticks(rows, [textwrap.fill(name, 18) for name in found])
    axes.set_xlim(left=0.0)
    axes.locator_params(axis="x", nbins=5)
    axes.grid(axis="y", visible=False)
    confidence = {one.confidence_level for one in found.values()}
    bars = f", {confidence.pop():.0%} intervals" if len(confidence) == 1 else ""
    axes.set_xlabel(textwrap.fill(f"standard deviation of the {label}{bars}", 44))


def _letters(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize="medium")
