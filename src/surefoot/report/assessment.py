"""The figure of an assessment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surefoot.report.panels import bound_label, curves_of, draw_certificate, draw_curves
from surefoot.report.style import name_panels, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from surefoot.studies.assess.study import Assessment


def assessment_figure(found: Assessment, *, label: str, title: str = "") -> Figure:
    """Return learning curves beside the distribution of the losses and their bound.

    Where a broken promise leaves no certificate, the line is the promise's limit.
    """
    figure, panels = new_figure(2, title)
    if found.certificate is not None:
        bound, name = found.certificate.bound.value, bound_label(found.certificate)
    else:
        assert found.study.promise is not None
        bound, name = found.study.promise.limit, "limit of the promise"
    draw_curves(panels[0], curves_of(found.outcomes), label=label)
    draw_certificate(panels[1], found.losses, label=label, bound=bound, bound_label=name)
    name_panels(panels, ("all instances", "their losses"))
    return figure
