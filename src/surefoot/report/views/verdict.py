"""The verdict: what a race or an assessment has come to, in a sentence and a few lines more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surefoot.report.views.chart import View
from surefoot.studies.text import Paragraph

if TYPE_CHECKING:
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
    return View("verdict", "Verdict", tuple(words))
