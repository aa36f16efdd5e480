"""Survival: who left in which round, at which value and why, and how many went on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from surefoot.racing.state import Round, stretch_word, stretches
from surefoot.racing.table import Booleans
from surefoot.reports.views.chart import (
    Axis,
    Bars,
    Column,
    Floats,
    Line,
    Mark,
    Panel,
    Points,
    Rule,
    Shape,
    Table,
    Tone,
    View,
    axis_of,
    counts,
    edge,
    numbers,
    scattered,
)

if TYPE_CHECKING:
    from surefoot.studies.select.selection import Selection

MOST = 2_000
"""Candidates drawn where they left."""
SHOWN = 12
"""Stretches of rounds that have room for a name."""


def survival(selection: Selection) -> View | None:
    """Return the rounds of a race; None before one is completed."""
    rounds = selection.state.rounds
    if not rounds:
        return None
    told = stretches(rounds)
    return View(
        "survival",
        "Survival by round",
        panels=(departures(selection), _left(told)),
        tables=(rounds_table(selection, told),),
        reading="Each grey mark is a candidate where it left: its value then, and on pointing at "
        "it the reason. Marks at the upper edge diverged. Rounds in which all stayed are one.",
    )


def departures(selection: Selection) -> Panel:
    """Return every elimination by round and value, and the path of the winner."""
    told = stretches(selection.state.rounds)
    study, labels = selection.record.study, selection.labels
    place = {one.number: at for at, stretch in enumerate(told, 1) for one in stretch}
    every = selection.state.eliminations
    out = [every[row] for row in thinned(len(every))]
    rounds = np.array([place[one.round] for one in out], np.float64)
    values = np.array([one.value for one in out], np.float64)
    spread = scattered(len(out), 0.32)
    key = selection.state.ranking[0]
    path = np.array([_value(stretch[-1], key) for stretch in told])
    unit = f" / {study.unit}" if study.unit else ""
    name = f"{selection.record.race.criterion.name} of the losses so far{unit}"
    known = [] if selection.baseline is None else [selection.baseline]
    vertical = axis_of([values, path, np.array(known)], name)
    lost = ~np.isfinite(values)
    told_of = {
        "candidate": [labels[one.key] for one in out],
        "left in round": [str(one.round) for one in out],
        "value": [f"{one.value:.4g}" for one in out],
        "because": [one.reason for one in out],
    }
    alpha = 0.85 if len(out) < 300 else 0.35
    marks: list[Mark] = []
    heights = np.where(lost, edge(vertical), values)
    shown: tuple[tuple[Booleans, Shape, str], ...]
    shown = (~lost, "circle", "left"), (lost, "up", "left, diverged")
    for chosen, shape, words in shown:
        if chosen.any():
            at = np.flatnonzero(chosen)
            hover = {name: [cells[row] for row in at] for name, cells in told_of.items()}
            x, y = (rounds + spread)[at], heights[at]
            marks.append(Points(x, y, Tone.REST, shape, words, 6.0, alpha, hover))
    over = "the winner" if selection.state.over else "who leads now"
    steps = np.arange(1.0, len(told) + 1)
    marks.append(Line(steps, path, Tone.FOCUS, width=1.6))
    said = {
        "candidate": [labels[key]] * len(told),
        "rounds": [_name(stretch) for stretch in told],
        "value": [f"{value:.4g}" for value in path],
    }
    marks.append(Points(steps, path, Tone.FOCUS, "diamond", over, 9.0, hover=said))
    if selection.baseline is not None:
        marks.append(Rule(selection.baseline, "y", Tone.QUIET, "dotted", label="baseline"))
    note = "" if len(out) == len(every) else f"{len(out):,} of {len(every):,} who left are drawn"
    return Panel("who left, and at which value", _rounds_axis(told), vertical, tuple(marks), note)


def thinned(count: int) -> list[int]:
    """Return the places of those drawn of so many who left: the last, and some of the earlier.

    They are in the order of the rounds, in each the worst first, so that equal distances take the
    values as they come.
    """
    if count <= MOST:
        return list(range(count))
    last = count - MOST // 2
    first = np.linspace(0, last - 1, MOST - MOST // 2).round().astype(int).tolist()
    return [*first, *range(last, count)]


def _value(one: Round, key: str) -> float:
    """Return a candidate's value in a round, NaN if it took no part."""
    value = one.values[one.keys.index(key)] if key in one.keys else np.nan
    return float(value) if np.isfinite(value) else np.nan


def _left(told: Sequence[Sequence[Round]]) -> Panel:
    """Return how many candidates came into each round and how many went on."""
    at = np.arange(1.0, len(told) + 1)
    came = np.array([len(stretch[0].keys) for stretch in told], np.float64)
    stayed = np.array([len(stretch[-1].survivors) for stretch in told], np.float64)
    trained = [f"{sum(one.trainings for one in stretch):,}" for stretch in told]
    hover = {
        "rounds": [_name(stretch) for stretch in told],
        "candidates": [f"{int(one):,}" for one in came],
        "went on": [f"{int(one):,}" for one in stayed],
        "trainings": trained,
    }
    log = bool(came[0] > 100)
    foot = 0.6 if log else 0.0
    vertical = Axis("candidates", foot, 1.6 * came[0] if log else 1.08 * came[0], log, whole=True)
    base: Floats | None = np.full(len(at), foot) if log else None
    marks: tuple[Mark, ...] = (
        Bars(at, came, base, 0.72, Tone.REST, label="came into the round", hover=hover),
        Bars(at, stayed, base, 0.42, Tone.FOCUS, label="went on"),
    )
    return Panel("how many went on", _rounds_axis(told), vertical, marks)


def _rounds_axis(told: Sequence[Sequence[Round]]) -> Axis:
    """Return the axis of the stretches of rounds, named as far as there is room."""
    places = list(range(1, len(told) + 1))
    if len(told) > SHOWN:
        places = np.unique(np.linspace(1, len(told), SHOWN).round().astype(int)).tolist()
    names = tuple(_name(told[at - 1]) for at in places)
    return Axis("round", 0.4, len(told) + 0.6, places=tuple(map(float, places)), names=names)


def _name(stretch: Sequence[Round]) -> str:
    """Return a stretch of rounds in a word.

    It is ``screen``, ``rung 1``, or numbers such as ``2–7``.
    """
    return stretch_word(stretch[-1].name, stretch[0].number, stretch[-1].number)


def rounds_table(selection: Selection, told: Sequence[Sequence[Round]]) -> Table:
    """Return the completed rounds as a table, a row for those in which all stayed."""
    labels, criterion = selection.labels, selection.record.race.criterion.name
    came = [len(stretch[-1].keys) for stretch in told]
    trained = [sum(one.trainings for one in stretch) for stretch in told]
    best = [float(stretch[-1].values[0]) for stretch in told]
    stay = [len(stretch[-1].survivors) for stretch in told]
    return Table(
        (
            Column("round", tuple(_name(stretch) for stretch in told)),
            counts("candidates", came),
            counts("trained", trained),
            numbers(f"best {criterion}", best),
            counts("stay", stay),
            Column("best candidate", tuple(labels[stretch[-1].keys[0]] for stretch in told)),
        ),
        note=selection.standing(),
    )
