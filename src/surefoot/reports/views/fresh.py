"""Fresh losses: their distribution, the bound certified from them, and what the race had seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from surefoot.reports.views.chart import (
    Axis,
    Line,
    Mark,
    Panel,
    Points,
    Rule,
    Tone,
    View,
    axis_of,
    finite,
    loss_label,
    lost_note,
)

if TYPE_CHECKING:
    from surefoot.statistics.certificate import Certificate
    from surefoot.studies.select.selection import Selection

STRIP = -0.09
"""Where losses of the race stand, below the steps of the fresh ones."""
READING = (
    "A step curve gives the share of fresh retrainings that lose at most what is below it. "
    "The dashed line is the certified bound."
)


def fresh_losses(selection: Selection) -> View | None:
    """Return the winner's fresh losses with the certified bound; None before there are any."""
    certificate, study = selection.certificate, selection.record.study
    if certificate is None:
        return None
    panel = distribution(
        certificate.losses,
        label=loss_label(str(study.loss), study.unit),
        bound=bound_of(certificate),
        racing=selection.losses(selection.state.ranking[0]),
        baseline=selection.baseline,
    )
    return View(
        "fresh",
        "Fresh losses and the certified bound",
        tuple(selection.about_certificates()),
        (panel,),
        reading=READING + " Marks below the axis are the losses it had in the race.",
    )


def bound_of(certificate: Certificate) -> tuple[float, str]:
    """Return the certificate's bound, and its promise in a few words for a label."""
    value = certificate.bound.value
    limit = f"{value:.4g} {certificate.unit}".rstrip()
    return value, f"≥ {certificate.kept} lose ≤ {limit}"


def distribution(
    fresh: ArrayLike,
    *,
    label: str,
    bound: tuple[float, str] | None = None,
    racing: ArrayLike = (),
    baseline: float | None = None,
    title: str = "distribution of the fresh losses",
) -> Panel:
    """Return the panel of the distribution of fresh losses ``[n]``.

    ``bound`` is a loss and its words, ``racing`` the losses of the same candidate in its race.
    """
    count, losses, raced = int(np.size(fresh)), np.sort(finite(fresh)), finite(racing)
    marks: list[Mark] = []
    if losses.size:
        steps = np.concatenate([losses[:1], losses])
        shares = np.arange(losses.size + 1) / count
        words = f"{count} fresh retrainings"
        marks.append(Line(steps, shares, Tone.FOCUS, width=2.2, step=True, label=words))
    if raced.size:
        foot = np.full(raced.size, STRIP)
        words = f"its {raced.size} losses in the race"
        marks.append(Points(raced, foot, Tone.SECOND, "ring", words, 6.0, hover=_hover(raced)))
    known: list[float] = []
    if bound is not None and np.isfinite(bound[0]):
        known.append(bound[0])
        marks.append(Rule(bound[0], "x", Tone.INK, "dashed", label=bound[1], up=0.15))
    if baseline is not None and np.isfinite(baseline):
        known.append(baseline)
        marks.append(Rule(baseline, "x", Tone.QUIET, "dotted", label="baseline", direct=False))
    shares_axis = Axis(
        "share of retrainings",
        2 * STRIP if raced.size else -0.03,
        1.06,
        places=(0.0, 0.25, 0.5, 0.75, 1.0),
        names=("0 %", "25 %", "50 %", "75 %", "100 %"),
    )
    horizontal = axis_of([losses, raced, np.array(known)], label, log=False)
    return Panel(title, horizontal, shares_axis, tuple(marks), lost_note(count - losses.size))


def _hover(losses: Iterable[float]) -> dict[str, list[str]]:
    return {"loss in the race": [f"{loss:.5g}" for loss in losses]}
