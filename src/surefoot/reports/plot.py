"""Figures of a journal for files: any of its views, and a race at a glance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from surefoot.errors import JournalError, nearest
from surefoot.journal import Journal
from surefoot.reports.figures import figure_of
from surefoot.reports.views.chart import Panel, View, loss_label
from surefoot.reports.views.curves import curve_panels, told_of
from surefoot.reports.views.fresh import bound_of, distribution
from surefoot.reports.views.kinds import heading, views_of
from surefoot.reports.views.survival import departures
from surefoot.studies.description import Description
from surefoot.studies.select.selection import Selection, recorded_selection

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RACE = "race"
CALLED = {"rounds": "survival", "certificate": "fresh", "pareto": "front"}
"""Views that have another name too."""


def plot(journal: Journal, what: str = "", key: str | None = None) -> Figure:
    """Return a figure of a journal.

    Parameters
    ----------
    what
        The name of a view, as its part of a report is addressed; ``race`` for rounds, curves and
        certificate of a race in one; empty for the first figure of the journal's report.
    key
        Key of the candidate of the curves and the certificate of a race; None for the winner, or
        the leader while there is none.

    Raises
    ------
    JournalError
        If the journal has no such view, or does not hold yet what is to be drawn.
    """
    if Description.read(journal.study).kind == "select":
        selection = recorded_selection(journal)
        if what in ("", RACE):
            return race_figure(selection, journal, key)
        if what in ("curves", "certificate", "fresh") and key is not None:
            whole = race_panels(selection, journal, key)
            chosen = whole[-1:] if what != "curves" else whole[1:-1]
            if what != "curves" and key not in selection.certificates:
                label = selection.known[key].label
                raise JournalError(f"{label} has no fresh instances yet: there is no certificate")
            return figure_of(chosen, _title(selection, key))
    drawn = {view.name: view for view in views_of(journal) if view.panels}
    name = CALLED.get(what, what) or next(iter(drawn), "")
    if name not in drawn:
        if not drawn:
            raise JournalError("nothing of the journal is complete yet: there is nothing to draw")
        known = [*drawn, *(other for other, one in CALLED.items() if one in drawn)]
        raise JournalError(f"{what!r} cannot be drawn: {nearest(what, known)}")
    return view_figure(drawn[name], heading(journal)[0])


def view_figure(view: View, title: str = "") -> Figure:
    """Return the panels of a view as a figure, under its title and that of the whole."""
    return figure_of(view.panels, f"{title}: {view.title}" if title else view.title)


def race_figure(selection: Selection, journal: Journal, key: str | None = None) -> Figure:
    """Return who left when, a candidate's curves and its fresh losses in one figure.

    Raises `JournalError` before a round of the race is complete.
    """
    if not selection.state.rounds:
        raise JournalError("no round of the race is complete yet: there is nothing to draw")
    shown = selection.state.ranking[0] if key is None else key
    return figure_of(race_panels(selection, journal, shown), _title(selection, shown))


def race_panels(selection: Selection, journal: Journal, key: str) -> tuple[Panel, ...]:
    """Return who left when, the curves of a candidate and the distribution of its fresh losses."""
    study, certificate = selection.record.study, selection.certificates.get(key)
    label = loss_label(str(study.loss), study.unit)
    rounds = replace(departures(selection), height=100)
    outcomes = told_of(journal, key)
    curves = curve_panels(outcomes, label, selection.baseline) if outcomes else ()
    fresh = distribution(
        () if certificate is None else certificate.losses,
        label=label,
        bound=None if certificate is None else bound_of(certificate),
        racing=selection.losses(key),
        baseline=selection.baseline,
        title="its losses in the race" if certificate is None else "trained afresh",
    )
    return rounds, *curves, fresh


def _title(selection: Selection, key: str) -> str:
    return f"{selection.record.study.population.name}: {selection.known[key].label}"
