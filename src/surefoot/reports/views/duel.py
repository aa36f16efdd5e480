"""Winner against runner-up: their losses on the instances both have, pair by pair."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from surefoot.racing.table import Booleans, Integers
from surefoot.reports.views.chart import (
    Axis,
    Band,
    Floats,
    Line,
    Mark,
    Panel,
    Points,
    Rule,
    Shape,
    Tone,
    View,
    axis_of,
    loss_label,
    lost_note,
)
from surefoot.studies.text import Paragraph

if TYPE_CHECKING:
    from surefoot.studies.select.selection import Selection

EQUIVALENT = 0.01
"""Two losses this share of the winner's mean apart, or less, are as good as equal."""
READING = (
    "Both candidates had the same training sample and the same stream of luck in an instance."
    " Left: by how much the runner-up lost more, sorted; right of the line the winner was "
    f"better. The shaded region of equivalence is {EQUIVALENT:.0%} of the winner's mean loss "
    "either way. Right: the same losses; below the diagonal the runner-up was better."
)


def duel(selection: Selection) -> View | None:
    """Return the winner's paired losses against the runner-up's; None without a shared instance."""
    state, study = selection.state, selection.record.study
    if not state.rounds or len(state.ranking) < 2:
        return None
    (own, other), labels = state.ranking[:2], selection.labels
    first, second = selection.table.row(own), selection.table.row(other)
    shared = np.flatnonzero(~np.isnan(first) & ~np.isnan(second))
    both = np.isfinite(first[shared]) & np.isfinite(second[shared])
    numbers = shared[both]
    if not numbers.size:
        return None
    ahead = "winner" if state.over else "leader"
    unit = f" / {study.unit}" if study.unit else ""
    panels = (
        _differences(first[numbers], second[numbers], numbers, unit, ahead),
        _pairs(first[numbers], second[numbers], numbers, str(study.loss), study.unit, ahead),
    )
    note = lost_note(int((~both).sum()))
    panels = (replace(panels[0], note=note), panels[1])
    gaps, region = second[numbers] - first[numbers], EQUIVALENT * float(first[numbers].mean())
    alike = int((np.abs(gaps) <= region).sum())
    words = (
        Paragraph(
            "",
            (
                f"{ahead.capitalize()}: {labels[own]}",
                f"Runner-up: {labels[other]}",
            ),
            layout="lines",
        ),
        Paragraph("", (*_chances(selection), _region(alike, len(gaps), region, study.unit))),
    )
    return View("duel", f"The {ahead} against the runner-up", words, panels, reading=READING)


def _chances(selection: Selection) -> tuple[str, ...]:
    sentence = selection.rivals.chance(selection.labels)
    return (sentence,) if sentence else ()


def _region(alike: int, count: int, region: float, unit: str) -> str:
    """Return how many pairs lie within the region of equivalence, in a sentence."""
    width = f"{region:.2g} {unit}".rstrip()
    return (
        f"In {alike} of the {count} shared instances the two lie within {width} of each other, "
        f"{EQUIVALENT:.0%} of the mean loss."
    )


def _differences(first: Floats, second: Floats, numbers: Integers, unit: str, ahead: str) -> Panel:
    """Return the sorted differences of paired losses, with the region of equivalence."""
    gaps = second - first
    order = np.argsort(gaps, kind="stable")
    region = EQUIVALENT * float(first.mean())
    shares = (np.arange(len(gaps)) + 0.5) / len(gaps)
    marks: list[Mark] = [
        Band(-region, region, "x", Tone.REST, f"within {EQUIVALENT:.0%}"),
        Rule(0.0, "x", Tone.QUIET, "solid", 1.0),
    ]
    shown: tuple[tuple[Booleans, Tone, Shape, str], ...]
    shown = (
        (gaps[order] > 0.0, Tone.FOCUS, "circle", f"{ahead} better"),
        (gaps[order] <= 0.0, Tone.SECOND, "square", "runner-up better, or equal"),
    )
    for better, tone, shape, words in shown:
        if better.any():
            at = order[better]
            hover = {
                "instance": [str(number) for number in numbers[at]],
                ahead: [f"{loss:.5g}" for loss in first[at]],
                "runner-up": [f"{loss:.5g}" for loss in second[at]],
                "difference": [f"{gap:+.3g}" for gap in gaps[at]],
            }
            marks.append(Points(gaps[at], shares[better], tone, shape, words, 6.0, hover=hover))
    ends = axis_of(
        [gaps, np.array([-region, region])], f"runner-up's loss − {ahead}'s{unit}", log=False
    )
    vertical = Axis(
        "share of instances",
        -0.03,
        1.03,
        places=(0.0, 0.25, 0.5, 0.75, 1.0),
        names=("0 %", "25 %", "50 %", "75 %", "100 %"),
    )
    return Panel("paired differences", ends, vertical, tuple(marks))


def _pairs(
    first: Floats, second: Floats, numbers: Integers, loss: str, unit: str, ahead: str
) -> Panel:
    """Return the paired losses against each other, with the diagonal."""
    label = loss_label(loss, unit)
    both = axis_of([first, second], label)
    ends = np.array([both.low, both.high])
    hover = {
        "instance": [str(number) for number in numbers],
        ahead: [f"{one:.5g}" for one in first],
        "runner-up": [f"{one:.5g}" for one in second],
    }
    marks = (
        Line(ends, ends, Tone.QUIET, "dashed", 1.2, label="equal losses"),
        Points(first, second, Tone.FOCUS, "ring", "an instance", 6.0, hover=hover),
    )
    horizontal = Axis(f"{ahead}'s {label}", both.low, both.high, both.log)
    vertical = Axis(f"runner-up's {label}", both.low, both.high, both.log)
    return Panel("losses of the same instances", horizontal, vertical, marks)
