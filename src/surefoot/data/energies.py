"""Units of energy, and energies that cannot be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import DataError, nearest

ENERGY_UNITS = {"keV": 1e-6, "MeV": 1e-3, "GeV": 1.0, "TeV": 1e3}
"""Units of energy in GeV."""


def scale_energies(
    energies: NDArray[np.float32], unit: str, what: str, *, positive: bool = False
) -> None:
    """Convert energies [N, columns] to GeV in place.

    Raises `DataError` if the unit is none of energy, or an energy as of `check_energies`.
    """
    if unit not in ENERGY_UNITS:
        raise DataError(f"unit {unit!r} of {what} is none of energy: {nearest(unit, ENERGY_UNITS)}")
    check_energies(energies, what, positive=positive)
    if ENERGY_UNITS[unit] != 1.0:
        energies *= np.float32(ENERGY_UNITS[unit])


def check_energies(
    energies: NDArray[np.float32], what: str, *, positive: bool = False, negative: bool = False
) -> None:
    """Raise `DataError` on an energy that is NaN, infinite, negative or, if so asked, zero."""
    for start in range(0, len(energies), 65_536):
        block = energies[start : start + 65_536]
        bad = ~np.isfinite(block)
        if not negative:
            bad |= block <= 0.0 if positive else block < 0.0
        if bad.any():
            row, column = (int(place[0]) for place in np.nonzero(bad))
            allowed = "positive" if positive else "finite" if negative else "zero or more"
            raise DataError(
                f"{what} hold the energy {block[row, column]:g} in example {start + row}, column "
                f"{column}: energies must be {allowed}"
            )
