"""Losses against the number of training examples, with the sizes known to be robust."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from surefoot.reports.views.chart import (
    Line,
    Mark,
    Panel,
    Points,
    Rule,
    Tone,
    View,
    axis_of,
    boxes_of,
    finite,
    loss_label,
    lost_note,
)
from surefoot.studies.text import Paragraph

if TYPE_CHECKING:
    from surefoot.studies.sizes.sample_size import SampleSizeResult

WIDE = 4.0
"""Losses that span more than this factor hide the plateau, which is then enlarged."""
NEAR = 1.5
"""Sizes belong to the enlarged plateau while every bound is below this multiple of its median."""
READING = (
    "Boxes are quartiles of the losses at a size with the median, whiskers reach the furthest"
    " loss within 1.5 interquartile ranges. A triangle is the loss that the rule's share of "
    "retrainings is known to keep: a size passes while its triangle is at or below the limit."
)


def sample_sizes(result: SampleSizeResult, label: str = "", baseline: float | None = None) -> View:
    """Return the losses against the size, on a log axis; beside it the plateau, enlarged."""
    label = label or loss_label("loss")
    flat = plateau_of(result)
    everything = list(range(len(result.sizes)))
    panels = [_sizes(result, everything, label, baseline, "all sizes")]
    if flat:
        title = f"from {result.sizes[flat[0]]:,} examples on"
        panels.append(_sizes(result, flat, label, baseline, title))
    words = (Paragraph("Sample size", tuple(result.lines())),)
    return View("sizes", "Losses against the sample size", words, tuple(panels), (), READING)


def plateau_of(result: SampleSizeResult) -> list[int]:
    """Return the places of the sizes to enlarge; none where all can be seen in one panel."""
    losses = finite(result.losses)
    if not losses.size or losses.min() <= 0.0 or losses.max() <= WIDE * losses.min():
        return []
    far = [place for place, one in enumerate(result.bounds) if one.value > NEAR * result.plateau]
    kept = list(range(far[-1] + 1 if far else 0, len(result.sizes)))
    return kept if 1 < len(kept) < len(result.sizes) else []


def _sizes(
    result: SampleSizeResult,
    places: Sequence[int],
    label: str,
    baseline: float | None,
    title: str,
) -> Panel:
    at, rule = list(places), result.rule
    sizes = np.array(result.sizes, np.float64)
    # Boxes of equal width on the logarithmic axis, and not wider than half their distance.
    ratio = float(np.min(sizes[1:] / sizes[:-1])) if sizes.size > 1 else 1.5
    width = 0.6 * min(0.3, ratio - 1.0) * sizes[at]
    boxes = boxes_of(list(result.losses[at]), sizes[at], width, label="quartiles")
    hover = {
        "examples": [f"{result.sizes[place]:,}" for place in at],
        "median": [f"{value:.4g}" for value in boxes.median],
        "quartiles": [f"{a:.4g} – {b:.4g}" for a, b in zip(boxes.first, boxes.third, strict=True)],
    }
    known = np.array([result.bounds[place].value for place in at])
    marks: list[Mark] = [
        Line(sizes[at], boxes.median, Tone.QUIET, width=1.2),
        boxes_of(list(result.losses[at]), sizes[at], width, label="quartiles", hover=hover),
    ]
    values = [boxes.low, boxes.high]
    if np.isfinite(result.limit) and rule.needed <= result.losses.shape[1]:
        shown = np.isfinite(known)
        words = f"{rule.content:.0%} are known to lose at most this"
        x, y = sizes[at][shown], known[shown]
        said = {"bound": [f"{value:.4g}" for value in y]}
        marks.append(Points(x, y, Tone.FOCUS, "down", words, 7.0, hover=said))
        values += [y, np.array([result.limit])]
        words = f"limit: {rule.content:.0%} must stay below {result.limit:.4g}"
        marks.append(Rule(result.limit, "y", Tone.INK, "dashed", label=words))
    if result.robust in [result.sizes[place] for place in at]:
        words = f"robust from {result.robust:,} on"
        marks.append(Rule(float(result.robust or 0), "x", Tone.FOCUS, "dashdot", label=words))
    if result.flat in [result.sizes[place] for place in at]:
        words = f"median flat from {result.flat:,} on"
        marks.append(Rule(float(result.flat or 0), "x", Tone.SECOND, "dotted", 2.0, words, False))
    if baseline is not None:
        marks.append(Rule(baseline, "y", Tone.QUIET, "dotted", label="baseline"))
        values.append(np.array([baseline]))
    ends = [sizes[at] - 0.6 * width, sizes[at] + 0.6 * width]
    horizontal = axis_of(ends, "training examples", log=True)
    notes = [lost_note(int(np.isinf(result.losses[at]).sum()))]
    if result.robust is None and rule.needed <= result.losses.shape[1]:
        notes.append("robust at no size")
    note = "; ".join(filter(None, notes))
    return Panel(title, horizontal, axis_of(values, label), tuple(marks), note)
