"""A plan: what every race is expected to regret, against the time it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from surefoot.racing.table import Booleans
from surefoot.reports.views.chart import (
    Axis,
    Floats,
    Line,
    Mark,
    Panel,
    Points,
    Ranges,
    Shape,
    Texts,
    Tone,
    View,
    axis_of,
    boxes_of,
    loss_label,
    lost_note,
    scattered,
    strips,
)
from surefoot.studies.plan.plan import efficient

if TYPE_CHECKING:
    from surefoot.studies.plan.pilot import PilotRecord
    from surefoot.studies.plan.plan import PlanRow

UNITS = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
MOST = 24
"""Candidates of a pilot that have room."""


def planned(rows: Sequence[PlanRow], pick: PlanRow, *, criterion: str, workers: int) -> View:
    """Return the expected regret of every race against its time, both logarithmic.

    Bars are standard errors. Full marks are races than which none is both cheaper and better,
    joined by a line; a diamond is the one to take. A race without any regret in the simulations
    lies on the lower edge.
    """
    seconds = np.array([row.seconds for row in rows])
    per, unit = next(one for one in UNITS if np.median(seconds) >= one[0] or one[0] == 1.0)
    regrets = 100.0 * np.array([row.forecast.regret for row in rows])
    errors = 100.0 * np.nan_to_num([row.forecast.regret_error for row in rows])
    seen = np.isfinite(regrets) & (seconds > 0.0)
    positive = regrets[seen & (regrets > 0.0)]
    foot = float(positive.min()) / 3.0 if positive.size else 0.01
    x, y = seconds / per, np.maximum(regrets, foot)
    best = efficient(rows)
    good = np.array([row in best for row in rows])
    low, high = np.maximum(regrets - errors, 0.1 * y), regrets + errors
    cores = f"{workers} core{'s' if workers > 1 else ''}"
    if seen.any():
        horizontal = axis_of(x[seen], f"time of the race on {cores} / {unit}", log=True, room=0.16)
        values = [y[seen], high[seen & (regrets > 0.0)], low[seen & (regrets > 0.0)]]
        vertical = axis_of(values, f"expected regret in {criterion} / %", log=True, room=0.08)
    else:
        horizontal, vertical = Axis(f"time / {unit}"), Axis(f"expected regret in {criterion} / %")
    marks: list[Mark] = []
    front = [place for place in np.argsort(x).tolist() if good[place] and seen[place]]
    marks.append(Line(x[front], y[front], Tone.REST, "dashed", 1.2))
    barred = seen & (regrets > 0.0) & (errors > 0.0)
    marks.append(
        Ranges(x[barred], low[barred], high[barred], Tone.QUIET, 1.2, label="standard error")
    )
    shown: tuple[tuple[Booleans, Tone, Shape, str, float], ...]
    taken = np.array([row is pick for row in rows])
    shown = (
        (~good & ~taken, Tone.REST, "ring", "another race is cheaper and better", 7.0),
        (good & ~taken, Tone.FOCUS, "circle", "none is both cheaper and better", 8.0),
        (taken, Tone.SECOND, "diamond", "the one to take", 12.0),
    )
    for chosen, tone, shape, words, size in shown:
        at = np.flatnonzero(chosen & seen).tolist()
        if at:
            hover = {
                "race": [rows[row].choice.name for row in at],
                "expected regret": [f"{regrets[row]:.2f} ± {errors[row]:.2f} %" for row in at],
                "trainings": [f"{rows[row].forecast.trainings:,.0f}" for row in at],
                "finds the best": [f"{rows[row].forecast.p_best:.0%}" for row in at],
            }
            marks.append(Points(x[at], y[at], tone, shape, words, size, hover=hover))
    names = [row.choice.name for row, one in zip(rows, seen, strict=True) if one]
    marks += _names(names, x[seen], y[seen], horizontal, vertical) if names else []
    notes = []
    if (seen & (regrets <= 0.0)).any():
        notes.append("races on the lower edge regretted nothing in the simulations")
    if not seen.all():
        notes.append(f"{int((~seen).sum())} without a stable winner, not drawn")
    panel = Panel("regret against time", horizontal, vertical, tuple(marks), "; ".join(notes), 130)
    return View("plan", "What each race costs and finds", panels=(panel,))


SIZE, LETTER = (470.0, 280.0), (5.2, 11.0)
"""Of the axes and of a letter of a name, in points, as far as placing names takes."""


def _names(names: Sequence[str], x: Floats, y: Floats, across: Axis, up: Axis) -> list[Texts]:
    """Return each name beside its mark, where it hides the least of other names and marks."""
    ends = np.log10([[across.low, up.low], [across.high, up.high]])
    points = (np.log10(np.column_stack([x, y])) - ends[0]) / (ends[1] - ends[0]) * SIZE
    taken = [np.concatenate([point - 6.0, point + 6.0]) for point in points]
    whole = np.array([0.0, 0.0, *SIZE])
    found = []
    for name, place, point in zip(names, zip(x, y, strict=True), points, strict=True):
        size = np.array([LETTER[0] * len(name), LETTER[1]])
        offsets = [(side, rise) for rise in (0.0, 11.0, -11.0, 22.0, -22.0) for side in (9.0, -9.0)]
        boxes = []
        for side, rise in offsets:
            left = side - size[0] if side < 0.0 else side
            corner = point + np.array([left, rise - size[1] / 2.0])
            boxes.append(np.concatenate([corner, corner + size]))
        hidden = [
            sum(_overlap(box, other) for other in taken)
            + 2.0 * (float(np.prod(box[2:] - box[:2])) - _overlap(box, whole))
            for box in boxes
        ]
        choice = int(np.argmin(hidden))
        taken.append(boxes[choice])
        side, rise = offsets[choice]
        align: Literal["left", "right"] = "right" if side < 0.0 else "left"
        at = np.array(place[:1]), np.array(place[1:])
        found.append(Texts(*at, (name,), Tone.INK, align, (side, rise)))
    return found


def _overlap(one: Floats, other: Floats) -> float:
    """Return the area that two boxes (left, bottom, right, top) share."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    return float(np.prod(np.maximum(sides, 0.0)))


def pilot_losses(pilot: PilotRecord, labels: dict[str, str], loss: str, unit: str) -> View:
    """Return the losses of a pilot's candidates, the lowest median on top."""
    losses = pilot.table.losses
    middle = np.array([np.median(row[~np.isnan(row)]) for row in losses])
    order = np.argsort(middle, kind="stable")[:MOST]
    rows = [losses[row][~np.isnan(losses[row])] for row in order]
    horizontal = axis_of(rows, loss_label(loss, unit))
    names = [labels[pilot.table.keys[row]] for row in order]
    places, vertical, named = strips(names, horizontal)
    marks: list[Mark] = [boxes_of(rows, places, 0.42, across="x", label="quartiles")]
    for number, (place, row) in enumerate(zip(places, rows, strict=True)):
        seen = row[np.isfinite(row)]
        hover = {
            "loss": [f"{one:.5g}" for one in seen],
        }
        spread = place + scattered(seen.size, 0.14)
        words = "an instance" if number == 0 else ""
        marks.append(Points(seen, spread, Tone.FOCUS, "circle", words, 5.0, 0.8, hover))
    lost = sum(int(np.isinf(row).sum()) for row in rows)
    title = (
        f"{len(order)} of {len(losses)} candidates"
        if len(order) < len(losses)
        else "all candidates"
    )
    note, height = lost_note(lost), 40 + 14 * len(order)
    panel = Panel(title, horizontal, vertical, (*marks, named), note, height)
    reading = (
        "Each dot is an instance of the pilot. How far candidates lie apart and how far their "
        "instances scatter decides which race is worth its price: surefoot plan tells."
    )
    return View("pilot", "The pilot's losses", (), (panel,), (), reading)
