"""The verdict: what a race or an assessment has come to, in a sentence and a few lines more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surefoot.reports.views.chart import Figure, View
from surefoot.statistics.certificate import percent
from surefoot.studies.text import Paragraph

if TYPE_CHECKING:
    from surefoot.statistics.certificate import Certificate
    from surefoot.studies.select.selection import Selection


def race_verdict(selection: Selection) -> View:
    """Return who won (or leads) and what is certified of its retrainings."""
    words: list[Paragraph] = []
    if selection.state.over:
        if selection.certificate is not None:
            words.append(Paragraph("", (selection.certificate.sentence(),), bold=True))
    else:
        words.append(Paragraph("", ("The race is not over: " + selection.standing() + ".",), True))
    if selection.state.rounds:
        words += selection.about_winner()
    certificate = selection.certificate
    figures = () if certificate is None else certificate_figures(certificate)
    return View("verdict", "Verdict", tuple(words), figures=figures)


def certificate_figures(certificate: Certificate) -> tuple[Figure, ...]:
    """Return the main numbers of a certificate."""
    bound, n = certificate.bound.value, certificate.n
    limit = f"{bound:.4g} {certificate.unit}".rstrip() if np.isfinite(bound) else "none"
    most = percent(certificate.divergence_bound, up=True)
    return (
        Figure(limit, "certified bound"),
        Figure(f"≥ {certificate.kept}", "of retrainings keep it", certificate.shortfall()),
        Figure(
            percent(certificate.confidence), "confidence", "whatever the distribution of the losses"
        ),
        Figure(f"{n}", "fresh instances", "that no selection has seen"),
        Figure(f"{certificate.diverged} of {n}", "diverged or failed", f"of all at most {most}"),
    )
