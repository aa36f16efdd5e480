from dataclasses import replace

import numpy as np

from surefoot.calorimeter.physics import take
from surefoot.calorimeter.root_io import read_photons
from surefoot.calorimeter.spectrum import BINS, spectrum_figure


def test_every_photon_is_in_the_spectrum_and_slopes_are_drawn_when_there_are_any():
    sample = take(read_photons("B"), np.arange(400))
    figure = spectrum_figure(sample)
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "true energy (GeV)",
        "true energy (GeV)",
        "slope tan θ cos φ, tan θ sin φ",
    ]
    heights = figure.axes[0].patches[0].get_path().vertices[:, 1]
    counts = heights[1 : 2 * BINS : 2]
    assert counts.sum() == 400
    normal = replace(sample, theta=np.zeros(400, dtype=np.float32))
    assert len(spectrum_figure(normal).axes) == 2
