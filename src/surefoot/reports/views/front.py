"""Location against spread of every candidate: who is good on average, and who is steady."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surefoot.racing.table import Booleans
from surefoot.reports.views.chart import (
    Column,
    Floats,
    Line,
    Mark,
    Panel,
    Points,
    Shape,
    Table,
    Texts,
    Tone,
    View,
    axis_of,
    counts,
    edge,
    loss_label,
    numbers,
)

if TYPE_CHECKING:
    from surefoot.studies.select.selection import Selection

NAMED = 6
"""Candidates of the front that are numbered in the figure."""
READING = (
    "Each mark is a candidate: the mean of its losses and their standard deviation, lower "
    "left is better. Candidates with five instances or more shared with the winner are "
    "compared after as many instances as anybody has, predicted where some are missing; the "
    "others stand as they are. Nobody on the line is beaten in both."
)


def front(selection: Selection) -> View | None:
    """Return every candidate's location against its spread; None below two with a spread."""
    if not selection.state.rounds:
        return None
    keys, location, spread, n = _everybody(selection)
    known = np.isfinite(location) & np.isfinite(spread)
    if known.sum() < 2:
        return None
    rivals, study, labels = selection.rivals, selection.record.study, selection.labels
    alike, tested = set(rivals.shortlist), set(rivals.tested)
    own = np.array([key == rivals.winner for key in keys])
    close = np.array([key in alike for key in keys]) & ~own
    worse = np.array([key in tested for key in keys]) & ~close & ~own
    label = loss_label(str(study.loss), study.unit)
    unit = f" / {study.unit}" if study.unit else ""
    sure = np.isin(keys, rivals.compared)
    across = _shown(location[known], location[known & sure])
    up = _shown(spread[known], spread[known & sure])
    horizontal, vertical = (
        axis_of(across, f"mean {label}"),
        axis_of(up, f"standard deviation{unit}"),
    )
    far = known & ((location > horizontal.high) | (spread > vertical.high))
    shown: tuple[tuple[Booleans, Tone, Shape, str, float, float], ...]
    shown = (
        (~own & ~close & ~worse & ~far, Tone.REST, "circle", "too few instances to tell", 5.0, 0.6),
        (far & ~own, Tone.REST, "up", "beyond the edge", 7.0, 0.8),
        (worse & ~far, Tone.QUIET, "cross", "worse than the winner", 6.0, 1.0),
        (close & ~far, Tone.SECOND, "ring", "not to be told from it", 7.0, 1.0),
        (own, Tone.FOCUS, "diamond", _ahead(selection), 10.0, 1.0),
    )
    marks: list[Mark] = []
    place = {key: row for row, key in enumerate(keys)}
    best = sorted((place[key] for key in rivals.front), key=lambda row: location[row])
    best = [row for row in best if known[row]]
    if len(best) > 1:
        words = "nobody is better in both"
        marks.append(Line(location[best], spread[best], Tone.INK, "dashed", 1.2, True, words))
    for chosen, tone, shape, words, size, alpha in shown:
        at = np.flatnonzero(chosen & known)
        if at.size:
            hover = {
                "candidate": [labels[keys[row]] for row in at],
                "mean": [f"{location[row]:.4g}" for row in at],
                "standard deviation": [f"{spread[row]:.3g}" for row in at],
                "instances": [str(n[row]) for row in at],
            }
            x = np.minimum(location[at], edge(horizontal))
            y = np.minimum(spread[at], edge(vertical))
            marks.append(Points(x, y, tone, shape, words, size, alpha, hover))
    names = tuple(str(number) for number in range(1, len(best[:NAMED]) + 1))
    named = best[:NAMED]
    marks.append(Texts(location[named], spread[named], names, offset=(7.0, 7.0)))
    missing, beyond = len(keys) - int(known.sum()), int(far.sum())
    notes = [f"{missing:,} with one loss only, or diverged: without a spread"] if missing else []
    if beyond:
        notes.append(f"{beyond:,} lie beyond the edges, where the triangles are")
    note = "; ".join(notes)
    table = Table(
        (
            counts("front", list(range(1, len(best) + 1))),
            Column("candidate", tuple(labels[keys[row]] for row in best)),
            numbers("mean", [location[row] for row in best]),
            numbers("standard deviation", [spread[row] for row in best]),
            counts("instances", [int(n[row]) for row in best]),
        ),
        title="Candidates that nobody beats in both",
        strong=next((at for at, row in enumerate(best) if own[row]), None),
    )
    return View(
        "front",
        "Location and spread of every candidate",
        tuple(selection.about_rivals()),
        (Panel("mean and spread of the losses", horizontal, vertical, tuple(marks), note, 125),),
        (table,),
        READING,
    )


def _shown(values: Floats, sure: Floats) -> Floats:
    """Return the values that decide where an axis ends: the sure ones, and those not far out.

    Far out is three interquartile ranges above the third quartile (Tukey 1977).
    """
    first, third = np.quantile(values, [0.25, 0.75])
    near = values[values <= third + 3.0 * (third - first)]
    return np.concatenate([near, sure[np.isfinite(sure)]])


def _ahead(selection: Selection) -> str:
    return "the winner" if selection.state.over else "who leads now"


def _everybody(selection: Selection) -> tuple[list[str], Floats, Floats, Floats]:
    """Return keys, means, standard deviations and counts of all candidates with a loss."""
    table, rivals = selection.table, selection.rivals
    losses = table.losses
    seen = ~np.isnan(losses)
    n = seen.sum(axis=1)
    filled = np.where(seen, losses, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(axis=1) / n
        square = np.where(seen, (losses - mean[:, None]) ** 2, 0.0).sum(axis=1)
        spread = np.where(n > 1, np.sqrt(square / (n - 1)), np.nan)
    place = {key: row for row, key in enumerate(table.keys)}
    at = [place[key] for key in rivals.compared]
    mean[at], spread[at] = rivals.location, rivals.spread
    trained = np.flatnonzero(n)
    keys = [table.keys[row] for row in trained]
    return keys, mean[trained], spread[trained], n[trained]
