"""Figures of a race: pure functions from losses and curves to matplotlib figures.

No function keeps state or opens a window; `save` writes what the file's suffix asks for.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from surefoot.errors import SurefootError
from surefoot.report.panels import (
    RoundLosses,
    draw_certificate,
    draw_curves,
    draw_rounds,
    loss_label,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "RoundLosses",
    "boxplots_by_round",
    "certificate_figure",
    "check_path",
    "learning_curves",
    "loss_label",
    "new_figure",
    "race_figure",
    "save",
]

SUFFIXES = (".png", ".pdf", ".svg")


def learning_curves(
    curves: Sequence[ArrayLike],
    *,
    label: str = "test loss",
    title: str = "",
    baseline: float | None = None,
) -> Figure:
    """Return loss against epoch for instances of one candidate, ``curves`` each [epochs]."""
    figure, (axes,) = new_figure(1, title)
    draw_curves(axes, curves, label=label, baseline=baseline)
    return figure


def boxplots_by_round(
    rounds: Sequence[RoundLosses],
    *,
    label: str = "test loss",
    title: str = "",
    baseline: float | None = None,
) -> Figure:
    """Return boxplots of the losses of the candidates in each round, the winner marked."""
    figure, (axes,) = new_figure(1, title)
    draw_rounds(axes, rounds, label=label, baseline=baseline)
    return figure


def certificate_figure(
    fresh: ArrayLike,
    *,
    label: str = "test loss",
    title: str = "",
    bound: float | None = None,
    bound_label: str = "certified bound",
    racing: ArrayLike = (),
    baseline: float | None = None,
) -> Figure:
    """Return the distribution of fresh losses [n] with the certified bound and racing losses."""
    figure, (axes,) = new_figure(1, title)
    draw_certificate(
        axes,
        fresh,
        label=label,
        bound=bound,
        bound_label=bound_label,
        racing=racing,
        baseline=baseline,
    )
    return figure


def race_figure(
    rounds: Sequence[RoundLosses],
    curves: Sequence[ArrayLike],
    fresh: ArrayLike,
    *,
    racing: ArrayLike = (),
    label: str = "test loss",
    title: str = "",
    bound: float | None = None,
    bound_label: str = "certified bound",
    baseline: float | None = None,
) -> Figure:
    """Return the story of a race in three panels: rounds, the winner's curves, its certificate."""
    figure, (first, second, third) = new_figure(3, title)
    draw_rounds(first, rounds, label=label, baseline=baseline)
    draw_curves(second, curves, label=label, baseline=baseline)
    draw_certificate(
        third,
        fresh,
        label=label,
        bound=bound,
        bound_label=bound_label,
        racing=racing,
        baseline=baseline,
    )
    for axes, letter, text in (
        (first, "a", "losses by round"),
        (second, "b", "the winner's instances"),
        (third, "c", "the winner, trained afresh"),
    ):
        axes.set_title(f"({letter}) {text}", loc="left", fontsize="medium")
    return figure


def check_path(path: Path) -> None:
    """Raise `SurefootError` unless a figure can be written to a file of this name."""
    if path.suffix.lower() not in SUFFIXES:
        raise SurefootError(
            f"figure '{path}' has the suffix {path.suffix or '(none)'!r}: use one of "
            + ", ".join(SUFFIXES)
        )
    if not path.parent.is_dir():
        raise SurefootError(f"figure '{path}' cannot be written: '{path.parent}' is no directory")


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as its suffix says (.png at 150 dots per inch, .pdf, .svg); return the path.

    Raises
    ------
    SurefootError
        If the suffix is another one or the file cannot be written.
    """
    check_path(path)
    metadata = {"Creator": "surefoot"} if path.suffix.lower() != ".png" else {}
    try:
        figure.savefig(path, dpi=150, metadata=metadata)
    except OSError as error:
        raise SurefootError(f"figure '{path}' cannot be written: {error.strerror}") from None
    return path


def new_figure(panels: int, title: str) -> tuple[Figure, list[Axes]]:
    """Return a figure of so many panels beside each other, and their axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4 if panels == 1 else 4.7 * panels, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    drawn = [figure.add_subplot(1, panels, place + 1) for place in range(panels)]
    for axes in drawn:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="0.93", linewidth=0.8)
        axes.set_axisbelow(True)
    if title:
        figure.suptitle(textwrap.fill(title, 60 * panels), fontsize="large")
    return figure, drawn
