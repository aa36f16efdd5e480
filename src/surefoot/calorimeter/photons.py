"""Photon samples as populations: ``photons:A``, ``photons:B``, ``photons:file.root``."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surefoot.calorimeter import features as cells
from surefoot.calorimeter.detector import INNER
from surefoot.calorimeter.root_io import UNITS, open_photons
from surefoot.data.energies import ENERGY_UNITS, check_energies, scale_energies
from surefoot.data.files.base import DataFile
from surefoot.data.files.columns import Names, read_columns, resolve
from surefoot.data.population import Population
from surefoot.errors import DataError, nearest

SIDES = {"sum": ("sum",), "barycentre": ("barycentre_x", "barycentre_y")}
"""Side features by name: Σe in GeV; the barycentre from the window's centre in mm."""
DEPOSITS, FRACTIONS = "deposits", "fractions"
"""Column of the deposits, and what is made of it: the deposits over their sum."""
RATIO = "energy/sum"
"""Name of the target E/Σe, by which a shape corrects the sum of deposits."""
POSITIONS = ("x", "y")
FEWEST = 100
"""Fewer images say nothing of the order of their cells."""
FOLLOWS = 0.5
"""Correlation of barycentre and position that shows the cells to be in order."""


def load_photons(
    name: str,
    target: Names = "energy",
    side: Names | bool = True,
    *,
    features: str = DEPOSITS,
    groups: str | None = None,
    unit: str | None = None,
    target_unit: str | None = None,
) -> Population:
    """Load photons, ``photons:A``, ``photons:B`` (shipped) or ``photons:file.root``: images
    [N, cells²] in GeV, a target, side features, showers as groups.

    Parameters
    ----------
    name
        ``A`` or ``B``, the shipped Geant4 samples (normal incidence; inclined), or a ``.root``,
        ``.npz`` or ``.parquet`` file such as ``surefoot simulate`` writes.
    target
        ``energy`` (GeV), ``x`` or ``y`` (mm), another column, or several. ``energy/sum`` is E/Σe:
        what a shape says beyond the sum. A relative error of it is that of the energy ŷ Σe.
    side
        ``sum``, ``barycentre`` or both; True for the one that suits the target (Σe for an energy,
        the barycentre for a position: the inductive biases of paper §3.8), False for none.
    features
        Column of the deposits, row-major ``iy * cells + ix`` with x growing along ix; or
        ``fractions``: the deposits over their sum, e / Σe, in which showers of all energies look
        alike. A position is learnt better from them; for an energy they lack the sum.
    groups
        Column of the shower's number; ``shower`` if there is one.
    unit, target_unit
        Units in a file that differ from keV, MeV, GeV or TeV: GeV, mm and rad otherwise.

    Raises
    ------
    DataError
        If the file is unreadable or lacks a column; if a deposit is NaN, infinite or negative
        (unless the file says that it holds noise), an image empty or an energy not positive; if
        an angle leads out of the window; if the cells are in another order, as the barycentres
        tell.
    """
    with open_photons(name) as table:
        if groups is None and "shower" in table.columns:
            groups = "shower"
        relative = features == FRACTIONS and features not in table.columns
        deposits = DEPOSITS if relative else features
        ratio = target == RATIO and RATIO not in table.columns
        parts = {
            "features": resolve(table, deposits),
            "target": resolve(table, "energy" if ratio else target),
        }
        targets = [column.name for column in parts["target"]]
        sides = _sides(side, targets)
        if groups is not None:
            parts["groups"] = resolve(table, groups)
        known = all(axis in table.columns for axis in POSITIONS)
        if known:
            parts["position"] = resolve(table, POSITIONS)
        if "theta" in table.columns:
            parts["theta"] = resolve(table, "theta")
        arrays = read_columns(table, parts, ("groups",))
        images = arrays["features"]
        cells.window(images, f"the deposits of {table.name}")
        noisy = _noisy(table)
        if unit is not None and not noisy:
            scale_energies(images, unit, f"deposits of {table.name}")
        else:
            check_energies(images, f"deposits of {table.name}", negative=noisy)
            images *= np.float32(ENERGY_UNITS[unit or "GeV"])
        units = _check_targets(table, targets, arrays["target"], target_unit)
        pitch = pitch_of(table)
    if "theta" in arrays:
        check_angles(arrays["theta"][:, 0], table.name, cells.window(images), pitch)
    if known:
        check_cell_order(images, arrays["position"], table.name)
    side_columns = side_features(images, sides, pitch) if sides else None
    if ratio:
        arrays["target"] /= cells.positive_sums(images, f"{RATIO} needs")[:, None]
        targets, units = [RATIO], [""]
    if relative:
        images = cells.fractions(images)
    return Population(
        images,
        arrays["target"],
        side=side_columns,
        groups=arrays.get("groups"),
        name=table.name,
        target_name=", ".join(targets),
        target_unit=", ".join(dict.fromkeys(units)),
        side_names=tuple(part for name in sides for part in SIDES[name]),
    )


def side_features(
    images: NDArray[np.float32], names: Sequence[str], pitch: float = INNER.pitch
) -> NDArray[np.float32]:
    """Return side features [N, S] by name: ``sum`` (GeV) and ``barycentre`` (x and y, mm)."""
    computed = {
        "sum": lambda: cells.deposit_sum(images)[:, None],
        "barycentre": lambda: cells.barycentre(images, pitch),
    }
    return np.concatenate([computed[name]() for name in names], axis=1).astype(np.float32)


def pitch_of(table: DataFile) -> float:
    """Return the side of a cell in mm: what the file says of itself, else the inner module's."""
    pitch = table.metadata.get("pitch", INNER.pitch)
    if not (isinstance(pitch, int | float) and pitch > 0.0):
        raise DataError(f"the metadata of {table.name} give cells of {pitch!r} mm: not a length")
    return float(pitch)


def check_angles(
    theta: NDArray[np.float32], name: str, side: int, pitch: float = INNER.pitch
) -> None:
    """Raise `DataError` unless all polar angles [n], in rad, keep a shower within the window.

    A photon that enters at the centre of a window of ``side`` × ``side`` cells leaves it sideways
    before the back of the module from arctan(half window / depth) on, 0.63 rad for the paper's.
    """
    limit = math.atan(0.5 * side * pitch / INNER.depth)
    bad = np.flatnonzero(~((theta >= 0.0) & (theta <= limit)))
    if bad.size:
        raise DataError(
            f"theta of {name} is {theta[bad[0]]:g} rad in row {bad[0]}, which leads out of the "
            f"window of {side} × {side} cells: angles must be 0 to {limit:.2f} rad from the axis"
        )


def check_cell_order(images: NDArray[np.float32], position: NDArray[np.float32], name: str) -> None:
    """Raise `DataError` unless the images' barycentres follow the true positions [N, 2].

    In the right order (row-major, x along a row) both barycentres correlate with x and y; in a
    transposed or mirrored one they do so after the same exchange or change of sign, in any other
    order not at all. Fewer than `FEWEST` images, or images all at one point, are not judged.
    """
    if len(images) < FEWEST or (np.ptp(position, axis=0) == 0.0).any():
        return
    step = max(1, len(images) // 5_000)
    seen = images[::step]
    seen, place = seen[seen.sum(axis=1) > 0.0], position[::step][seen.sum(axis=1) > 0.0]
    if len(seen) < FEWEST:
        return
    centre = cells.barycentre(seen)
    if (np.ptp(centre, axis=0) == 0.0).any():
        raise DataError(f"the images of {name} all have one barycentre: their cells hold no shape")
    found = np.corrcoef(centre.T, place.T)[:2, 2:]
    if found[0, 0] > FOLLOWS and found[1, 1] > FOLLOWS:
        return
    straight = abs(found[0, 0]) + abs(found[1, 1])
    crossed = abs(found[0, 1]) + abs(found[1, 0])
    if max(straight, crossed) < 2.0 * FOLLOWS:
        what = "in an unknown order (or x and y are not the photons' positions)"
    elif crossed > straight:
        what = "transposed: x runs along columns"
    else:
        what = "mirrored: x or y runs backwards"
    raise DataError(
        f"the cells of {name} seem to be {what}; they must be row-major, iy * "
        f"{cells.window(images)} + ix (correlation of barycentre and position: {found[0, 0]:.2f} "
        f"in x, {found[1, 1]:.2f} in y)"
    )


def _sides(side: Names | bool, targets: Sequence[str]) -> tuple[str, ...]:
    if side is False:
        return ()
    if side is True:
        both = {"sum": "energy" in targets, "barycentre": any(t in POSITIONS for t in targets)}
        return tuple(name for name, wanted in both.items() if wanted) or tuple(SIDES)
    names = (side,) if isinstance(side, str) else tuple(side)
    for name in names:
        if name not in SIDES:
            raise DataError(f"photons have no side feature {name!r}: {nearest(name, SIDES)}")
    return names


def _noisy(table: DataFile) -> bool:
    """Whether a file says that noise may have made deposits negative."""
    noise = table.metadata.get("noise", 0.0)
    return isinstance(noise, int | float) and noise > 0.0


def _check_targets(
    table: DataFile, targets: Sequence[str], values: NDArray[np.float32], unit: str | None
) -> list[str]:
    """Check energies, convert them to GeV and return the targets' units."""
    units = []
    for column, name in enumerate(targets):
        energies = values[:, column : column + 1]
        what = f"target {name} of {table.name}"
        if unit in ENERGY_UNITS:
            scale_energies(energies, unit, what, positive=True)
            units.append("GeV")
        else:
            if name == "energy":
                check_energies(energies, what, positive=True)
            units.append(unit or UNITS.get(name, ""))
    return units
