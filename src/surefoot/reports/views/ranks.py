"""Critical differences: mean ranks of candidates, and which of them the ranks do not tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from surefoot.reports.views.chart import (
    Axis,
    Column,
    Floats,
    Line,
    Mark,
    Panel,
    Points,
    Table,
    Texts,
    Tone,
    View,
    counts,
    numbers,
    strips,
)
from surefoot.statistics.comparison import critical_difference, friedman, mean_ranks
from surefoot.studies.text import Paragraph

LEVEL = 0.05
FEWEST = 5
"""Instances below which ranks say nothing."""
READING = (
    "Candidates by their mean rank over the instances that all of them have, 1 being the best"
    " of each. Those under one bar lie closer than the critical difference: their ranks do "
    "not tell them apart. Ranks depend on who else is compared and hide by how much: the "
    "table has the magnitudes."
)


def critical_differences(
    names: Sequence[str], losses: Floats, unit: str = "", what: str = ""
) -> View | None:
    """Return the critical-difference diagram of paired losses ``[k, n]``.

    None for fewer than three candidates or five instances.
    """
    k, n = losses.shape
    if k < 3 or n < FEWEST:
        return None
    ranks, apart = mean_ranks(losses), critical_difference(k, n, LEVEL)
    order = np.argsort(ranks, kind="stable")
    ranks, named = ranks[order], [names[row] for row in order]
    horizontal = Axis("mean rank (1 is best)", 0.75, k + 0.25)
    places, vertical, labels = strips(named, horizontal)
    marks: list[Mark] = [Line(ranks, places, Tone.REST, "dotted", 1.0)]
    groups = _cliques(ranks, apart)
    for number, (first, last) in enumerate(groups):
        height = np.array([1.0, 1.0]) * (0.3 - 0.32 * number)
        words = "not told apart" if number == 0 else ""
        ends = np.array([ranks[first] - 0.06, ranks[last] + 0.06])
        marks.append(Line(ends, height, Tone.SECOND, width=4.0, label=words))
    hover = {"candidate": named, "mean rank": [f"{rank:.3g}" for rank in ranks]}
    marks.append(Points(ranks, places, Tone.FOCUS, "circle", "mean rank", 8.0, hover=hover))
    bar = np.array([1.0, 1.0 + apart])
    top = np.full(2, k + 1.05)
    marks.append(Line(bar, top, Tone.INK, width=2.0))
    marks.append(Texts(bar[1:], top[1:], (f"critical difference {apart:.2g}",), offset=(6.0, 0.0)))
    low = 0.0 - 0.32 * len(groups)
    panel = Panel(
        f"mean ranks over {n} instances",
        horizontal,
        replace(vertical, low=low, high=k + 1.4),
        (*marks, labels),
        height=45 + 12 * k,
    )
    medians = np.array([_median(row) for row in losses])[order]
    unit = f" ({unit})" if unit else ""
    table = Table(
        (
            Column("candidate", tuple(named)),
            numbers("mean rank", ranks.tolist()),
            numbers(f"median loss{unit}", medians.tolist()),
            numbers("above the best / %", (100.0 * (medians / medians.min() - 1.0)).tolist()),
            counts("instances", [n] * k),
        ),
        strong=0,
    )
    test = friedman(losses)
    words = (
        f"Friedman's test that all are alike: p = {test.pvalue:.2g} over {n} instances{what}; "
        f"Nemenyi's critical difference at {LEVEL:.0%}: {apart:.3g} ranks."
    )
    said = (Paragraph("", (words,)),)
    return View("ranks", "Critical differences", said, (panel,), (table,), READING, appendix=True)


def _median(losses: Floats) -> float:
    with np.errstate(invalid="ignore"):
        return float(np.median(losses))


def _cliques(ranks: Floats, apart: float) -> list[tuple[int, int]]:
    """Return the widest groups of sorted ranks within the critical difference, by their ends."""
    ends = np.searchsorted(ranks, ranks + apart, side="right") - 1
    found: list[tuple[int, int]] = []
    for first, last in enumerate(ends.tolist()):
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found
