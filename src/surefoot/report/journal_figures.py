"""Figures of what a journal holds: from the record to the panels, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import JournalError, nearest
from surefoot.journal import Journal
from surefoot.report.figures import (
    RoundLosses,
    boxplots_by_round,
    certificate_figure,
    learning_curves,
    loss_label,
    race_figure,
)
from surefoot.report.study_figures import pareto_figure
from surefoot.seeds.ledger import Role
from surefoot.studies.race_record import RaceRecord, recorded_certificates, recorded_race
from surefoot.studies.select.rivals import honesty

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from surefoot.racing.state import RaceState, Round
    from surefoot.statistics.certificate import Certificate

SHOWN_ROUNDS = 13
"""As many boxes as the paper's race of 6,912 candidates has rounds, and have room for a label."""

KINDS = ("race", "rounds", "curves", "certificate", "pareto")


def draw_journal(journal: Journal, what: str = "race", key: str | None = None) -> Figure:
    """Return a figure of a journal's race.

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
    record = recorded_race(journal)
    study = record.study
    state = record.state()
    leader = state.ranking[0]
    shown = leader if key is None else key
    certificates = recorded_certificates(journal, state)
    label = loss_label(str(study.loss), study.unit)
    baseline = _baseline(record)
    title = f"{study.population.name}: {journal.candidates()[shown].label}"
    match what:
        case "rounds":
            return boxplots_by_round(
                _rounds(record, state, leader), label=label, title=title, baseline=baseline
            )
        case "pareto":
            found = honesty(record.table, state, record.race.statistic)
            labels = {name: one.label for name, one in journal.candidates().items()}
            return pareto_figure(found, labels, label=label, title=study.population.name)
        case "curves":
            curves = _curves(journal, shown)
            return learning_curves(curves, label=label, title=title, baseline=baseline)
        case "certificate":
            if shown not in certificates:
                raise JournalError(f"{title} has no fresh instances yet: there is no certificate")
            return certificate_figure(
                certificates[shown].losses,
                label=label,
                title=title,
                bound=certificates[shown].bound.value,
                bound_label=bound_label(certificates[shown]),
                racing=_known(record, shown),
                baseline=baseline,
            )
    certificate = certificates.get(shown)
    return race_figure(
        _rounds(record, state, shown),
        _curves(journal, shown),
        () if certificate is None else certificate.losses,
        racing=_known(record, shown),
        label=label,
        title=title,
        bound=None if certificate is None else certificate.bound.value,
        bound_label="" if certificate is None else bound_label(certificate),
        baseline=baseline,
    )


def _rounds(record: RaceRecord, state: RaceState, winner: str) -> list[RoundLosses]:
    if not state.rounds:
        raise JournalError("no round of the race is complete yet: there is nothing to draw")
    drawn = []
    for one in drawn_rounds(state.rounds):
        losses = [record.table.row(key)[:count] for key, count in zip(one.keys, one.counts)]
        own = [row for key, row in zip(one.keys, losses, strict=True) if key == winner] or [
            np.empty(0)
        ]
        drawn.append(
            RoundLosses(one.number, one.name, len(one.keys), np.concatenate(losses), own[0])
        )
    return drawn


def drawn_rounds(rounds: Sequence[Round]) -> list[Round]:
    """Return the rounds worth a box: all, or the first, the last and some where somebody left.

    A race by test or in pairs has dozens of rounds, most of which remove nobody.
    """
    if len(rounds) <= SHOWN_ROUNDS:
        return list(rounds)
    inner = [one for one in rounds[1:-1] if one.eliminations] or rounds[1:-1]
    most = SHOWN_ROUNDS - 2
    if len(inner) > most:
        inner = [inner[round(place)] for place in np.linspace(0, len(inner) - 1, most)]
    return [rounds[0], *inner, rounds[-1]]


def _curves(journal: Journal, key: str) -> list[NDArray[np.float32]]:
    """Return the curves of a candidate's fresh instances, or of its racing ones before those.

    A diverged instance's curve ends with NaN, which counts it without drawing it.
    """
    for role in (Role.CERTIFY, Role.ASSESS, Role.RACE):
        outcomes = journal.outcomes(role, key)
        if outcomes:
            end = np.array([np.nan], dtype=np.float32)
            return [
                o.curve if np.isfinite(o.loss) else np.concatenate([o.curve, end]) for o in outcomes
            ]
    raise JournalError(f"candidate {key} has no instance in the journal yet")


def _known(record: RaceRecord, key: str) -> NDArray[np.float64]:
    row = record.table.row(key)
    known: NDArray[np.float64] = row[~np.isnan(row)]
    return known


def _baseline(record: RaceRecord) -> float | None:
    losses = record.baseline()
    if losses is None or np.isnan(losses).all():
        return None
    return float(np.nanmean(losses))


def bound_label(certificate: Certificate) -> str:
    """Return the certificate's promise in a few words for a legend."""
    share = certificate.content if certificate.reached else certificate.bound.content
    unit = f" {certificate.unit}" if certificate.unit else ""
    return f"≥ {np.floor(share * 1000) / 10:g} % lose ≤ {certificate.bound.value:.4g}{unit}"
