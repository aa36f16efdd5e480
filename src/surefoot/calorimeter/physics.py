"""A result as a detector physicist looks at it: resolution, bias and residuals in bins.

Everything is a pure function of truth and predictions [n] of test photons, so a network, a
baseline and boosted trees are looked at alike; figures are drawn by
`surefoot.calorimeter.figures`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from surefoot.calorimeter.detector import INNER, Shashlik
from surefoot.calorimeter.simulation.chunks import PhotonChunk
from surefoot.calorimeter.simulation.validation import EDGES, Profile
from surefoot.errors import DataError

Floats = NDArray[np.float64]

CENTRAL = (15.865, 50.0, 84.135)
"""Percentiles of the central 68.27 %, one standard deviation either side of a normal's middle."""
FEWEST = 20
"""A bin with fewer photons is left out."""
SLOPES = tuple(np.linspace(-0.3, 0.3, 13).tolist())
"""Edges of the bins of tan θ cos φ."""


def take(sample: PhotonChunk, rows: NDArray[np.integer]) -> PhotonChunk:
    """Return some rows of a sample, such as those of a test half."""
    return PhotonChunk(
        **{field.name: getattr(sample, field.name)[rows] for field in fields(sample)}
    )


def slopes(sample: PhotonChunk) -> tuple[Floats, Floats]:
    """Return tan θ cos φ and tan θ sin φ [n]: the photon's direction projected on x and y."""
    theta, phi = sample.theta.astype(np.float64), sample.phi.astype(np.float64)
    return np.tan(theta) * np.cos(phi), np.tan(theta) * np.sin(phi)


def energy_bias(predicted: ArrayLike, energy: ArrayLike, edges: Sequence[float] = EDGES) -> Profile:
    """Return the median of Ê/E − 1 in bins of the true energy (linearity).

    Its error is that of the median of a normal distribution, 1.253 σ/√n.
    """
    ratio, true = _ratio(predicted, energy)
    return _in_bins(true, ratio, edges, lambda r: (_central(r)[1] - 1.0, 1.253 * _half(r)))


def energy_resolution(
    predicted: ArrayLike, energy: ArrayLike, edges: Sequence[float] = EDGES
) -> Profile:
    """Return σ/median of Ê/E in bins of the true energy.

    σ is half the width of the central 68.27 %, which the few photons that leak out of the back do
    not move; its error is that of a normal distribution, 0.962 σ/√n (the variance of half the
    difference of two quantiles).
    """
    ratio, true = _ratio(predicted, energy)

    def width(r: Floats) -> tuple[float, float]:
        value = _half(r) / _central(r)[1]
        return value, 0.962 * value

    return _in_bins(true, ratio, edges, width)


def energy_loss(predicted: ArrayLike, energy: ArrayLike, edges: Sequence[float] = EDGES) -> Profile:
    """Return √⟨((Ê − E)/E)²⟩, the study's relative loss, in bins of the true energy."""
    ratio, true = _ratio(predicted, energy)
    return _in_bins(true, ratio - 1.0, edges, _root_mean_square)


def residual_bias(
    predicted: ArrayLike, true: ArrayLike, against: ArrayLike, edges: Sequence[float]
) -> Profile:
    """Return the mean of predicted − true, in its unit, in bins of ``against`` [n]."""
    residual, place = _residual(predicted, true, against)
    return _in_bins(place, residual, edges, lambda r: (float(r.mean()), float(r.std())))


def residual_spread(
    predicted: ArrayLike, true: ArrayLike, against: ArrayLike, edges: Sequence[float]
) -> Profile:
    """Return √⟨(predicted − true)²⟩, in its unit, in bins of ``against`` [n]."""
    residual, place = _residual(predicted, true, against)
    return _in_bins(place, residual, edges, _root_mean_square)


def impact_edges(detector: Shashlik = INNER, bins: int = 16) -> tuple[float, ...]:
    """Return edges of bins across the central cell, mm from its centre."""
    half = 0.5 * detector.pitch
    return tuple(np.linspace(-half, half, bins + 1).tolist())


@dataclass(frozen=True)
class ResolutionFit:
    """σ/E = a/√E ⊕ b (added in quadrature), E in GeV.

    Attributes
    ----------
    stochastic, constant
        a in √GeV and b.
    stochastic_error, constant_error
        Their standard errors.
    """

    stochastic: float
    constant: float
    stochastic_error: float
    constant_error: float

    def at(self, energy: ArrayLike) -> Floats:
        """Return σ/E at energies in GeV."""
        e = np.asarray(energy, dtype=np.float64)
        return np.asarray(np.hypot(self.stochastic / np.sqrt(e), self.constant))

    def __str__(self) -> str:
        return f"{100 * self.stochastic:.1f} %/√E ⊕ {100 * self.constant:.2f} %"


def fit_resolution(profile: Profile) -> ResolutionFit:
    """Fit a/√E ⊕ b, both at least 0, to a resolution in bins of energy by least squares.

    Raises
    ------
    DataError
        If there are fewer than three bins.
    """
    if len(profile.at) < 3:
        raise DataError(
            f"a/√E ⊕ b cannot be fitted to {len(profile.at)} bins of energy: 3 are needed"
        )
    from scipy.optimize import least_squares

    root = np.sqrt(profile.at)

    def pulls(p: Floats) -> Floats:
        return np.asarray((np.hypot(p[0] / root, p[1]) - profile.value) / profile.error)

    start = (float(profile.value[0] * root[0]), float(profile.value[-1]))
    solution = least_squares(pulls, start, bounds=((0.0, 0.0), (np.inf, np.inf)))
    jacobian = np.asarray(solution.jac, dtype=np.float64)
    curvature = np.linalg.pinv(jacobian.T @ jacobian)
    errors = np.sqrt(np.maximum(np.diag(curvature), 0.0))
    return ResolutionFit(*solution.x.tolist(), *errors.tolist())


@dataclass(frozen=True)
class Band:
    """One quantity of several retrainings in bins: lowest, median and highest [bins]."""

    at: Floats
    low: Floats
    middle: Floats
    high: Floats


def band(profiles: Sequence[Profile]) -> Band:
    """Return the band of retrainings' profiles in the same bins.

    Raises
    ------
    DataError
        If there is none, or their bins differ.
    """
    if not profiles:
        raise DataError("a band needs at least one profile")
    at = profiles[0].at
    if any(one.at.shape != at.shape or not np.allclose(one.at, at) for one in profiles):
        raise DataError("the profiles of a band must be of the same photons in the same bins")
    values = np.stack([profile.value for profile in profiles])
    return Band(at, values.min(axis=0), np.median(values, axis=0), values.max(axis=0))


def _in_bins(
    place: Floats,
    values: Floats,
    edges: Sequence[float],
    measure: Callable[[Floats], tuple[float, float]],
) -> Profile:
    """Measure ``values`` [n] (a value and √n times its error) in bins of ``place`` [n]."""
    which = np.digitize(place, np.asarray(edges)) - 1
    found: list[tuple[float, float, float, int]] = []
    for number in range(len(edges) - 1):
        inside = which == number
        count = int(np.count_nonzero(inside))
        if count >= FEWEST:
            value, spread = measure(values[inside])
            found.append((float(place[inside].mean()), value, spread / np.sqrt(count), count))
    if not found:
        raise DataError(f"no bin from {edges[0]:g} to {edges[-1]:g} holds {FEWEST} photons")
    at, measured, error, counts = np.array(found, dtype=np.float64).T
    return Profile(at, measured, error, counts.astype(np.int64))


def _root_mean_square(r: Floats) -> tuple[float, float]:
    value = float(np.sqrt(np.mean(r * r)))
    return value, value / np.sqrt(2.0)


def _central(r: Floats) -> Floats:
    return np.asarray(np.percentile(r, CENTRAL))


def _half(r: Floats) -> float:
    low, _, high = _central(r)
    return float(0.5 * (high - low))


def _ratio(predicted: ArrayLike, energy: ArrayLike) -> tuple[Floats, Floats]:
    found, true = _columns(predicted, energy, names=("predicted energies", "true energies"))
    if not (true > 0.0).all():
        raise DataError(f"true energies must be positive, not {true.min():g} GeV")
    return found / true, true


def _residual(predicted: ArrayLike, true: ArrayLike, against: ArrayLike) -> tuple[Floats, Floats]:
    names = ("predictions", "true values", "values to bin by")
    found, wanted, place = _columns(predicted, true, against, names=names)
    return found - wanted, place


def _columns(*arrays: ArrayLike, names: Sequence[str]) -> list[Floats]:
    """Return arrays [n] in double precision; `DataError` unless finite and of one length."""
    columns = [np.asarray(array, dtype=np.float64) for array in arrays]
    columns = [c[:, 0] if c.ndim == 2 and c.shape[1] == 1 else c for c in columns]
    for name, column in zip(names, columns):
        if column.ndim != 1 or column.shape != columns[0].shape:
            raise DataError(
                f"{name} have shape {column.shape}, {names[0]} {columns[0].shape}: both must be [n]"
            )
        bad = np.flatnonzero(~np.isfinite(column))
        if bad.size:
            raise DataError(f"{name} hold {column[bad[0]]} in example {bad[0]}: all must be finite")
    return columns
