"""Performance profiles: how often each candidate is within a factor of the best of its instance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from surefoot.reports.views.chart import (
    DASHES,
    SERIES,
    Axis,
    Floats,
    Line,
    Panel,
    View,
)

FEWEST = 5
MOST = 6
"""Candidates that have a colour of their own."""
READING = (
    "For every instance that all of them have, each loss is divided by the lowest of them. A "
    "curve gives the share of instances in which a candidate is within that factor of the "
    "best (Dolan and Moré 2002): its start says how often it is the best, its rise how far it"
    " falls behind."
)


def performance_profiles(names: Sequence[str], losses: Floats) -> View | None:
    """Return the performance profiles of paired positive losses ``[k, n]``, the first six.

    None for fewer than two candidates or five instances, or if a loss is not positive.
    """
    table = losses[:MOST]
    k, n = table.shape
    best = table.min(axis=0, initial=np.inf)
    if k < 2 or n < FEWEST or not (best > 0.0).all() or not np.isfinite(best).all():
        return None
    ratios = np.sort(table / best, axis=1)
    finite = ratios[np.isfinite(ratios)]
    end = float(max(1.02, min(finite.max(), 4.0 * np.quantile(finite, 0.75))))
    marks = []
    for row, name in enumerate(names[:MOST]):
        seen = ratios[row][np.isfinite(ratios[row])]
        x = np.concatenate([[1.0], seen, [max(end, seen.max(initial=1.0))]])
        share = np.arange(1, seen.size + 1) / n
        y = np.concatenate([[0.0], share, share[-1:] if share.size else [0.0]])
        dash = DASHES[row % len(DASHES)]
        marks.append(Line(x, y, SERIES[row % len(SERIES)], dash, 2.0, True, name))
    panel = Panel(
        f"share of {n} instances",
        Axis("loss / lowest loss of the instance", 1.0 - 0.01 * (end - 1.0), end),
        Axis(
            "share of instances",
            -0.02,
            1.04,
            places=(0.0, 0.25, 0.5, 0.75, 1.0),
            names=("0 %", "25 %", "50 %", "75 %", "100 %"),
        ),
        tuple(marks),
    )
    return View("performance", "Performance profiles", (), (panel,), (), READING, appendix=True)
