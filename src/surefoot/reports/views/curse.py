"""Race against fresh: by how much a race flatters whom it chooses (the winner's curse)."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from surefoot.reports.views.chart import (
    Floats,
    Mark,
    Panel,
    Points,
    Shape,
    Tone,
    View,
    axis_of,
    boxes_of,
    loss_label,
    lost_note,
    scattered,
    strips,
)
from surefoot.studies.text import Paragraph

if TYPE_CHECKING:
    from surefoot.studies.select.selection import Selection

READING = (
    "Above, the losses that the race chose by; below, those of fresh instances, which had no "
    "part in the choice. A race picks whoever was lucky: as a rule the fresh ones are larger."
)


def race_against_fresh(selection: Selection) -> View | None:
    """Return the racing and the fresh losses of every certified candidate; None without any."""
    if not selection.certificates:
        return None
    study, labels = selection.record.study, selection.labels
    marks: list[Mark] = []
    raced = {key: selection.losses(key) for key in selection.certificates}
    rows = [
        losses
        for key, one in selection.certificates.items()
        for losses in (raced[key], np.array(one.losses))
    ]
    horizontal = axis_of(rows, loss_label(str(study.loss), study.unit), log=False)
    several = len(raced) > 1
    names = [
        f"{words}, n = {len(losses)}{f': {labels[key]}' if several else ''}"
        for (key, words), losses in zip(product(raced, ("in the race", "fresh")), rows, strict=True)
    ]
    places, vertical, named = strips(names, horizontal)
    said, at = [], 0
    for key, certificate in selection.certificates.items():
        both: tuple[tuple[Floats, Tone, Shape, str], ...]
        both = (
            (raced[key], Tone.SECOND, "ring", "in the race"),
            (np.array(certificate.losses), Tone.FOCUS, "circle", "fresh"),
        )
        for losses, tone, shape, words in both:
            known = np.isfinite(losses)
            spread = places[at] + scattered(len(losses), 0.16)
            hover = {
                "loss": [f"{loss:.5g}" for loss in losses[known]],
            }
            x, y, label = losses[known], spread[known], words if at < 2 else ""
            marks.append(Points(x, y, tone, shape, label, 5.0, 0.8, hover))
            at += 1
        if sentence := certificate.winners_curse():
            name = f"{labels[key]}: " if several else ""
            said.append(name + sentence)
    boxes = boxes_of(rows, places, 0.42, across="x", label="quartiles")
    lost = sum(int(np.isinf(row).sum()) for row in rows)
    panel = Panel(
        "racing and fresh losses",
        horizontal,
        vertical,
        (boxes, *marks, named),
        lost_note(lost),
        45 + 16 * len(rows),
    )
    told = (Paragraph("", tuple(said)),) if said else ()
    return View("curse", "Race against fresh", told, (panel,), (), READING)
