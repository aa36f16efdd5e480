"""A search: what every trial came to, the best after so many, and its fresh losses by a rival's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from surefoot.reports.views.bands import bands
from surefoot.reports.views.bands import curves_of as band
from surefoot.reports.views.chart import (
    Axis,
    Line,
    Mark,
    Panel,
    Points,
    Rule,
    Tone,
    View,
    arrows,
    axis_near_best,
    loss_label,
)
from surefoot.reports.views.comparison import comparison
from surefoot.reports.views.curves import curves_of
from surefoot.reports.views.verdict import certificate_figures
from surefoot.seeds.ledger import Role
from surefoot.studies.search.result import recorded_search
from surefoot.studies.text import Paragraph

if TYPE_CHECKING:
    from surefoot.journal import Journal
    from surefoot.studies.search.result import Search

READING = (
    "Each point is a trial: the criterion over all instances that its candidate had by then. The "
    "line is the best so far; it rises where the best was proposed again and did worse. Arrows at "
    "the upper edge are trials beyond it."
)


def search_views(journal: Journal) -> Iterator[View | None]:
    """Yield the views of a search, as far as it has come."""
    found = recorded_search(journal)
    label = loss_label(str(found.study.loss), found.study.unit)
    yield searched(found)
    yield trials_view(found, label)
    yield compared(found, label)
    fresh = found.certified.items()
    told = [band(name, journal.outcomes(Role.CERTIFY, key)) for key, name in fresh]
    yield bands([one for one in told if one is not None], label)
    chosen = [*map(found.best_after, reversed(found.steps)), *filter(None, [found.rival])]
    yield curves_of(journal, {key: found.known[key].label for key in chosen}, label)


def searched(found: Search) -> View:
    """Return what was tried, who is best and what is certified of its retrainings."""
    words = [Paragraph("Search", tuple(f"{line}." for line in found.lines()))]
    certificate = found.certificates.get(found.best)
    figures = () if certificate is None else certificate_figures(certificate)
    if certificate is not None:
        said = tuple(str(certificate).splitlines())
        words.append(Paragraph("Certificate", said, bold=True))
    return View("verdict", "Verdict", tuple(words), figures=figures)


def trials_view(found: Search, label: str) -> View:
    """Return the value of every trial against what had been trained by then."""
    each, criterion = found.study.instances, found.study.criterion.name
    values = np.array([one.value for one in found.trials])
    spent = each * np.arange(1.0, len(values) + 1)
    best = np.array(
        [found.value(found.best_after(n), n) for n in range(1, len(values) + 1)], np.float64
    )
    seen = np.isfinite(values)
    rows = [[value] for value in values[seen].tolist()]
    lowest = np.full(len(rows), values.min())
    vertical = axis_near_best(rows, values[seen], lowest, label)
    hover = {
        "candidate": [found.known[one.key].label for one in found.trials if np.isfinite(one.value)],
        "trial": [f"{one.number + 1:,}" for one in found.trials if np.isfinite(one.value)],
        criterion: [f"{one.value:.4g}" for one in found.trials if np.isfinite(one.value)],
    }
    marks: list[Mark] = [
        Points(spent[seen], values[seen], Tone.REST, "circle", "a trial", 6.0, hover=hover),
        *arrows(vertical, spent[seen], values[seen], Tone.REST, hover, named=False),
        Line(spent, best, Tone.FOCUS, width=2.4, step=True, label="the best so far"),
    ]
    for number in found.steps[:-1]:
        words = f"{number:,} trials"
        marks.append(Rule(float(each * number), "x", Tone.QUIET, "dotted", label=words, up=0.85))
    end = float(spent[-1])
    horizontal = Axis("instances trained", 0.0, 1.03 * end, whole=True)
    lost = int((~seen).sum())
    note = f"{lost:,} trials without a finite {criterion} are not drawn" if lost else ""
    panel = Panel(f"{criterion} of each trial", horizontal, vertical, tuple(marks), note)
    return View("trials", "The trials", (), (panel,), (), READING)


def compared(found: Search, label: str) -> View | None:
    """Return the fresh losses of the best ones and the rival; None before there are two."""
    fresh = found.comparison()
    return None if fresh is None else comparison(fresh, label)
