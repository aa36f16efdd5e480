"""From a centre of gravity to a position: the corrections of a barycentre, fitted to a draw.

A shower's centre of gravity is drawn towards the middle of the cell that it hits (the S-curve);
`surefoot.calorimeter.baselines.Barycentre` lists the formulas that undo it.
Sums are NumPy's and the least squares MINPACK's, whose results, unlike those of a parallel linear
algebra library, do not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Curve = Callable[[Floats, Floats], Floats]
Correction = Literal["none", "linear", "asinh", "arctan", "log"]


def _asinh(g: Floats, parameters: Floats) -> Floats:
    k, b = parameters[0], np.exp(np.clip(parameters[1], *_LOG_B))
    return np.asarray(k * b * np.arcsinh(2.0 * g * np.sinh(0.5 / b)))


def _arctan(g: Floats, parameters: Floats) -> Floats:
    return np.asarray(parameters[0] * np.arctan(g / np.exp(np.clip(parameters[1], *_LOG_B))))


_LOG_B = (np.log(0.025), np.log(10.0))
"""Logarithm of the range of b and p₁, in units of the pitch: it keeps sinh(1/2b) in range."""
_CURVES: dict[str, tuple[Curve, tuple[float, float]]] = {
    "asinh": (_asinh, (1.0, np.log(0.2))),
    "arctan": (_arctan, (0.4, np.log(0.2))),
}
LOG_CUTOFFS = np.arange(2.0, 7.0, 0.25)
"""Where Awes's w₀ is sought; the error has several minima, the best is then refined."""


def line(g: Floats, wanted: Floats) -> tuple[float, float]:
    """Return slope and intercept of the least-squares line; slope 1 if all g are equal."""
    spread = float(np.square(g - g.mean()).sum())
    k = float(((g - g.mean()) * wanted).sum()) / spread if spread > 0.0 else 1.0
    return k, float(wanted.mean() - k * g.mean())


def fit_curve(
    correction: Correction, g: Floats, wanted: Floats, pitch: float
) -> Callable[[Floats], Floats]:
    """Fit a correction of g [n] by least squares; curves are in units of the pitch."""
    if correction == "none":
        return np.asarray
    if correction == "linear":
        k, c = line(g, wanted)
        return lambda g: k * g + c
    from scipy.optimize import least_squares

    curve, start = _CURVES[correction]
    scaled, goal = g / pitch, wanted / pitch

    def residuals(parameters: Floats) -> Floats:
        return curve(scaled, parameters) - goal

    fitted = least_squares(residuals, start, method="lm").x
    return lambda g: pitch * curve(g / pitch, fitted)


def fit_log(logs: Floats, along: Floats, wanted: Floats) -> Callable[[Floats], Floats]:
    """Fit w₀ by a search and k, given w₀, in closed form."""
    from scipy.optimize import minimize_scalar

    def centre(logs: Floats, cutoff: float) -> Floats:
        weights = np.maximum(logs + cutoff, 0.0)
        total = weights.sum(axis=1)
        return np.asarray((weights @ along) / np.where(total > 0.0, total, 1.0))

    def scale(found: Floats) -> float:
        square = float(np.square(found).sum())
        return float((found * wanted).sum()) / square if square > 0.0 else 1.0

    def error(cutoff: float) -> float:
        found = centre(logs, cutoff)
        return float(np.square(scale(found) * found - wanted).sum())

    coarse = min(LOG_CUTOFFS, key=error)
    near = (coarse - 0.25, coarse + 0.25)
    best = float(minimize_scalar(error, bounds=near, method="bounded", options={"xatol": 1e-3}).x)
    k = scale(centre(logs, best))
    return lambda logs: k * centre(logs, best)
