"""The classical reconstructions of an electromagnetic calorimeter, as candidates.

Paper §3.10 and §4 race networks against them. They are fitted on the draw like any other
candidate; nothing in them is random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from surefoot.calorimeter import features as cells
from surefoot.calorimeter.detector import INNER
from surefoot.candidates.base import Candidate, DirectCandidate
from surefoot.errors import CandidateError, DataError, nearest

if TYPE_CHECKING:
    from surefoot.candidates.base import Matrix, Prediction

Floats = NDArray[np.float64]
Curve = Callable[[Floats, Floats, float], Floats]
Bounds = tuple[tuple[float, float], tuple[float, float]]
Window = Literal["full", "3x3", "5x5"]
WINDOWS = {"full": 0, "3x3": 3, "5x5": 5}
Axis = Literal["x", "y"]
Correction = Literal["none", "linear", "asinh", "arctan", "log"]


@dataclass(frozen=True)
class _Formula(DirectCandidate):
    """A frozen dataclass whose fields are its spec."""

    def spec(self) -> dict[str, Any]:
        """Return its fields."""
        return asdict(self)

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Rebuild it; fields left out have their defaults."""
        known = [field.name for field in fields(cls)]
        for name in spec:
            if name not in known:
                raise CandidateError(f"{cls.family} has no field {name!r}: {nearest(name, known)}")
        return cls(**spec)


@dataclass(frozen=True)
class ScaledSum(_Formula):
    """Energy from the sum of deposits: Ê = k Σe, or Ê = k Σe + c.

    The coefficients minimise the relative squared error ⟨((Ê − E)/E)²⟩ of the draw; without c that
    is k = ⟨r⟩/⟨r²⟩ with r = Σe/E.

    Parameters
    ----------
    window
        "full" sums all cells; "3x3" and "5x5" those around the hottest cell.
    linear
        Whether there is a constant c.
    """

    family: ClassVar[str] = "scaled_sum"

    window: Window = "full"
    linear: bool = False

    def __post_init__(self) -> None:
        _choice(self.family, "window", self.window, WINDOWS)

    @property
    def label(self) -> str:
        """For example ``scaled sum 3x3, linear``."""
        window = "" if self.window == "full" else f" {self.window}"
        return f"scaled sum{window}{', linear' if self.linear else ''}"

    def fit(
        self, features: Matrix, side: Matrix | None, target: Matrix, seed: int = 0
    ) -> Prediction:
        """Fit k (and c) to images [n, cells] in GeV and energies [n, 1] in GeV.

        Raises
        ------
        DataError
            If an energy is not positive, there is more than one target, or all sums are zero.
        """
        energy = _one(target, self.label)
        if not (energy > 0.0).all():
            raise DataError(f"{self.label} divides by the energy, which must be positive")
        terms = self._terms(features) / energy[:, None]
        if not terms[:, 0].any():
            raise DataError(f"{self.label} cannot be fitted: all deposits of the draw are zero")
        coefficients = np.linalg.lstsq(terms, np.ones(len(terms)))[0]

        def predict(features: Matrix, side: Matrix | None) -> Matrix:
            return (self._terms(features) @ coefficients)[:, None].astype(np.float32)

        return predict

    def _terms(self, images: Matrix) -> Floats:
        width = WINDOWS[self.window]
        total = cells.square_sum(images, width) if width else cells.deposit_sum(images)
        return np.stack([total, np.ones(len(total))], axis=1) if self.linear else total[:, None]


@dataclass(frozen=True)
class Barycentre(_Formula):
    """Position from the energy's centre of gravity g, relative to a cell of side D.

    Corrections, whose parameters minimise the squared error on the draw:

    ======== =========================================================================
    none     x = g
    linear   x = k g + c
    asinh    x = k b asinh(2 g/D sinh(D/2b)), the S-curve of an exponential profile
    arctan   x = p₀ arctan(g/p₁)
    log      x = k Σ w x_i/Σ w with w = max(0, w₀ + ln(e_i/Σe)) (Awes et al., NIM A311, 130)
    ======== =========================================================================

    Parameters
    ----------
    axis
        "x" (along a row of the image) or "y".
    correction
        See above.
    window
        "full": all cells, relative to the window's central cell. "3x3" and "5x5": those around the
        hottest cell, relative to its centre, which is added.
    pitch
        Cell side D, mm.
    """

    family: ClassVar[str] = "barycentre"

    axis: Axis = "x"
    correction: Correction = "asinh"
    window: Window = "full"
    pitch: float = INNER.pitch

    def __post_init__(self) -> None:
        _choice(self.family, "axis", self.axis, get_args(Axis))
        _choice(self.family, "correction", self.correction, get_args(Correction))
        _choice(self.family, "window", self.window, WINDOWS)
        if not (np.isfinite(self.pitch) and self.pitch > 0.0):
            raise CandidateError(f"pitch = {self.pitch} mm of a barycentre must be positive")

    @property
    def label(self) -> str:
        """For example ``barycentre x, asinh 3x3``."""
        window = "" if self.window == "full" else f" {self.window}"
        return f"barycentre {self.axis}, {self.correction}{window}"

    def fit(
        self, features: Matrix, side: Matrix | None, target: Matrix, seed: int = 0
    ) -> Prediction:
        """Fit the correction to images [n, cells] and positions [n, 1] in mm.

        Raises
        ------
        DataError
            If there is more than one target, or the deposits of an image do not sum to a positive
            energy.
        """
        position = _one(target, self.label)
        origin, seen, along = self._seen(features)
        with_log = self.correction == "log"
        correct = (
            _fit_log(seen, along, position - origin)
            if with_log
            else _fit_curve(self.correction, seen, position - origin, self.pitch)
        )

        def predict(features: Matrix, side: Matrix | None) -> Matrix:
            origin, seen, _ = self._seen(features)
            return (origin + correct(seen))[:, None].astype(np.float32)

        return predict

    def _seen(self, images: Matrix) -> tuple[Floats, Floats, Floats]:
        """Return the point of reference [n], what a correction reads and the cells' offsets.

        It reads g [n], or for Awes's weights ln(e_i/Σe) [n, cells of the window].
        """
        width, which = WINDOWS[self.window], 0 if self.axis == "x" else 1
        side = cells.window(images)
        if width:
            centre = cells.hottest(images)
            origin = cells.offsets(side, self.pitch)[which][centre]
            images = cells.square(images, centre, width).astype(np.float32)
            side = width
        else:
            origin = np.zeros(len(images))
        along = cells.offsets(side, self.pitch)[which]
        if self.correction != "log":
            return origin, cells.barycentre(images, self.pitch)[:, which], along
        total = cells.deposit_sum(images)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(np.where((images > 0.0) & (total > 0.0), images / total, 0.0))
        return origin, logs, along


def baseline_for(target: str) -> Candidate:
    """Return the baseline of a target: the scaled sum for an energy, the barycentre for x or y.

    Raises
    ------
    CandidateError
        If there is none for this target.
    """
    if target == "energy":
        return ScaledSum()
    if target == "x":
        return Barycentre(axis="x")
    if target == "y":
        return Barycentre(axis="y")
    raise CandidateError(
        f"the target {target!r} has no classical baseline: {nearest(target, ('energy', 'x', 'y'))}"
    )


def _asinh(g: Floats, parameters: Floats, pitch: float) -> Floats:
    k, b = parameters
    return np.asarray(k * b * np.arcsinh(2.0 * g / pitch * np.sinh(0.5 * pitch / b)))


def _arctan(g: Floats, parameters: Floats, pitch: float) -> Floats:
    return np.asarray(parameters[0] * np.arctan(g / parameters[1]))


def _linear(g: Floats, parameters: Floats, pitch: float) -> Floats:
    return np.asarray(parameters[0] * g + parameters[1])


# Start and bounds in units of the pitch: b between 1/40 and 10 keeps sinh in range.
_CURVES: dict[str, tuple[Curve, tuple[float, float], Bounds]] = {
    "linear": (_linear, (1.0, 0.0), ((-np.inf, -np.inf), (np.inf, np.inf))),
    "asinh": (_asinh, (1.0, 0.2), ((0.0, 0.025), (10.0, 10.0))),
    "arctan": (_arctan, (0.4, 0.2), ((0.0, 0.001), (100.0, 100.0))),
}
LOG_CUTOFFS = np.arange(2.0, 7.0, 0.25)
"""Where Awes's w₀ is sought; the error has several minima, the best is then refined."""


def _fit_curve(
    correction: Correction, g: Floats, wanted: Floats, pitch: float
) -> Callable[[Floats], Floats]:
    """Fit a correction by least squares; lengths are in units of the pitch inside."""
    if correction == "none":
        return np.asarray
    from scipy.optimize import least_squares

    curve, start, bounds = _CURVES[correction]
    scaled, goal = g / pitch, wanted / pitch

    def residuals(parameters: Floats) -> Floats:
        return curve(scaled, parameters, 1.0) - goal

    fitted = least_squares(residuals, start, bounds=bounds).x
    return lambda g: pitch * curve(g / pitch, fitted, 1.0)


def _fit_log(logs: Floats, along: Floats, wanted: Floats) -> Callable[[Floats], Floats]:
    """Fit w₀ by a search and k, given w₀, in closed form."""
    from scipy.optimize import minimize_scalar

    def centre(logs: Floats, cutoff: float) -> Floats:
        weights = np.maximum(logs + cutoff, 0.0)
        total = weights.sum(axis=1)
        return np.asarray((weights @ along) / np.where(total > 0.0, total, 1.0))

    def scale(found: Floats) -> float:
        square = float(found @ found)
        return float(found @ wanted) / square if square > 0.0 else 1.0

    def error(cutoff: float) -> float:
        found = centre(logs, cutoff)
        return float(np.square(scale(found) * found - wanted).sum())

    coarse = min(LOG_CUTOFFS, key=error)
    near = (coarse - 0.25, coarse + 0.25)
    best = float(minimize_scalar(error, bounds=near, method="bounded", options={"xatol": 1e-3}).x)
    k = scale(centre(logs, best))
    return lambda logs: k * centre(logs, best)


def _one(target: Matrix, label: str) -> Floats:
    if target.shape[1] != 1:
        raise DataError(f"{label} predicts one target, not {target.shape[1]}")
    return target[:, 0].astype(np.float64)


def _choice(family: str, field: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise CandidateError(f"{field} = {value!r} of {family} is unknown: {nearest(value, known)}")
