"""A grid: boxes of the losses by the values of each field, and which values tests tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from surefoot.reports.views.chart import (
    FAR,
    Axis,
    Column,
    Mark,
    Panel,
    Ranges,
    Rule,
    Table,
    Tone,
    View,
    arrows,
    axis_near_best,
    axis_of,
    beyond_note,
    boxes_of,
    counts,
    finite,
    loss_label,
    lost_note,
    numbers,
)
from surefoot.reports.views.curves import curves_of
from surefoot.statistics.intervals import quantile
from surefoot.studies.description import Description
from surefoot.studies.grid.study import recorded_grid
from surefoot.studies.text import Paragraph

if TYPE_CHECKING:
    from surefoot.journal import Journal
    from surefoot.studies.grid.effect import Contrast, Effect
    from surefoot.studies.grid.study import Grid

SHOWN = 10
"""Best candidates in the table, and those whose curves a page holds."""
READING = (
    "Boxes are quartiles of the losses with the median, whiskers reach the furthest loss within "
    "1.5 interquartile ranges. Dark boxes are values that no test tells from the best; the bar "
    "beside it is the interval of the median over instances. At the best setting of the other "
    "fields, every instance is judged at the setting that the other instances choose. Arrows at "
    "the upper edge are medians beyond it."
)


def grid_views(journal: Journal) -> Iterator[View | None]:
    """Yield the views of a grid: the best of all, then a field at a time, those asked about first.

    Fields that nobody asked about stand in the appendix where any were asked about.
    """
    study = Description.read(journal.study)
    found, label = recorded_grid(journal), loss_label(str(study.loss), study.unit)
    yield best_of_all(found)
    for name in found.effects:
        yield field_view(found, name, label)
    best = {found.keys[row]: found.labels[row] for row in found.ranking[:SHOWN]}
    yield curves_of(journal, best, label, _level(found))


def best_of_all(found: Grid) -> View:
    """Return who is best of all candidates."""
    rows = found.ranking[:SHOWN]
    values, medians = found.criterion.values(found.losses), found.medians
    unit = f" / {found.unit}" if found.unit else ""
    first, third = quantile(found.losses, 0.25), quantile(found.losses, 0.75)
    columns = (
        Column(
            "candidate", tuple(found.labels[row] + " *" * bool(found.alike[row]) for row in rows)
        ),
        numbers(f"{found.criterion.name}{unit}", [values[row] for row in rows]),
        numbers("median", [medians[row] for row in rows]),
        Column("quartiles", tuple(f"{first[row]:.4g} – {third[row]:.4g}" for row in rows)),
        counts("lost", [int(np.isinf(found.losses[row]).sum()) for row in rows]),
        Column("key", tuple(found.keys[row] for row in rows)),
    )
    title = f"the best of {len(found.keys):,} candidates; * not to be told from the first"
    words = Paragraph("Grid", tuple(f"{line}." for line in found.lines()))
    return View("best", "The best of all", (words,), (), (Table(columns, title, 0),))


def field_view(found: Grid, field: str, label: str) -> View:
    """Return the boxes and tables of a field, over the others and at their best."""
    effect = found.effects[field]
    panels = tuple(_boxes(one, effect, label, _level(found)) for one in effect.contrasts)
    tables = tuple(_table(one, effect) for one in effect.contrasts)
    words = (Paragraph(field, tuple(effect.lines())),)
    slug = "".join(letter if letter.isalnum() else "-" for letter in field)
    appendix = field not in found.asked
    return View(
        f"by-{slug}", f"Losses by {field}", words, panels, tables, READING, appendix=appendix
    )


def _level(found: Grid) -> float | None:
    """Return where the baseline's line is; None without any."""
    return None if found.baseline is None else float(quantile(found.baseline, 0.5))


def _boxes(one: Contrast, effect: Effect, label: str, baseline: float | None) -> Panel:
    places = np.arange(1.0, len(one.names) + 1)
    middle = np.array([quantile(drawn, 0.5) for drawn in one.drawn])
    best = np.full(len(middle), middle.min())
    vertical = axis_near_best(one.drawn, middle, best, label)
    if baseline is not None and not vertical.log and baseline < FAR * vertical.high:
        ends = min(vertical.low, baseline), max(vertical.high, baseline)
        vertical = axis_of(ends, label, log=False, room=0.02)
    marks: list[Mark] = []
    for tone, chosen in ((Tone.FOCUS, one.alike), (Tone.REST, ~one.alike)):
        rows = np.flatnonzero(chosen).tolist()
        if not rows:
            continue
        words = "not told from the best" if tone is Tone.FOCUS else "worse"
        hover = {
            effect.field: [one.names[row] for row in rows],
            "median": [f"{middle[row]:.4g}" for row in rows],
            "lost": [_share(one.lost[row]) for row in rows],
        }
        drawn, at = [one.drawn[row] for row in rows], places[rows]
        marks.append(boxes_of(drawn, at, 0.6, tone=tone, label=words, hover=hover))
        marks += arrows(vertical, at, middle[rows], tone, hover)
    low, high = (np.array([getattr(i, end) for i in one.intervals]) for end in ("low", "high"))
    known = np.isfinite(low) & np.isfinite(high) & (low < vertical.high)
    if known.any():
        top = np.minimum(high[known], vertical.high)
        words = f"{one.confidence:.0%} interval of the median over instances"
        marks.append(Ranges(places[known] + 0.36, low[known], top, Tone.SECOND, 2.2, label=words))
    if baseline is not None and vertical.low <= baseline <= vertical.high:
        marks.append(Rule(baseline, "y", Tone.QUIET, "dotted", label="baseline"))
    lost = sum(count for count, _ in one.lost)
    beyond = sum(int((finite(drawn) > vertical.high).sum()) for drawn in one.drawn)
    notes = [lost_note(lost), beyond_note(beyond)]
    ticks = tuple(places.tolist())
    horizontal = Axis(effect.field, 0.4, len(places) + 0.6, places=ticks, names=one.names)
    title = one.words or "losses"
    return Panel(title, horizontal, vertical, tuple(marks), "; ".join(filter(None, notes)), 115)


def _table(one: Contrast, effect: Effect) -> Table:
    order = np.argsort(one.medians, kind="stable").tolist()
    low_to_high = f"{one.confidence:.0%} interval"
    unit = f" / {effect.unit}" if effect.unit else ""
    p = one.pvalues
    columns = [
        Column(effect.field, tuple(one.names[row] + " *" * bool(one.alike[row]) for row in order)),
        numbers(f"median{unit}", [one.medians[row] for row in order]),
        Column(
            low_to_high,
            tuple(f"{one.intervals[row].low:.4g} – {one.intervals[row].high:.4g}" for row in order),
        ),
        numbers("half within", [one.spreads[row] for row in order]),
        Column(
            "lost",
            tuple(_share(one.lost[row]) for row in order),
            np.array([one.lost[row][0] / one.lost[row][1] for row in order]),
        ),
        Column(
            "p",
            tuple("" if row == one.best else f"{p[row]:.2g}" for row in order),
            np.array([p[row] for row in order]),
        ),
    ]
    if one is effect.best and max(effect.settings) > 1:
        columns.append(Column("others", tuple(effect.chosen[row] for row in order)))
    else:
        columns.insert(1, counts("candidates", [effect.settings[row] for row in order]))
    title = f"{one.words}; " if one.words else ""
    title += "* not to be told from the best; p adjusted for all values"
    return Table(tuple(columns), title, 0)


def _share(lost: tuple[int, int]) -> str:
    count, total = lost
    return f"{count:,} of {total:,} ({count / total:.0%})" if count else "none"
