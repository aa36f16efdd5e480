"""Failures by kind: what diverged, what failed by which error, and whose instances those were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from surefoot.escaping import one_line
from surefoot.instances import Outcome, Status
from surefoot.reports.views.chart import (
    Axis,
    Bars,
    Column,
    Panel,
    Table,
    Tone,
    View,
    counts,
    strips,
)
from surefoot.seeds.ledger import Role
from surefoot.studies.text import Paragraph
from surefoot.studies.troubles import troubles_of

if TYPE_CHECKING:
    from surefoot.journal import Journal

KINDS = 12
"""Kinds of failures and candidates that have room."""
LONGEST = 300
READING = (
    "A divergence is a loss that became NaN or infinite; a failure is an error of the "
    "training. Both count as an infinite loss everywhere and are never left out."
)


def failures(journal: Journal) -> View:
    """Return what went wrong in a journal, also if nothing did."""
    told, total = troubles_of(journal), journal.count()
    if not told.diverged + told.failed:
        none = f"None of the {total:,} recorded instances diverged or failed."
        return View("failures", "Failures by kind", (Paragraph("", (none,)),))
    lost = journal.lost()
    labels = {key: one.label for key, one in journal.candidates().items()}
    words = (Paragraph("", tuple(told.lines()[:1])),)
    panels = (_by_candidate(lost, journal, labels),)
    return View("failures", "Failures by kind", words, panels, (_kinds(lost, labels),), READING)


def _kinds(lost: Sequence[Outcome], labels: dict[str, str]) -> Table:
    """Return the kinds of failures, the most frequent first."""
    found: dict[tuple[str, str], list[Outcome]] = {}
    for one in lost:
        found.setdefault((str(one.status), _message(one)), []).append(one)
    kinds = sorted(found.items(), key=lambda kind: len(kind[1]), reverse=True)[:KINDS]
    return Table(
        (
            Column("kind", tuple(status for (status, _), _ in kinds)),
            Column("message", tuple(message for (_, message), _ in kinds)),
            counts("instances", [len(those) for _, those in kinds]),
            counts("candidates", [len({one.candidate for one in those}) for _, those in kinds]),
            Column("for example", tuple(_example(those[0], labels) for _, those in kinds)),
        )
    )


def _example(one: Outcome, labels: dict[str, str]) -> str:
    return f"{one.role.name.lower()} instance {one.instance} of {labels[one.candidate]}"


def _message(one: Outcome) -> str:
    return one_line(one.message)[:LONGEST] or "a loss became NaN or infinite"


def _by_candidate(lost: Sequence[Outcome], journal: Journal, labels: dict[str, str]) -> Panel:
    """Return the share of lost instances of the candidates that lost most."""
    trained = Counter(one.candidate for role in Role for one in journal.measures(role))
    diverged = Counter(one.candidate for one in lost if one.status is Status.DIVERGED)
    every = Counter(one.candidate for one in lost)
    keys = [key for key, _ in every.most_common(KINDS)]
    total = np.array([100.0 * every[key] / trained[key] for key in keys])
    first = np.array([100.0 * diverged[key] / trained[key] for key in keys])
    hover = {
        "candidate": [labels[key] for key in keys],
        "diverged": [f"{diverged[key]} of {trained[key]}" for key in keys],
        "failed": [f"{every[key] - diverged[key]} of {trained[key]}" for key in keys],
    }
    names = [f"{labels[key]}   {every[key]} of {trained[key]}" for key in keys]
    horizontal = Axis("share of its instances / %", 0.0, max(5.0, 1.05 * float(total.max())))
    places, vertical, named = strips(names, horizontal)
    marks = (
        Bars(places, total, None, 0.42, Tone.SECOND, "x", "failed", hover),
        Bars(places, first, None, 0.42, Tone.FOCUS, "x", "diverged", hover),
    )
    return Panel(
        f"candidates with most of them, {len(keys)} of {len(every)}",
        horizontal,
        vertical,
        (*marks, named),
        height=40 + 14 * len(keys),
    )
