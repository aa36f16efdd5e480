"""Several candidates at several sample sizes: their losses, and who beats the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surefoot.reports.views.chart import (
    DASHES,
    HATCHES,
    SERIES,
    SHAPES,
    Axis,
    Band,
    Column,
    Floats,
    Line,
    Mark,
    Panel,
    Points,
    Ranges,
    Rule,
    Table,
    Tone,
    View,
    arrows,
    axis_near_best,
    axis_of,
    beyond_note,
    boxes_of,
    finite,
    lost_note,
    numbers,
)
from surefoot.studies.text import Paragraph

if TYPE_CHECKING:
    from surefoot.studies.sizes.compare import Comparison
    from surefoot.studies.sizes.transfer import Transfer

GROUP = 0.8
"""Width of the boxes of one size, of the distance between sizes."""
NAMED = 12
"""Sizes that have room for a name at the axis."""
TABLES = 8
"""Sizes that have a table: of more, the largest and others at equal distances."""
READING = (
    "Boxes are quartiles of a candidate's losses at a size with the median, whiskers reach "
    "the furthest loss within 1.5 interquartile ranges; all have the same samples. Arrows at "
    "the upper edge are medians beyond it. The chance to beat the reference is that of a "
    "smaller loss on the next retraining, with its interval."
)


def comparison(found: Comparison, label: str) -> View:
    """Return boxes of all candidates against the size, and the chance to beat the reference."""
    panels = [_losses(found, label)]
    if found.reference is not None:
        panels.append(_wins(found, found.reference))
    words = (
        Paragraph("Comparison", tuple(found.lines())),
        Paragraph("Bounds", (found.bound_line(),)),
    )
    last = len(found.sizes) - 1
    told = np.unique(np.linspace(0, last, min(last + 1, TABLES)).round().astype(int)).tolist()
    tables = tuple(comparison_table(found, place) for place in told)
    title = "Losses at each sample size" if len(found.sizes) > 1 else "Losses"
    return View("comparison", title, words, tuple(panels), tables, READING)


def _places(found: Comparison, row: int) -> Floats:
    """Return where a candidate's boxes stand, beside those of the others, by size."""
    middle = (len(found.names) - 1) / 2.0
    return np.arange(float(len(found.sizes))) + (row - middle) * GROUP / len(found.names)


def _losses(found: Comparison, label: str) -> Panel:
    width = 0.85 * GROUP / len(found.names)
    vertical = _vertical(found, label)
    marks: list[Mark] = []
    for row, name in enumerate(found.names):
        places, tone = _places(found, row), SERIES[row % len(SERIES)]
        middle = found.medians[row]
        hover = {
            "candidate": [name] * len(found.sizes),
            "examples": [f"{size:,}" for size in found.sizes],
            "median": [f"{value:.4g}" for value in middle],
        }
        rows = list(found.losses[row])
        look = {"tone": tone, "hatch": HATCHES[row % len(HATCHES)], "label": name}
        marks.append(boxes_of(rows, places, width, **look, hover=hover))
        marks += arrows(vertical, places, middle, tone, hover, named=len(found.sizes) <= NAMED)
    beyond = int((finite(found.losses) > vertical.high).sum())
    notes = [lost_note(int(np.isinf(found.losses).sum())), beyond_note(beyond)]
    note = "; ".join(filter(None, notes))
    return Panel("losses", _sizes(found), vertical, tuple(marks), note, 115)


def _sizes(found: Comparison) -> Axis:
    every = -(-len(found.sizes) // NAMED)
    names = tuple("" if place % every else f"{size:,}" for place, size in enumerate(found.sizes))
    places = tuple(np.arange(float(len(found.sizes))).tolist())
    return Axis("training examples", -0.5, len(found.sizes) - 0.5, places=places, names=names)


def _vertical(found: Comparison, label: str) -> Axis:
    """Return the axis of the losses, on which the better candidates of every size are seen.

    With many sizes, where they come from is what is asked.
    """
    medians = found.medians
    best = np.broadcast_to(medians.min(axis=0), medians.shape)
    rows = list(found.losses.reshape(-1, found.n))
    return axis_near_best(rows, medians.ravel(), best.ravel(), label)


def _wins(found: Comparison, reference: int) -> Panel:
    """Return every candidate's chance of a smaller loss than the reference's, with its interval."""
    rivals = [row for row in range(len(found.names)) if row != reference]
    marks: list[Mark] = [
        Band(0.45, 0.55, "y", Tone.REST, "even"),
        Rule(0.5, "y", Tone.QUIET, "dotted", 1.0),
    ]
    for place, row in enumerate(rivals):
        chances = [found.wins(row, reference, size) for size in range(len(found.sizes))]
        at = np.arange(float(len(found.sizes))) + 0.09 * (place - (len(rivals) - 1) / 2.0)
        middle = np.array([one.estimate for one in chances])
        tone, name = SERIES[row % len(SERIES)], found.names[row]
        hover = {
            "candidate": [name] * len(chances),
            "examples": [f"{size:,}" for size in found.sizes],
            "chance": [f"{one:.0%}" for one in chances],
        }
        low, high = np.array([one.low for one in chances]), np.array([one.high for one in chances])
        marks += [
            Ranges(at, low, high, tone, 1.6),
            Line(at, middle, tone, DASHES[row % len(DASHES)], 1.2),
            Points(at, middle, tone, SHAPES[row % len(SHAPES)], name, 7.0, hover=hover),
        ]
    vertical = Axis(
        f"chance to beat {found.names[reference]}",
        -0.03,
        1.03,
        places=(0.0, 0.25, 0.5, 0.75, 1.0),
        names=("0 %", "25 %", "50 %", "75 %", "100 %"),
    )
    title = f"paired instances, {found.confidence:.0%} intervals"
    return Panel(title, _sizes(found), vertical, tuple(marks), height=115)


def comparison_table(found: Comparison, size: int) -> Table:
    """Return all candidates at a size (by place), the lowest median first.

    ``bound`` is the certificate's; ``beats …`` is the chance of a smaller loss than the reference's
    on the next retraining, with its interval.
    """
    unit = f" ({found.unit})" if found.unit else ""
    medians, alike = found.medians[:, size], found.alike(size)
    first, third = found.quantiles(0.25)[:, size], found.quantiles(0.75)[:, size]
    order = np.argsort(medians, kind="stable").tolist()
    certificates = [found.certificate(row, size) for row in order]
    columns = [
        Column("candidate", tuple(found.names[row] + " *" * (row in alike) for row in order)),
        numbers(f"median{unit}", [medians[row] for row in order]),
        Column("quartiles", tuple(f"{first[row]:.4g} – {third[row]:.4g}" for row in order)),
        numbers("largest", [max(one.losses) for one in certificates]),
        numbers("bound", [one.bound.value for one in certificates]),
    ]
    if found.reference is not None:
        reference = found.reference
        chances = [None if row == reference else found.wins(row, reference, size) for row in order]
        columns.append(
            Column(
                f"beats {found.names[reference]}",
                tuple("" if one is None else f"{one:.0%}" for one in chances),
                np.array([np.nan if one is None else one.estimate for one in chances]),
            )
        )
    title = f"{found.sizes[size]:,} examples; * not to be told from the best"
    return Table(tuple(columns), title, 0)


def transfer(result: Transfer, label: str) -> View:
    """Return each candidate's losses at home beside those on the other population."""
    found = result.comparison
    both = result.at_home, tuple(found.losses[:, 0])
    panels = []
    for name, losses in zip(result.populations, both, strict=True):
        places = np.arange(1.0, len(found.names) + 1)
        marks: list[Mark] = []
        for row, (place, one) in enumerate(zip(places, losses, strict=True)):
            tone = SERIES[row % len(SERIES)]
            if finite(one).size > 1:
                hatch = HATCHES[row % len(HATCHES)]
                marks.append(boxes_of([one], [place], 0.5, tone=tone, hatch=hatch))
            elif finite(one).size:
                # A single loss is no distribution.
                x, y = np.array([place]), finite(one)
                marks.append(Points(x, y, tone, "diamond", "a single loss", 9.0))
        names = tuple(
            f"{name_}, n = {np.size(one)}" if np.size(one) else f"{name_}, none"
            for name_, one in zip(found.names, losses, strict=True)
        )
        horizontal = Axis("", 0.4, len(places) + 0.6, places=tuple(places.tolist()), names=names)
        lost = sum(int(np.isinf(one).sum()) for one in losses)
        vertical = axis_of(list(losses), label)
        panels.append(Panel(name, horizontal, vertical, tuple(marks), lost_note(lost)))
    words = (Paragraph("Transfer", tuple(result.lines())),)
    return View("transfer", "At home and on other data", words, tuple(panels), (), READING)
