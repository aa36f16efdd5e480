"""Figures of the fast simulation beside Geant4: readable in greyscale, units on every axis.

Open circles are Geant4 with its standard errors, filled squares the fast simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.calorimeter.simulation.validation import (
    Profile,
    fit_resolution,
    fraction,
    radial_profile,
    resolution,
    response,
    s_curve,
    slope_shift,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Samples = Mapping[str, PhotonChunk]
"""Simulations by name, at most three: the reference first."""


@dataclass(frozen=True)
class _Style:
    color: str
    marker: str
    fill: str
    line: str


_STYLES = (
    _Style("#0b4f8a", "o", "white", "--"),
    _Style("#d9730d", "s", "#d9730d", "-"),
    _Style("#2f9e77", "^", "#2f9e77", ":"),
)


def response_figure(samples: Samples) -> Figure:
    """Draw visible / true energy against energy."""
    figure, axes = _axes("true energy (GeV)", "visible energy / true energy")
    _draw(axes, samples, response)
    return figure


def resolution_figure(samples: Samples) -> Figure:
    """Draw σ/E against energy with the fit a/√E ⊕ b of each sample in the legend."""
    figure, axes = _axes("true energy (GeV)", "σ / median of visible energy (%)")
    energy = np.geomspace(2.0, 95.0, 200)
    for (name, sample), style in zip(samples.items(), _STYLES):
        profile = resolution(sample)
        a, b = fit_resolution(profile)
        label = f"{name}: {100 * a:.1f} %/√E ⊕ {100 * b:.2f} %"
        _points(axes, profile, style, label, scale=100.0)
        curve = 100 * np.hypot(a / np.sqrt(energy), b)
        axes.plot(energy, curve, color=style.color, linestyle=style.line, linewidth=0.8)
    axes.legend(frameon=False)
    return figure


def fractions_figure(samples: Samples) -> Figure:
    """Draw the central cell's and the 3×3 cells' share against energy, one panel each."""
    figure, panels = _panels(("true energy (GeV)", "true energy (GeV)"), "share of visible energy")
    for axes, cells in zip(panels, (1, 3)):
        _draw(axes, samples, partial(fraction, cells=cells))
        axes.set_title("central cell" if cells == 1 else "3×3 cells", fontsize=10)
    panels[0].set_ylim(0.55, 0.75)
    panels[1].set_ylim(0.90, 1.0)
    return figure


def radial_figure(samples: Samples) -> Figure:
    """Draw a cell's mean share against the distance of its centre, logarithmic."""
    figure, axes = _axes("distance of cell centre from impact (mm)", "share of visible energy")
    _draw(axes, samples, radial_profile)
    axes.set_yscale("log")
    return figure


def barycentre_figure(normal: Samples, inclined: Samples) -> Figure:
    """Draw the S-curve of normal photons (left) and the shift with slope of inclined ones."""
    labels = ("true position (mm)", "slope tan θ cos φ, tan θ sin φ")
    figure, panels = _panels(labels, "mean barycentre (mm)")
    _draw(panels[0], normal, s_curve)
    panels[0].plot([-20, 20], [-20, 20], color="0.6", linestyle=":", linewidth=0.8)
    panels[0].set_title("A: S-curve", fontsize=10)
    _draw(panels[1], inclined, slope_shift)
    panels[1].set_ylabel("mean of barycentre − true position (mm)")
    panels[1].set_title("B: shift with slope", fontsize=10)
    return figure


def _draw(axes: Axes, samples: Samples, measure: Callable[[PhotonChunk], Profile]) -> None:
    for (name, sample), style in zip(samples.items(), _STYLES):
        _points(axes, measure(sample), style, name)
    axes.legend(frameon=False)


def _points(axes: Axes, profile: Profile, style: _Style, label: str, scale: float = 1.0) -> None:
    axes.errorbar(
        profile.at,
        scale * profile.value,
        scale * profile.error,
        label=label,
        color=style.color,
        marker=style.marker,
        markerfacecolor=style.fill,
        markersize=4,
        linestyle="none",
    )


def _axes(x: str, y: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes


def _panels(x: tuple[str, str], y: str) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 3.6), layout="constrained")
    panels = [figure.add_subplot(1, 2, i + 1) for i in range(2)]
    for axes, label in zip(panels, x):
        axes.set_xlabel(label)
    panels[0].set_ylabel(y)
    return figure, panels
