"""Figures of the studies of one candidate: assessment, variance, sample size; and of the front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot.report.figures import new_figure
from surefoot.report.panels import BLACK, DARK, LIGHT, MIDDLE, draw_certificate, draw_curves
from surefoot.studies.variance_result import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from surefoot.statistics.tolerance import Interval
    from surefoot.studies.honesty import Honesty
    from surefoot.studies.robust_size import SampleSizeResult
    from surefoot.studies.variance_result import VarianceResult

BOX: dict[str, Any] = {
    "patch_artist": True,
    "boxprops": {"facecolor": LIGHT, "edgecolor": DARK},
    "medianprops": {"color": BLACK, "linewidth": 1.6},
    "whiskerprops": {"color": DARK},
    "capprops": {"color": DARK},
    "flierprops": {"markersize": 3, "markeredgecolor": MIDDLE},
}
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
    _draw_sources(right, result)
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
    """Return boxplots of the losses against the number of training examples, on a log axis."""
    figure, (axes,) = new_figure(1, title)
    sizes = np.array(result.sizes, dtype=np.float64)
    finite = [row[np.isfinite(row)] for row in result.losses]
    drawn = [place for place, row in enumerate(finite) if row.size]
    # Boxes of equal width on the logarithmic axis, and not wider than half their distance.
    ratio = float(np.min(sizes[1:] / sizes[:-1])) if sizes.size > 1 else 1.5
    width = 0.6 * min(0.3, ratio - 1.0)
    axes.boxplot(
        [finite[place] for place in drawn],
        positions=sizes[drawn],
        widths=width * sizes[drawn],
        manage_ticks=False,
        **BOX,
    )
    medians = np.where(np.isfinite(result.medians), result.medians, np.nan)
    axes.plot(sizes, medians, color=BLACK, linewidth=0.8, zorder=1)
    if np.isfinite(result.limit) and result.rule.needed <= result.losses.shape[1]:
        words = f"{result.rule.content:.0%} must lose at most this"
        axes.axhline(result.limit, color=BLACK, linestyle=(0, (6, 2)), linewidth=1.2, label=words)
    if result.robust is not None:
        words = f"robust from {result.robust:,} on"
        axes.axvline(result.robust, color=BLACK, linestyle="-.", linewidth=1.2, label=words)
    if result.flat is not None:
        words = f"flat from {result.flat:,} on"
        axes.axvline(
            result.flat, color=MIDDLE, linestyle="-", linewidth=3.0, alpha=0.5, label=words
        )
    if baseline is not None and np.isfinite(baseline):
        axes.axhline(baseline, color=DARK, linestyle=":", linewidth=1.4, label="baseline")
    axes.set_xscale("log")
    values = np.concatenate([row for row in finite if row.size] or [np.ones(1)])
    if values.min() > 0.0 and values.max() > 4.0 * values.min():
        axes.set_yscale("log")
        _plain_numbers(axes.yaxis)
    _plain_numbers(axes.xaxis)
    axes.set_xlabel("training examples")
    axes.set_ylabel(label)
    lost = int(np.isinf(result.losses).sum())
    if lost:
        axes.set_title(
            f"{lost} diverged or failed, not drawn", fontsize="small", loc="right", color=DARK
        )
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, fontsize="small")
    return figure


def pareto_figure(
    found: Honesty, labels: Mapping[str, str], *, label: str, title: str = ""
) -> Figure:
    """Return the spread of the racing losses against their mean, the front joined and named."""
    figure, (axes,) = new_figure(1, title)
    finite = np.isfinite(found.location) & np.isfinite(found.spread)
    alike = np.array([key in found.shortlist for key in found.compared])
    for mask, marker, words in (
        (finite & ~alike, "x", "worse than the winner"),
        (finite & alike, "o", "not to be told from it"),
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
    experiments = result.experiments
    finite = [one.losses[np.isfinite(one.losses)] for one in experiments]
    if experiments:
        axes.boxplot(finite, widths=0.5, showfliers=False, **BOX)
    for number, losses in enumerate(finite, start=1):
        # Points spread by rank, so that the figure needs no luck.
        across = number + 0.16 * np.sin(2.399963 * np.arange(losses.size))
        axes.plot(across, losses, ".", color=MIDDLE, markersize=4, zorder=3)
    axes.set_xticks(
        np.arange(1, len(experiments) + 1),
        [
            f"{NAMES[one.source].replace(' ', chr(10))}\nsd {one.sd.estimate:.2g}"
            for one in experiments
        ],
    )
    axes.set_ylabel(label)


def _draw_sources(axes: Axes, result: VarianceResult) -> None:
    """Draw each source's standard deviation with its interval, the largest possible at the top."""
    found: dict[str, Interval] = {}
    if result.crossed is not None:
        deviations = result.crossed.deviations()
        found = {result.crossed.source(name): one for name, one in deviations.items()}
    else:
        found = {NAMES[one.source]: one.sd for one in result.experiments}
    if result.test is not None:
        found["of the sample:\ntest sample"] = result.test
    rows: NDArray[np.int64] = np.arange(len(found))[::-1]
    middles = np.array([one.estimate for one in found.values()])
    ends = np.array([[one.low, one.high] for one in found.values()]).reshape(-1, 2).T
    axes.barh(rows, middles, height=0.55, color=LIGHT, edgecolor=DARK)
    for row, low, high in zip(rows, *ends):
        axes.plot([low, high], [row, row], color=BLACK, linewidth=1.4)
        axes.plot([low, high], [row, row], "|", color=BLACK, markersize=8)
    axes.set_yticks(rows, list(found))
    axes.set_xlim(left=0.0)
    axes.locator_params(axis="x", nbins=5)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("standard deviation of the loss it gives")


def _plain_numbers(axis: Axis) -> None:
    """Write ticks of a logarithmic axis as plain numbers, minor ones only where few are major."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1.0 else f"{value:g}")
    )
    axis.set_minor_formatter(FuncFormatter(lambda value, _: ""))


def _letters(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize="medium")
