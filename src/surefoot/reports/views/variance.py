"""The split of the variance: each source of luck varied alone, and its part in the spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surefoot.reports.views.chart import (
    Axis,
    Bars,
    Mark,
    Panel,
    Points,
    Ranges,
    Tone,
    View,
    axis_of,
    boxes_of,
    edge,
    finite,
    lost_note,
    scattered,
    strips,
)
from surefoot.studies.text import Paragraph
from surefoot.studies.variance.analysis import NAMES

if TYPE_CHECKING:
    from surefoot.studies.variance.analysis import VarianceResult

READING = (
    "Left: losses with one source of luck varied at a time; boxes are quartiles with the "
    "median, whiskers reach the furthest loss within 1.5 interquartile ranges. Right: the "
    "standard deviation that each source gives, with its interval."
)


def variance_split(result: VarianceResult, label: str) -> View:
    """Return the losses of the three experiments beside the spread that each source gives."""
    panels = [_sources(result, label)]
    if result.experiments:
        panels.insert(0, _experiments(result, label))
    words = (Paragraph("Spread", tuple(result.lines())),)
    return View("variance", "Where the spread comes from", words, tuple(panels), (), READING)


def _experiments(result: VarianceResult, label: str) -> Panel:
    """Return boxes and losses; those far out of all boxes stand at the upper edge, with a sign."""
    told = result.experiments
    places = np.arange(1.0, len(told) + 1)
    kept = [finite(one.losses) for one in told]
    fence = max(one.fence for one in told)
    near = [losses[losses <= fence] for losses in kept]
    vertical = axis_of(near, label)
    marks: list[Mark] = [boxes_of(kept, places, 0.5, label="quartiles")]
    notes = [lost_note(sum(one.diverged for one in told))]
    for number, (place, losses) in enumerate(zip(places, kept, strict=True)):
        across = place + scattered(losses.size, 0.16)
        seen = losses <= fence
        hover = {"loss": [f"{loss:.5g}" for loss in losses[seen]]}
        words = "an instance" if number == 0 else ""
        marks.append(
            Points(across[seen], losses[seen], Tone.FOCUS, "circle", words, 4.5, 0.8, hover)
        )
        if not seen.all():
            far = losses[~seen]
            x, y = across[~seen], np.full(far.size, edge(vertical))
            said = {"loss": [f"{loss:.5g}" for loss in far]}
            marks.append(Points(x, y, Tone.SECOND, "up", "", 8.0, hover=said))
            notes.append(
                f"{NAMES[told[number].source]}: {far.size} beyond the upper edge, up to "
                f"{far.max():.3g}"
            )
    names = tuple(NAMES[one.source] for one in told)
    horizontal = Axis("", 0.4, len(told) + 0.6, places=tuple(places.tolist()), names=names)
    return Panel(
        "one source at a time", horizontal, vertical, tuple(marks), "; ".join(filter(None, notes))
    )


def _sources(result: VarianceResult, label: str) -> Panel:
    """Return each source's standard deviation with its interval."""
    found = {NAMES[one.source]: one.sd for one in result.experiments}
    alone = len(found)
    if result.crossed is not None:
        deviations = result.crossed.deviations()
        found |= {
            f"crossed: {result.crossed.source(name)}": one for name, one in deviations.items()
        }
    if result.test is not None:
        found["test sample (part of the sample)"] = result.test
    every = list(found.values())
    middle = np.array([one.estimate for one in every])
    low, high = np.array([one.low for one in every]), np.array([one.high for one in every])
    hover = {
        "source": list(found),
        "standard deviation": [format(one, ".3g") for one in every],
    }
    confidence = {one.confidence_level for one in every}
    words = f"{confidence.pop():.0%} interval" if len(confidence) == 1 else "interval"
    top = 1.06 * float(np.nanmax(np.where(np.isfinite(high), high, middle), initial=1e-12))
    horizontal = Axis(f"standard deviation of the {label}", 0.0, top)
    places, vertical, named = strips(list(found), horizontal)
    marks = (
        Bars(places, middle, None, 0.4, Tone.REST, "x", "standard deviation", hover),
        Ranges(places, low, high, Tone.INK, 2.0, "x", words),
    )
    title = "each source" if alone == len(found) else "each source, alone and crossed"
    return Panel(title, horizontal, vertical, (*marks, named))
