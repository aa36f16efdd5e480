"""Figures of a race, from its journal: rounds, curves, certificate and front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from surefoot.errors import JournalError, nearest
from surefoot.journal import Journal
from surefoot.report.panels import (
    RoundLosses,
    bound_label,
    curves_of,
    draw_certificate,
    draw_curves,
    draw_rounds,
)
from surefoot.report.style import BLACK, DARK, legend, loss_label, name_panels, new_figure
from surefoot.seeds.ledger import Role
from surefoot.studies.race_record import RaceRecord
from surefoot.studies.select.selection import Selection, recorded_selection

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from surefoot.racing.state import RaceState, Round
    from surefoot.studies.select.rivals import Rivals

SHOWN_ROUNDS = 13
"""As many boxes as the paper's race of 6,912 candidates has rounds, and have room for a label."""
NAMED = 6
"""Candidates of a front that are named in its figure."""
PANELS = {
    "rounds": "losses by round",
    "curves": "the winner's instances",
    "certificate": "the winner, trained afresh",
}
KINDS = ("race", *PANELS, "pareto")


def draw_journal(journal: Journal, what: str = "race", key: str | None = None) -> Figure:
    """Return a figure of a journal's race; parameters and errors are those of `draw_selection`."""
    return draw_selection(recorded_selection(journal), journal, what, key)


def draw_selection(
    selection: Selection, journal: Journal, what: str = "race", key: str | None = None
) -> Figure:
    """Return a figure of a selection, with the curves of its journal.

    Parameters
    ----------
    what
        ``rounds``, ``curves``, ``certificate``, or ``race`` for all three; ``pareto`` for spread
        against mean.
    key
        Key of the candidate of the curves; None for the winner, or the leader while there is none.

    Raises
    ------
    JournalError
        If ``what`` is unknown or the journal does not hold what is to be drawn yet.
    """
    if what not in KINDS:
        raise JournalError(f"{what!r} cannot be drawn: {nearest(what, KINDS)}")
    record, state, study = selection.record, selection.state, selection.record.study
    leader = state.ranking[0]
    shown = leader if key is None else key
    label = loss_label(str(study.loss), study.unit)
    if what == "pareto":
        name = study.population.name
        return pareto_figure(selection.rivals, selection.labels, label=label, title=name)
    title = f"{study.population.name}: {selection.known[shown].label}"
    certificate = selection.certificates.get(shown)
    if certificate is None and what == "certificate":
        raise JournalError(f"{title} has no fresh instances yet: there is no certificate")
    baseline = selection.baseline
    chosen = tuple(PANELS) if what == "race" else (what,)
    figure, panels = new_figure(len(chosen), title)
    for panel, axes in zip(chosen, panels, strict=True):
        match panel:
            case "rounds":
                rounds = _rounds(record, state, leader if what == "rounds" else shown)
                draw_rounds(axes, rounds, label=label, baseline=baseline)
            case "curves":
                draw_curves(axes, _curves(journal, shown), label=label, baseline=baseline)
            case _:
                draw_certificate(
                    axes,
                    () if certificate is None else certificate.losses,
                    label=label,
                    bound=None if certificate is None else certificate.bound.value,
                    bound_label="" if certificate is None else bound_label(certificate),
                    racing=record.table.row(shown),
                    baseline=baseline,
                )
    if what == "race":
        name_panels(panels, PANELS.values())
    return figure


def pareto_figure(
    found: Rivals, labels: Mapping[str, str], *, label: str, title: str = ""
) -> Figure:
    """Return the spread of the racing losses against their mean, the front joined and named."""
    figure, (axes,) = new_figure(1, title)
    seen = np.isfinite(found.location) & np.isfinite(found.spread)
    alike = np.array([key in found.shortlist for key in found.compared])
    tested = np.array([key in found.tested for key in found.compared])
    for mask, marker, words in (
        (seen & tested & ~alike, "x", "worse than the winner"),
        (seen & alike, "o", "not to be told from it"),
        (seen & ~tested & ~alike, ".", "too few instances to tell"),
    ):
        if mask.any():
            axes.plot(
                found.location[mask],
                found.spread[mask],
                marker,
                color=DARK,
                markerfacecolor="white",
                label=words,
            )
    place = {key: row for row, key in enumerate(found.compared)}
    front = sorted((place[key] for key in found.front), key=lambda row: found.location[row])
    front = [row for row in front if seen[row]]
    axes.plot(
        found.location[front],
        found.spread[front],
        color=BLACK,
        linewidth=1.0,
        drawstyle="steps-post",
        label="nobody is better in both",
    )
    own = place[found.winner]
    if seen[own]:
        axes.plot(
            found.location[own], found.spread[own], "D", color=BLACK, markersize=8, label="winner"
        )
    for number, row in enumerate(front[:NAMED], start=1):
        axes.annotate(
            str(number),
            (found.location[row], found.spread[row]),
            textcoords="offset points",
            xytext=(5, 5),
        )
    names = [f"{i} {labels[found.compared[row]]}" for i, row in enumerate(front[:NAMED], start=1)]
    axes.set_xlabel(f"mean {label}\n" + "\n".join(names), fontsize="small")
    axes.set_ylabel("standard deviation")
    axes.locator_params(nbins=5)
    legend(axes)
    return figure


def _rounds(record: RaceRecord, state: RaceState, winner: str) -> list[RoundLosses]:
    if not state.rounds:
        raise JournalError("no round of the race is complete yet: there is nothing to draw")
    drawn = []
    for one in drawn_rounds(state.rounds):
        losses = {key: record.table.row(key)[:count] for key, count in zip(one.keys, one.counts)}
        everything, own = np.concatenate(list(losses.values())), losses.get(winner, np.empty(0))
        drawn.append(RoundLosses(one.number, one.name, len(losses), everything, own))
    return drawn


def drawn_rounds(rounds: Sequence[Round]) -> list[Round]:
    """Return the rounds worth a box: all, or the first, the last and some where somebody left.

    A race by test or in pairs has dozens of rounds, most of which remove nobody.
    """
    if len(rounds) <= SHOWN_ROUNDS:
        return list(rounds)
    inner = [one for one in rounds[1:-1] if one.eliminations] or rounds[1:-1]
    boxes = SHOWN_ROUNDS - 2
    if len(inner) > boxes:
        inner = [inner[round(place)] for place in np.linspace(0, len(inner) - 1, boxes)]
    return [rounds[0], *inner, rounds[-1]]


def _curves(journal: Journal, key: str) -> list[ArrayLike]:
    """Return the curves of a candidate's fresh instances, or of its racing ones before those."""
    for role in (Role.CERTIFY, Role.ASSESS, Role.RACE):
        outcomes = journal.outcomes(role, key)
        if outcomes:
            return curves_of(outcomes)
    raise JournalError(f"candidate {key} has no instance in the journal yet")
