"""The classical reconstructions of an electromagnetic calorimeter, as candidates.

Paper §3.10 and §4 race networks against them. They are fitted on the draw like any other
candidate; nothing in them is random.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from surefoot.calorimeter import features as cells
from surefoot.calorimeter.corrections import Correction, fit_curve, fit_log
from surefoot.calorimeter.detector import INNER
from surefoot.candidates.base import Candidate, DirectCandidate
from surefoot.checks import short
from surefoot.errors import CandidateError, DataError, nearest

if TYPE_CHECKING:
    from surefoot.candidates.base import Matrix, Prediction

Floats = NDArray[np.float64]
Window = Literal["full", "3x3", "5x5"]
WINDOWS = {"full": 0, "3x3": 3, "5x5": 5}
Axis = Literal["x", "y"]


@dataclass(frozen=True)
class Formula(DirectCandidate):
    """A frozen dataclass whose fields are its spec; its fit is decided by the draw alone."""

    luck = ""

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
class ScaledSum(Formula):
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
        energy = one_target(target, self.label)
        check_energy(energy, self.label)
        total = self._sum(features)
        if not total.any():
            raise DataError(f"{self.label} cannot be fitted: all deposits of the draw are zero")
        k, c = _relative_line(total / energy, 1.0 / energy, self.linear)

        def predict(features: Matrix, side: Matrix | None) -> Matrix:
            return np.asarray((k * self._sum(features) + c)[:, None], dtype=np.float32)

        return predict

    def _sum(self, images: Matrix) -> Floats:
        width = WINDOWS[self.window]
        return cells.square_sum(images, width) if width else cells.deposit_sum(images)


@dataclass(frozen=True)
class Barycentre(Formula):
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
        position = one_target(target, self.label)
        origin, seen, along = self._seen(features)
        with_log = self.correction == "log"
        correct = (
            fit_log(seen, along, position - origin)
            if with_log
            else fit_curve(self.correction, seen, position - origin, self.pitch)
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


def _relative_line(r: Floats, q: Floats, linear: bool) -> tuple[float, float]:
    """Return k and c that minimise Σ (1 − k r − c q)²; c = 0 unless asked for and settled by r, q.

    The sums are NumPy's, so that the result does not depend on a library's number of threads.
    """
    rr, rq, qq = ((a * b).sum() for a, b in ((r, r), (r, q), (q, q)))
    determinant = rr * qq - rq * rq
    if not linear or determinant <= 1e-12 * rr * qq:
        return float(r.sum() / rr), 0.0
    k = (r.sum() * qq - q.sum() * rq) / determinant
    return float(k), float((q.sum() - k * rq) / qq)


def check_energy(energy: Floats, label: str) -> None:
    """Raise `DataError` unless all energies [n] that a formula divides by are positive."""
    bad = np.flatnonzero(~(energy > 0.0))
    if bad.size:
        raise DataError(
            f"{label} divides by an energy, which must be positive, not {energy[bad[0]]:g} GeV"
        )


def one_target(target: Matrix, label: str) -> Floats:
    """Return the only target [n]; raise `DataError` if there are several."""
    if target.shape[1] != 1:
        raise DataError(f"{label} predicts one target, not {target.shape[1]}")
    return target[:, 0].astype(np.float64)


def _choice(family: str, field: str, value: str, known: Iterable[str]) -> None:
    if not isinstance(value, str) or value not in known:
        raise CandidateError(
            f"{field} = {short(value)} of {family} is unknown: {nearest(value, known)}"
        )
