"""Panels of a sample-size study: losses against the number of training examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from surefoot.report.panels import BLACK, DARK, LIGHT, MIDDLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from surefoot.studies.sizes.robust_size import SampleSizeResult

BOX: dict[str, Any] = {
    "patch_artist": True,
    "boxprops": {"facecolor": LIGHT, "edgecolor": DARK},
    "medianprops": {"color": BLACK, "linewidth": 1.6},
    "whiskerprops": {"color": DARK},
    "capprops": {"color": DARK},
    "flierprops": {"markersize": 3, "markeredgecolor": MIDDLE},
}
WIDE = 4.0
"""Losses that span more than this factor are drawn on a logarithmic axis."""
NEAR = 1.5
"""Sizes belong to the enlarged plateau while every bound is below this multiple of its median."""
NAMED_SIZES, CLOSE = 6, 1.4
"""At most so many sizes, in a ratio of at least 1.4, are written at the axis themselves."""


def plateau_of(result: SampleSizeResult) -> list[int]:
    """Return the places of the sizes to enlarge; none where all can be seen in one panel."""
    if not _wide(_finite(result)):
        return []
    far = [place for place, one in enumerate(result.bounds) if one.value > NEAR * result.plateau]
    kept = list(range(far[-1] + 1 if far else 0, len(result.sizes)))
    return kept if 1 < len(kept) < len(result.sizes) else []


def draw_sizes(
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
    finite = [result.losses[place][np.isfinite(result.losses[place])] for place in places]
    drawn = [(sizes[place], row) for place, row in zip(places, finite) if row.size]
    # Boxes of equal width on the logarithmic axis, and not wider than half their distance.
    ratio = float(np.min(sizes[1:] / sizes[:-1])) if sizes.size > 1 else 1.5
    width = 0.6 * min(0.3, ratio - 1.0)
    axes.boxplot(
        [row for _, row in drawn],
        positions=[size for size, _ in drawn],
        widths=[width * size for size, _ in drawn],
        manage_ticks=False,
        **BOX,
    )
    medians = np.where(np.isfinite(result.medians), result.medians, np.nan)
    axes.plot(sizes[places], medians[places], color=BLACK, linewidth=0.8, zorder=1)
    _draw_rule(axes, result, places)
    if baseline is not None and np.isfinite(baseline):
        axes.axhline(baseline, color=DARK, linestyle=":", linewidth=1.4, label="baseline")
    axes.set_xscale("log")
    if not only and _wide(_finite(result)):
        axes.set_yscale("log")
        _plain_numbers(axes.yaxis)
    _plain_numbers(axes.xaxis)
    if 1 < len(places) <= NAMED_SIZES and ratio >= CLOSE:
        axes.set_xticks(sizes[places])
    axes.set_xlabel("training examples")
    axes.set_ylabel(label)
    lost = int(np.isinf(result.losses[places]).sum())
    if lost:
        axes.set_title(
            f"{lost} diverged or failed, not drawn", fontsize="small", loc="right", color=DARK
        )
    if not only and axes.get_legend_handles_labels()[1]:
        axes.legend(framealpha=1.0, edgecolor="none", fontsize="small")


def _draw_rule(axes: Axes, result: SampleSizeResult, places: Sequence[int]) -> None:
    """Draw what the rule compares and what it and the plateau found."""
    rule, sizes = result.rule, result.sizes
    if np.isfinite(result.limit) and rule.needed <= result.losses.shape[1]:
        bounds = [(sizes[place], result.bounds[place].value) for place in places]
        known = np.array([pair for pair in bounds if np.isfinite(pair[1])]).reshape(-1, 2)
        axes.plot(
            known[:, 0],
            known[:, 1],
            "v",
            color=BLACK,
            markersize=5,
            zorder=4,
            label=f"{rule.content:.0%} are known to lose at most this",
        )
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


def _finite(result: SampleSizeResult) -> NDArray[np.float64]:
    return result.losses[np.isfinite(result.losses)]


def _wide(values: NDArray[np.float64]) -> bool:
    return bool(values.size and values.min() > 0.0 and values.max() > WIDE * values.min())


def _plain_numbers(axis: Axis) -> None:
    """Write ticks of a logarithmic axis as plain numbers, few enough not to touch each other."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    if axis.get_scale() != "log":
        return
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1.0 else f"{value:g}")
    )
    axis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
