"""The ranking of a race as a table: how far each candidate came, and why it left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surefoot.reports.views.chart import Column, Table, View, counts, numbers

if TYPE_CHECKING:
    from surefoot.studies.select.selection import Selection

SHOWN = 200
"""Candidates that a page lists."""


def ranking(selection: Selection) -> View | None:
    """Return the best candidates and why the others left; None before a round is completed."""
    if not selection.state.rounds:
        return None
    every = selection.ranking()
    rows = every[:SHOWN]
    criterion, unit = selection.record.race.criterion.name, selection.record.study.unit
    left = [np.nan if row["round"] is None else float(row["round"]) for row in rows]
    table = Table(
        (
            counts("rank", [row["rank"] for row in rows]),
            Column("candidate", tuple(row["label"] for row in rows)),
            numbers(f"{criterion} / {unit}" if unit else criterion, [row["value"] for row in rows]),
            counts("instances", [row["instances"] for row in rows]),
            Column(
                "left in round",
                tuple("" if np.isnan(n) else f"{n:.0f}" for n in left),
                np.array(left),
            ),
            Column("because", tuple(row["reason"] for row in rows)),
            Column("key", tuple(row["key"] for row in rows)),
        ),
        strong=0,
        note=f"The first {len(rows)} of {len(every):,}." if len(rows) < len(every) else "",
    )
    return View("ranking", "Ranking", tables=(table,), reading="Press a head to sort by it.")
