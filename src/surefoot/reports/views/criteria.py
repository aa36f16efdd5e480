"""How strict each criterion is: the share of candidates at or below a loss, by criterion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surefoot.racing import as_criterion
from surefoot.reports.views.chart import (
    DASHES,
    SERIES,
    Axis,
    Floats,
    Line,
    Mark,
    Panel,
    Rule,
    Tone,
    View,
    axis_of,
    finite,
)

if TYPE_CHECKING:
    from surefoot.studies.select.selection import Selection

CRITERIA = ("min", "median", "mean", "q3", "q3+iqr", "max")
"""Those of the paper's Fig. 3, the most lenient first."""
FAR = 3.0
"""The axis ends at this multiple of the smallest value of the strictest criterion."""
READING = (
    "A curve is the share of the candidates whose losses, judged by that criterion, are at most a "
    "loss. The further right a curve stands, the stricter its criterion. All candidates are judged "
    "by equally many instances; diverged ones have no finite value."
)


def race_criteria(selection: Selection) -> View | None:
    """Return the criteria of all who share instances in a race; None unless two share two."""
    rows = selection.table.losses
    known = np.cumprod(~np.isnan(rows), axis=1).sum(axis=1)
    n = int(np.median(known)) if len(known) > 1 else 0
    if n < 2:
        return None
    shared = rows[known >= n, :n]
    unit = f" / {selection.record.study.unit}" if selection.record.study.unit else ""
    return by_criterion(shared, f"criterion of the losses{unit}", selection.baseline)


def by_criterion(losses: Floats, label: str, baseline: float | None = None) -> View:
    """Return the distribution of every criterion of losses ``[candidates, n]``, +inf for lost."""
    found = {name: np.sort(as_criterion(name).values(losses)) for name in CRITERIA}
    strictest = finite(found[CRITERIA[-1]])
    least = min((float(finite(one).min()) for one in found.values() if finite(one).size), default=1)
    most = FAR * float(strictest.min()) if strictest.size else FAR * least
    shown = [finite(one)[finite(one) <= most] for one in found.values()]
    horizontal = axis_of([*shown, np.array([least, most])], label)
    marks: list[Mark] = []
    for place, (name, values) in enumerate(found.items()):
        share = np.arange(1.0, len(values) + 1) / len(values)
        ends = np.array([horizontal.low]), np.array([horizontal.high])
        inside = np.searchsorted(values, horizontal.high, "right")
        reached = inside / len(values)
        x = np.concatenate([ends[0], values[:inside], ends[1]])
        y = np.concatenate([[0.0], share[:inside], [reached]])
        dash = DASHES[place % len(DASHES)]
        marks.append(Line(x, y, tone=SERIES[place], dash=dash, label=name, step=True))
    if baseline is not None:
        marks.append(Rule(baseline, "x", Tone.QUIET, "dotted", label="baseline", up=0.9))
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    names = tuple(f"{one:.0%}" for one in shares)
    vertical = Axis("share of the candidates", -0.02, 1.04, places=shares, names=names)
    count, n = losses.shape
    lost = int(np.isinf(found["max"]).sum())
    note = f"{lost:,} of {count:,} candidates have no finite maximum" if lost else ""
    title = f"{count:,} candidates, {n} instances each"
    panel = Panel(title, horizontal, vertical, tuple(marks), note, 115)
    return View("criteria", "By criterion", (), (panel,), (), READING)
