"""Figures of reconstructed photons: readable in greyscale, units on every axis.

A candidate may come with the predictions of several retrainings: points are their median, bars
reach from the lowest to the highest. With one retraining, bars are standard errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from surefoot.calorimeter import features as cells
from surefoot.calorimeter import physics
from surefoot.calorimeter.detector import INNER, Shashlik
from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.calorimeter.simulation.validation import EDGES, Profile
from surefoot.errors import DataError, nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Predictions = Mapping[str, Sequence[ArrayLike]]
"""By the candidate's label: the predictions [n] of one or more retrainings."""
Measure = Callable[[ArrayLike], Profile]

_STYLES = (
    ("#0b4f8a", "o", "white"),
    ("#d9730d", "s", "#d9730d"),
    ("#2f9e77", "^", "white"),
    ("#c46a9f", "D", "#c46a9f"),
)
"""Colour, marker and filling of a candidate, in the colours of reports; all differ in shape."""
LIMIT = len(_STYLES)
"""Most candidates in one figure."""
LEAST = 0.1
"""Visible energy, in MeV, at which the shades of an event begin."""
EDGE = "#c3ccd4"
TRUE, FOUND = "#d9730d", "#0b4f8a"
"""Colours of where a photon was and where it is found, those of reports."""


def physics_figures(
    target: str, sample: PhotonChunk, predictions: Predictions, detector: Shashlik = INNER
) -> dict[str, Figure]:
    """Return the figures that suit a target, by a short name fit for a file.

    Parameters
    ----------
    target
        ``energy``, ``x`` or ``y``.
    sample
        The n test photons.
    predictions
        For those photons, GeV or mm.

    Raises
    ------
    DataError
        If the target is another one, there are too many candidates or a prediction is not finite.
    """
    if target == "energy":
        return {
            "resolution": resolution_figure(sample.energy, predictions),
            "bias": bias_figure(sample.energy, predictions),
        }
    if target not in ("x", "y"):
        known = nearest(target, ("energy", "x", "y"))
        raise DataError(f"there are no physics figures of the target {target!r}: {known}")
    true = sample.x if target == "x" else sample.y
    edges = physics.impact_edges(detector)
    figures = {
        "impact": residual_figure(
            true, true, edges, f"true {target} (mm from the cell's centre)", predictions
        ),
        "energy": residual_figure(true, sample.energy, EDGES, "true energy (GeV)", predictions),
    }
    for axes in figures["energy"].axes:
        axes.set_xscale("log")
    along_x, along_y = physics.slopes(sample)
    slope = along_x if target == "x" else along_y
    if np.ptp(slope) > 0.0:
        label = f"slope tan θ {'cos' if target == 'x' else 'sin'} φ"
        figures["angle"] = residual_figure(true, slope, physics.SLOPES, label, predictions)
    return figures


def resolution_figure(energy: ArrayLike, predictions: Predictions) -> Figure:
    """Draw σ/E against energy, with the fit a/√E ⊕ b of each candidate in the legend."""
    figure, (axes,) = _panels(("true energy (GeV)",))
    axes.set_ylabel("σ / median of Ê/E (%)")
    curve = np.geomspace(1.5, 99.0, 200)
    for (name, many), style in zip(_checked(predictions), _STYLES):
        profiles = [physics.energy_resolution(one, energy) for one in many]
        fit = physics.fit_resolution(_median(profiles))
        _points(axes, profiles, style, f"{name}: {fit}", 100.0)
        axes.plot(curve, 100.0 * fit.at(curve), color=style[0], linewidth=0.8)
    axes.set_xscale("log")
    axes.legend(frameon=False, fontsize=8)
    return figure


def bias_figure(energy: ArrayLike, predictions: Predictions) -> Figure:
    """Draw the median of Ê/E − 1 (left) and the relative loss (right) against energy."""
    figure, panels = _panels(("true energy (GeV)",) * 2)
    for axes, measure, label in (
        (panels[0], physics.energy_bias, "median of Ê/E − 1 (%)"),
        (panels[1], physics.energy_loss, "relative RMSE (%)"),
    ):
        for (name, many), style in zip(_checked(predictions), _STYLES):
            _points(axes, [measure(one, energy) for one in many], style, name, 100.0)
        axes.set_ylabel(label)
        axes.set_xscale("log")
    panels[0].axhline(0.0, color="0.6", linestyle=":", linewidth=0.8)
    panels[0].legend(frameon=False, fontsize=8)
    return figure


def residual_figure(
    true: ArrayLike,
    against: ArrayLike,
    edges: Sequence[float],
    label: str,
    predictions: Predictions,
) -> Figure:
    """Draw a position's mean residual (left) and its root mean square (right) in bins, mm."""
    figure, panels = _panels((label, label))
    for axes, measure, name in (
        (panels[0], physics.residual_bias, "mean of predicted − true (mm)"),
        (panels[1], physics.residual_spread, "RMS of predicted − true (mm)"),
    ):
        for (candidate, many), style in zip(_checked(predictions), _STYLES):
            profiles = [measure(one, true, against, edges) for one in many]
            _points(axes, profiles, style, candidate)
        axes.set_ylabel(name)
    panels[0].axhline(0.0, color="0.6", linestyle=":", linewidth=0.8)
    panels[1].legend(frameon=False, fontsize=8)
    return figure


def event_figure(sample: PhotonChunk, row: int, detector: Shashlik = INNER) -> Figure:
    """Draw one photon's cluster: deposits by shade on a logarithmic scale, truth and barycentre.

    Raises
    ------
    DataError
        If there is no such row or the image is empty.
    """
    if not 0 <= row < len(sample):
        raise DataError(f"there is no photon {row}: the sample holds 0 to {len(sample) - 1}")
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    image = sample.deposits[row : row + 1]
    side = cells.window(image)
    gx, gy = cells.barycentre(image, detector.pitch)[0]
    edges = detector.pitch * (np.arange(side + 1) - 0.5 * side)
    deposits = 1e3 * image.reshape(side, side)
    highest = max(10.0 * LEAST, float(deposits.max()))
    figure = Figure(figsize=(6.0, 5.2), layout="constrained")
    axes = figure.add_subplot(aspect="equal")
    axes.set_facecolor("white")
    picture = axes.pcolormesh(
        edges,
        edges,
        np.ma.masked_less_equal(deposits, 0.0),
        cmap="YlGnBu",
        norm=LogNorm(LEAST, highest),
        edgecolors=EDGE,
        linewidth=0.4,
    )
    # Cells without a deposit keep their edges.
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", color=EDGE, linewidth=0.4)
    axes.tick_params(which="minor", length=0.0)
    below = bool(((deposits > 0.0) & (deposits < LEAST)).any())
    bar = figure.colorbar(
        picture,
        ax=axes,
        label="visible energy of the cell / MeV",
        extend="min" if below else "neither",
        shrink=0.9,
    )
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    bar.outline.set_edgecolor(EDGE)
    truth, found = (float(sample.x[row]), float(sample.y[row])), (float(gx), float(gy))
    outline: dict[str, Any] = {"markeredgecolor": "white", "zorder": 4, "linestyle": "none"}
    axes.plot(*found, "o", color=FOUND, markersize=9, label="barycentre", **outline)
    axes.plot(*truth, "P", color=TRUE, markersize=11, label="true position", **outline)
    axes.set_xlabel("x / mm")
    axes.set_ylabel("y / mm")
    axes.set_title(
        f"photon {sample.shower[row]}: {sample.energy[row]:.1f} GeV, visible "
        f"{cells.deposit_sum(image)[0]:.2f} GeV, θ = {sample.theta[row]:.2f} rad",
        fontsize="medium",
        loc="left",
    )
    axes.legend(
        loc="upper left", bbox_to_anchor=(0.0, -0.11), ncols=2, frameon=False, fontsize="small"
    )
    return figure


def _checked(predictions: Predictions) -> list[tuple[str, Sequence[ArrayLike]]]:
    if not 1 <= len(predictions) <= LIMIT:
        raise DataError(f"a figure shows 1 to {LIMIT} candidates, not {len(predictions)}")
    for name, many in predictions.items():
        if len(many) == 0:
            raise DataError(f"{name} comes without the predictions of a retraining")
    return list(predictions.items())


def _median(profiles: Sequence[Profile]) -> Profile:
    one, whole = profiles[0], physics.band(profiles)
    return Profile(one.at, whole.middle, one.error, one.count)


def _points(
    axes: Axes,
    profiles: Sequence[Profile],
    style: tuple[str, str, str],
    label: str,
    scale: float = 1.0,
) -> None:
    whole = physics.band(profiles)
    if len(profiles) == 1:
        bars = np.stack([profiles[0].error, profiles[0].error])
    else:
        bars = np.stack([whole.middle - whole.low, whole.high - whole.middle])
    axes.errorbar(
        whole.at,
        scale * whole.middle,
        scale * bars,
        label=label,
        color=style[0],
        marker=style[1],
        markerfacecolor=style[2],
        markersize=4,
        linestyle="none",
    )


def _panels(labels: Sequence[str]) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6 if len(labels) == 1 else 8.6, 3.6), layout="constrained")
    panels = [figure.add_subplot(1, len(labels), i + 1) for i in range(len(labels))]
    for axes, label in zip(panels, labels):
        axes.set_xlabel(label)
    return figure, panels
