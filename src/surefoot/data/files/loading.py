"""One entry for every source of a population: a registered name or a data file."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot import registry
from surefoot.data.files.opening import is_file, open_table
from surefoot.data.files.parts import Names, read_parts, resolve
from surefoot.data.files.table import Table
from surefoot.data.labels import Label
from surefoot.data.population import Population
from surefoot.errors import DataError, nearest

ENERGY_UNITS = {"keV": 1e-6, "MeV": 1e-3, "GeV": 1.0, "TeV": 1e3}
"""Units of energy in GeV."""


def load_population(
    source: str,
    *,
    target: Names | None = None,
    features: Names | None = None,
    side: Names | bool | None = None,
    groups: str | None = None,
    classes: bool | Sequence[Label] | None = None,
    unit: str | None = None,
    target_unit: str | None = None,
) -> Population:
    """Load a population.

    Parameters
    ----------
    source
        ``name:rest`` of a registered population (``photons:A``), ``file.root:tree`` (``:tree``
        may be left out if there is one), ``file.npz`` or ``file.parquet``.
    target
        Column to predict, or several. One column of text or, with ``classes``, of numbers holds
        classes.
    features
        Columns of the inputs: scalars, lists of equal length or matrices [N, F]. May hold ``*``
        (``cell_*``, in natural order) or be ``value[index]`` (`surefoot.data.files.parts.resolve`).
    side
        Columns of the side features; a registered population may compute them.
    groups
        Column whose equal values are never split between pool and test half.
    classes
        As of `surefoot.data.population.Population`.
    unit
        Unit of the features if they are energies: keV, MeV, GeV or TeV; they are converted to GeV
        and must not be negative.
    target_unit
        Unit of the target. A unit of energy is converted to GeV, and the target must be positive.

    What is not given is left to a registered population's own defaults; a file needs ``target``
    and ``features``. Files are read in chunks: beyond the arrays of the population itself, memory
    does not grow with the file.

    Raises
    ------
    DataError
        If the source is unknown, missing, unreadable or holds values that cannot be used.
    MissingExtraError
        If a Parquet file is asked for without pyarrow.
    """
    given: dict[str, Any] = {
        name: value
        for name, value in (
            ("target", target),
            ("features", features),
            ("side", side),
            ("groups", groups),
            ("classes", classes),
            ("unit", unit),
            ("target_unit", target_unit),
        )
        if value is not None
    }
    name, colon, rest = source.partition(":")
    known = registry.names("populations")
    if colon and name in known:
        return _registered(name, rest, given)
    if is_file(source):
        with open_table(source) as table:
            return from_table(table, **given)
    raise DataError(
        f"{source!r} is neither a known population nor a .root, .npz or .parquet file: "
        f"{nearest(Path(name).name, known)}"
    )


def from_table(
    table: Table,
    *,
    target: Names | None = None,
    features: Names | None = None,
    side: Names | bool | None = None,
    groups: str | None = None,
    classes: bool | Sequence[Label] | None = None,
    unit: str | None = None,
    target_unit: str | None = None,
) -> Population:
    """Load a population from an open table; see `load_population`."""
    if isinstance(side, bool):
        if side:
            raise DataError(f"side = true has no meaning for {table.name}: name its {table.noun}s")
        side = None
    if not target or not features:
        known = ", ".join(table.columns)
        missing = "features" if target else "target"
        raise DataError(f"{table.name} needs the name of its {missing}, among: {known}")
    parts = {"features": resolve(table, features), "target": resolve(table, target)}
    if side:
        parts["side"] = resolve(table, side)
    if groups is not None:
        parts["groups"] = resolve(table, groups)
    labelled = len(parts["target"]) == 1 and (classes is not None or _is_text(table, target))
    arrays = read_parts(table, parts, ("groups", *(("target",) if labelled else ())))
    scale_energies(arrays["features"], unit, f"features of {table.name}")
    if target_unit in ENERGY_UNITS and not labelled:
        scale_energies(arrays["target"], target_unit, f"target of {table.name}", positive=True)
        target_unit = "GeV"
    return Population(
        **arrays,
        name=table.name,
        target_name=", ".join(column.name for column in parts["target"]),
        target_unit=target_unit or "",
        side_names=tuple(column.name for column in parts.get("side", [])),
        feature_names=_names(parts["features"], arrays["features"]),
        classes=classes,
    )


def scale_energies(
    energies: NDArray[np.float32], unit: str | None, what: str, *, positive: bool = False
) -> None:
    """Convert energies [N, columns] to GeV in place; None leaves them alone.

    Raises
    ------
    DataError
        If the unit is none of energy, or an energy is negative (or zero, with ``positive``).
    """
    if unit is None:
        return
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


def _registered(name: str, rest: str, given: dict[str, Any]) -> Population:
    load = registry.lookup("populations", name)
    taken = list(inspect.signature(load).parameters)[1:]
    for option in given:
        if option not in taken:
            raise DataError(
                f"the population {name}:{rest} takes no {option!r}: {nearest(option, taken)}"
            )
    population = load(rest, **given)
    if not isinstance(population, Population):
        raise DataError(f"{name!r} gave a {type(population).__name__}, not a Population")
    return population


def _is_text(table: Table, target: Names | None) -> bool:
    """Whether a single target column holds text, as its first rows tell."""
    name = target if isinstance(target, str) else (target or [""])[0]
    first = next(iter(table.chunks([name], 1)), {}).get(name)
    return isinstance(first, np.ndarray) and first.dtype.kind in "USOb" and first.ndim == 1


def _names(columns: Sequence[Any], features: NDArray[np.float32]) -> tuple[str, ...]:
    """Return one name per feature where every column is one feature."""
    if len(columns) == features.shape[1]:
        return tuple(column.name for column in columns)
    return ()
