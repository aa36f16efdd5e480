"""Does the fast simulation agree with Geant4? The figures of merit and the verdict.

Everything is measured on images alone, so any two samples can be compared: the shipped Geant4
photons, the fast simulation, a user's own Geant4 run. Figures of it are drawn by
`surefoot.calorimeter.simulation.validation_figures`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surefoot.calorimeter.detector import INNER, Shashlik
from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.calorimeter.simulation.shape_gain import shape_gain
from surefoot.errors import DataError

Floats = NDArray[np.float64]

EDGES = (1.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 80.0, 100.0)
"""Edges of the energy bins, GeV."""
FEWEST = 20
"""A bin with fewer showers is not compared."""
RESPONSE_TOLERANCE, RESOLUTION_TOLERANCE, FRACTION_TOLERANCE = 0.02, 0.15, 0.03
"""Largest relative, relative and absolute difference that counts as agreement."""
GAIN_TOLERANCE = 1.0 / 3.0
"""The same of what shapes gain, relative: with 16,000 showers its own error is about 8 %."""


@dataclass(frozen=True)
class Profile:
    """A quantity in bins: arrays [bins].

    Attributes
    ----------
    at
        Mean of what is binned.
    value, error
        The quantity and its standard error.
    count
        Showers in the bin.
    """

    at: Floats
    value: Floats
    error: Floats
    count: NDArray[np.int64]


def visible(sample: PhotonChunk) -> Floats:
    """Return the visible energy in the window, GeV [n]."""
    return np.asarray(sample.deposits.sum(axis=1, dtype=np.float64))


def response(sample: PhotonChunk, edges: tuple[float, ...] = EDGES) -> Profile:
    """Return ⟨visible / true energy⟩ in bins of energy."""
    return _mean_in_bins(sample.energy, visible(sample) / sample.energy, edges)


def resolution(sample: PhotonChunk, edges: tuple[float, ...] = EDGES) -> Profile:
    """Return σ / median of visible / true energy in bins of energy.

    σ is half the width of the central 68.27 %: a standard deviation is at the mercy of the few
    photons per thousand that convert late and leak out of the back. Its error is the normal one,
    0.962 σ/√n.
    """
    ratio = visible(sample) / sample.energy
    place = np.digitize(sample.energy, edges) - 1
    bins = [b for b in range(len(edges) - 1) if np.count_nonzero(place == b) > 1]
    low, middle, high = np.array(
        [np.percentile(ratio[place == b], (15.865, 50.0, 84.135)) for b in bins]
    ).T
    value = 0.5 * (high - low) / middle
    mean = _mean_in_bins(sample.energy, ratio, edges)
    return Profile(mean.at, value, 0.962 * value / np.sqrt(mean.count), mean.count)


def scaled_sum_error(sample: PhotonChunk) -> float:
    """Return √⟨((Ê − E)/E)²⟩ of Ê = k Σe with the k that makes it smallest, ⟨r⟩/⟨r²⟩, r = Σe/E."""
    ratio = visible(sample) / sample.energy
    scale = ratio.mean() / np.square(ratio).mean()
    return float(np.sqrt(np.square(scale * ratio - 1.0).mean()))


def fraction(sample: PhotonChunk, cells: int, edges: tuple[float, ...] = EDGES) -> Profile:
    """Return the share of ``cells`` × ``cells`` around the window's centre in bins of energy.

    Raises
    ------
    DataError
        If ``cells`` is even or wider than the window.
    """
    side = math.isqrt(sample.deposits.shape[1])
    if not 1 <= cells <= side or cells % 2 == 0:
        raise DataError(f"a central square has an odd side of 1 to {side} cells, not {cells!r}")
    half, middle = cells // 2, side // 2
    around = slice(middle - half, middle + half + 1)
    square = sample.deposits.reshape(-1, side, side)[:, around, around]
    share = square.sum(axis=(1, 2), dtype=np.float64) / visible(sample)
    return _mean_in_bins(sample.energy, share, edges)


def radial_profile(sample: PhotonChunk, detector: Shashlik = INNER) -> Profile:
    """Return the mean share of a cell against its centre's distance to the true position, mm.

    Bins of 5 mm, growing from 50 mm; the window's corners are left out.
    """
    edges = np.concatenate(
        [np.arange(0.0, 50.0, 5.0), np.geomspace(50.0, 0.5 * detector.width, 12)]
    )
    offset_x, offset_y = _cell_centres(detector)
    distance = np.hypot(
        offset_x[None, :] - sample.x[:, None], offset_y[None, :] - sample.y[:, None]
    )
    share = sample.deposits / visible(sample)[:, None]
    return _mean_in_bins(distance.ravel(), share.ravel(), tuple(edges))


def barycentre(sample: PhotonChunk, detector: Shashlik = INNER) -> tuple[Floats, Floats]:
    """Return x and y of the energy's centre of gravity over the window, mm [n]."""
    offset_x, offset_y = _cell_centres(detector)
    total = visible(sample)
    return (sample.deposits @ offset_x) / total, (sample.deposits @ offset_y) / total


def s_curve(sample: PhotonChunk, detector: Shashlik = INNER, bins: int = 20) -> Profile:
    """Return the mean barycentre against the true position in the central cell, x and y pooled."""
    half = 0.5 * detector.pitch
    position = np.concatenate([sample.x, sample.y])
    centre = np.concatenate(barycentre(sample, detector))
    return _mean_in_bins(position, centre, tuple(np.linspace(-half, half, bins + 1)))


def slope_shift(sample: PhotonChunk, detector: Shashlik = INNER, bins: int = 12) -> Profile:
    """Return the mean of barycentre − true position against tan θ cos φ (and tan θ sin φ), mm.

    It measures how deep the shower is: the shift per unit of slope is the depth of the shower's
    centre less the depth at which the true position is given.
    """
    slope = np.tan(sample.theta)
    tangent = np.concatenate([slope * np.cos(sample.phi), slope * np.sin(sample.phi)])
    position = np.concatenate([sample.x, sample.y])
    shift = np.concatenate(barycentre(sample, detector)) - position
    return _mean_in_bins(tangent, shift, tuple(np.linspace(-0.3, 0.3, bins + 1)))


def fit_resolution(profile: Profile) -> tuple[float, float]:
    """Fit σ/E = a/√E ⊕ b: weighted least squares of its square in 1/E; return a (√GeV) and b."""
    weight = 1.0 / (2.0 * profile.value * profile.error)
    matrix = np.stack([1.0 / profile.at, np.ones_like(profile.at)], axis=1)
    solution, *_ = np.linalg.lstsq(matrix * weight[:, None], profile.value**2 * weight)
    return tuple(np.sqrt(np.maximum(solution, 0.0)).tolist())


@dataclass(frozen=True)
class Agreement:
    """Largest differences of a sample from a reference over the energy bins.

    ``response`` and ``resolution`` are relative, ``central`` and ``three`` (the share of the
    central cell and of 3×3) absolute. ``gain``, over all energies, is the relative difference of
    what a regression on shapes gains over the scaled sum (`shape_gain`).
    """

    response: float
    resolution: float
    central: float
    three: float
    gain: float

    @property
    def within(self) -> bool:
        """Whether all are inside the stated tolerances."""
        return (
            self.response <= RESPONSE_TOLERANCE
            and self.resolution <= RESOLUTION_TOLERANCE
            and max(self.central, self.three) <= FRACTION_TOLERANCE
            and self.gain <= GAIN_TOLERANCE
        )


def compare(
    sample: PhotonChunk, reference: PhotonChunk, edges: tuple[float, ...] = EDGES
) -> Agreement:
    """Compare a sample with a reference in bins of energy.

    Raises
    ------
    DataError
        If a bin of either holds fewer than `FEWEST` showers, or `shape_gain` cannot be measured.
    """
    for name, one in (("sample", sample), ("reference", reference)):
        count, _ = np.histogram(one.energy, edges)
        if count.min() < FEWEST:
            low = edges[int(count.argmin())]
            raise DataError(
                f"the {name} has {count.min()} showers in the bin from {low:g} GeV; "
                f"at least {FEWEST} are needed"
            )
    measures: tuple[Callable[[PhotonChunk], Profile], ...] = (
        lambda photons: response(photons, edges),
        lambda photons: resolution(photons, edges),
        lambda photons: fraction(photons, 1, edges),
        lambda photons: fraction(photons, 3, edges),
    )
    pairs = [(measure(sample).value, measure(reference).value) for measure in measures]
    differences = [float(np.abs(a / b - 1.0).max()) for a, b in pairs[:2]]
    differences += [float(np.abs(a - b).max()) for a, b in pairs[2:]]
    # A regression on fewer showers gains less, so both have equally many.
    same = slice(min(len(sample), len(reference)))
    gain, expected = (shape_gain(rows(one, same)) for one in (sample, reference))
    differences.append(abs(gain / expected - 1.0))
    return Agreement(*differences)


def rows(sample: PhotonChunk, chosen: slice | NDArray[np.bool_]) -> PhotonChunk:
    """Return the chosen rows of a sample."""
    return PhotonChunk(*(getattr(sample, n)[chosen] for n in PhotonChunk.__dataclass_fields__))


def gather(chunks: list[PhotonChunk]) -> PhotonChunk:
    """Return one chunk with the rows of all."""
    if not chunks:
        raise DataError("there is no chunk to gather")
    return PhotonChunk(
        *(
            np.concatenate([getattr(chunk, name) for chunk in chunks])
            for name in PhotonChunk.__dataclass_fields__
        )
    )


def _cell_centres(detector: Shashlik) -> tuple[Floats, Floats]:
    centres = np.array([detector.centre_of(cell) for cell in range(detector.cells**2)])
    return centres[:, 0], centres[:, 1]


def _mean_in_bins(binned: NDArray[np.floating], value: Floats, edges: tuple[float, ...]) -> Profile:
    """Average ``value`` [n] in bins of ``binned`` [n]; empty bins are left out."""
    place = np.digitize(binned, edges) - 1
    inside = (place >= 0) & (place < len(edges) - 1)
    place, x, v = place[inside], np.asarray(binned, dtype=np.float64)[inside], value[inside]
    count = np.bincount(place, minlength=len(edges) - 1)
    filled = count > 1
    n = np.maximum(count, 2)
    mean = np.bincount(place, v, minlength=len(edges) - 1) / n
    square = np.bincount(place, (v - mean[place]) ** 2, minlength=len(edges) - 1)
    error = np.sqrt(square / (n - 1) / n)
    at = np.bincount(place, x, minlength=len(edges) - 1) / n
    return Profile(at[filled], mean[filled], error[filled], count[filled])
