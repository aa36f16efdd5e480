"""Where a sample's photons are: their energies, positions and angles, as one figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surefoot.calorimeter.features import deposit_sum
from surefoot.calorimeter.physics import slopes
from surefoot.calorimeter.simulation.chunks import PhotonChunk

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BINS = 50


def spectrum_figure(sample: PhotonChunk) -> Figure:
    """Draw the spectrum of true energies, the visible share against it, and the slopes.

    The third panel holds tan θ cos φ and tan θ sin φ; it is left out when all photons are normal.
    """
    from matplotlib.figure import Figure as NewFigure
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    inclined = bool((sample.theta != 0.0).any())
    figure = NewFigure(figsize=(12.0 if inclined else 8.6, 3.6), layout="constrained")
    panels = [figure.add_subplot(1, 3 if inclined else 2, i + 1) for i in range(2 + inclined)]
    energy = sample.energy.astype(np.float64)
    panels[0].hist(energy, bins=BINS, histtype="step", color="black")
    panels[0].set_xlabel("true energy (GeV)")
    panels[0].set_ylabel("photons")
    share = deposit_sum(sample.deposits) / energy
    edges = np.geomspace(energy.min(), energy.max() * (1.0 + 1e-6), BINS // 2)
    low, high = np.quantile(share, [0.001, 0.999]).tolist()
    panels[1].hist2d(
        energy, share, bins=(edges, np.linspace(low, high, BINS)), cmap="Greys", cmin=1
    )
    panels[1].set_xscale("log")
    panels[1].xaxis.set_major_formatter(ScalarFormatter())
    panels[1].xaxis.set_minor_formatter(NullFormatter())
    panels[1].set_xlabel("true energy (GeV)")
    panels[1].set_ylabel("visible energy / true energy")
    if inclined:
        for slope, name, line in zip(slopes(sample), ("x", "y"), ("-", "--")):
            panels[2].hist(
                slope, bins=BINS, histtype="step", color="black", linestyle=line, label=name
            )
        panels[2].set_xlabel("slope tan θ cos φ, tan θ sin φ")
        panels[2].set_ylabel("photons")
        panels[2].legend(frameon=False)
    return figure
