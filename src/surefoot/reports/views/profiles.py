"""Loss profiles of the best candidates: every loss of each, beside one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surefoot.reports.views.chart import (
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
    scattered,
    strips,
)

if TYPE_CHECKING:
    from surefoot.studies.select.selection import Selection

BEST = 10
"""Candidates shown."""
READING = (
    "Each dot is a loss in the race; boxes are quartiles with the median, whiskers reach the "
    "furthest loss within 1.5 interquartile ranges. Candidates further up have more instances"
    " because they stayed longer."
)


def profiles(selection: Selection) -> View | None:
    """Return the losses of the best of the ranking; None before a round is completed."""
    state, study, labels = selection.state, selection.record.study, selection.labels
    keys = [key for key in state.ranking[:BEST] if selection.losses(key).size]
    if not state.rounds or not keys:
        return None
    losses = [selection.losses(key) for key in keys]
    baseline = [] if selection.baseline is None else [selection.baseline]
    label = loss_label(str(study.loss), study.unit)
    horizontal = axis_of([*map(finite, losses), np.array(baseline)], label)
    names = [f"{labels[key]}   n = {len(row)}" for key, row in zip(keys, losses, strict=True)]
    places, vertical, named = strips(names, horizontal)
    marks: list[Mark] = [boxes_of(losses, places, 0.42, across="x", label="quartiles")]
    for number, (row, place) in enumerate(zip(losses, places, strict=True)):
        known = np.isfinite(row)
        spread = place + scattered(len(row), 0.16)
        hover = {
            "instance": [str(at) for at in np.flatnonzero(known)],
            "loss": [f"{loss:.5g}" for loss in row[known]],
        }
        tone = Tone.FOCUS if number == 0 else Tone.QUIET
        words = ("the winner's" if state.over else "the leader's") if number == 0 else ""
        words = words or ("a rival's" if number == 1 else "")
        marks.append(Points(row[known], spread[known], tone, "circle", words, 4.5, 0.8, hover))
    if selection.baseline is not None:
        marks.append(Rule(selection.baseline, "x", Tone.QUIET, "dotted", label="baseline"))
    lost = sum(int(np.isinf(row).sum()) for row in losses)
    panel = Panel(
        "all racing losses",
        horizontal,
        vertical,
        (*marks, named),
        lost_note(lost),
        40 + 15 * len(keys),
    )
    return View("profiles", f"Loss profiles of the best {len(keys)}", (), (panel,), (), READING)
