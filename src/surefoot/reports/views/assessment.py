"""An assessment: what fresh instances of one candidate say of its retrainings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surefoot.reports.views.chart import View, loss_label
from surefoot.reports.views.curves import READING as CURVES
from surefoot.reports.views.curves import curve_panels
from surefoot.reports.views.fresh import READING, bound_of, distribution
from surefoot.reports.views.verdict import certificate_figures
from surefoot.studies.text import Paragraph

if TYPE_CHECKING:
    from surefoot.studies.assess.study import Assessment


def assessment_verdict(found: Assessment) -> View:
    """Return what is certified, or what became of a promise."""
    words = [Paragraph("Candidate", (found.label,), bold=True, layout="lines")]
    if told := found.troubles():
        words.append(Paragraph("Troubles", tuple(told)))
    if promised := found.promised():
        words.append(Paragraph("Promise", tuple(promised), bold=True))
    if found.certificate is not None:
        sentence = Paragraph("", (found.certificate.sentence(),), bold=True)
        words.insert(0, sentence)
    figures = () if found.certificate is None else certificate_figures(found.certificate)
    return View("verdict", "Verdict", tuple(words), figures=figures)


def assessed_losses(found: Assessment) -> View:
    """Return the distribution of the losses with its bound, or the limit of a broken promise."""
    label = loss_label(str(found.asked.loss), found.asked.unit)
    words = []
    if quartiles := found.quartiles():
        words.append(Paragraph("Losses", (quartiles,)))
    if spread := found.spread():
        words.append(Paragraph("Spread", tuple(spread)))
    bound = None
    if found.certificate is not None:
        bound = bound_of(found.certificate)
        words.append(
            Paragraph("Certificate", tuple(str(found.certificate).splitlines()), bold=True)
        )
    elif found.asked.promise is not None:
        bound = found.asked.promise.limit, "limit of the promise"
        words.append(Paragraph("Certificate", (found.no_certificate,)))
    panel = distribution(found.losses, label=label, bound=bound)
    return View("fresh", "Fresh losses", tuple(words), (panel,), (), READING)


def assessed_curves(found: Assessment) -> View:
    """Return the learning curves of all its instances."""
    label = loss_label(str(found.asked.loss), found.asked.unit)
    panels = curve_panels(found.outcomes, label)
    return View("curves", "Learning curves", (), panels, (), CURVES)
