"""Populations from data files: ROOT, npz, Parquet, CSV; read in chunks, by names of columns."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from types import NoneType
from typing import Any

from surefoot import registry
from surefoot.checks import of_kind
from surefoot.data.arrays import Label
from surefoot.data.energies import ENERGY_UNITS, scale_energies
from surefoot.data.files.base import Chunk, DataFile
from surefoot.data.files.columns import Names, is_text, read_table, resolve
from surefoot.data.population import Population
from surefoot.errors import DataError, nearest
from surefoot.replacing import replaced

_SOURCE = re.compile(
    r"(?P<path>.+\.(?P<kind>root|npz|parquet|csv))(?::(?P<tree>.+))?", re.IGNORECASE
)


def load_population(
    source: str,
    *,
    target: Names | None = None,
    features: Names | None = None,
    side: Names | bool | None = None,
    groups: str | None = None,
    weights: str | None = None,
    order: str | None = None,
    missing: bool = False,
    categories: Names | bool = False,
    classes: bool | Sequence[Label] | None = None,
    unit: str | None = None,
    target_unit: str | None = None,
    target_among_features: bool = False,
) -> Population:
    """Load a population.

    Parameters
    ----------
    source
        ``name:rest`` of a registered population (``photons:A``), ``file.root:tree`` (``:tree``
        may be left out if there is one), ``file.npz``, ``file.parquet`` or ``file.csv``.
    target
        Column to predict, or several. One column of text or, with ``classes``, of numbers holds
        classes.
    features
        Columns of the inputs: scalars, lists of equal length or matrices [N, F]. A name may hold
        ``*`` (``cell_*``: all that match, ``cell_2`` before ``cell_10``) or be ``value[index]``:
        each row lists values and the places they belong to, all others are zero
        (``value[index,225]`` to say how many places there are). Of a CSV or Parquet file all
        columns without another part, unless any are named.
    side
        Columns of the side features; a registered population may compute them.
    groups
        Column whose equal values are never split between pool and test half.
    weights, order
        Columns of the examples' weights, and of what they are split by, such as a date.
    missing
        Whether values of features may be missing.
    categories
        Features that are categories, each a column of text, truth values or numbers; True for all
        that hold text or truth values.
    classes
        As of `Population`.
    unit
        Unit of the features if they are energies: keV, MeV, GeV or TeV; they are converted to GeV
        and must not be negative.
    target_among_features
        As of `Population`.
    target_unit
        Unit of the target. A unit of energy is converted to GeV, and the target must be positive.

    What is not given is left to a registered population's own defaults; a file needs ``target``
    and, unless it is a CSV or Parquet file, ``features``. Files are read in chunks: beyond the
    arrays of the population itself, memory does not grow with the file.

    Raises
    ------
    DataError
        If the source is unknown, missing, unreadable or holds values that cannot be used.
    MissingExtraError
        If a Parquet file is asked for without pyarrow.
    """
    of_kind("a name or a file", str, error=DataError, source=source)
    for what, names in {"target": target, "features": features, "side": side}.items():
        listed = [names] if isinstance(names, str | bool | None) else names
        of_kind("a name or a list of names", list, tuple, error=DataError, **{what: listed})
        for one in listed or ():
            of_kind("a name", str, bool, NoneType, error=DataError, **{what: one})
    texts = {"groups": groups, "unit": unit, "target_unit": target_unit}
    of_kind("a word", str, NoneType, error=DataError, **texts)
    name, colon, rest = source.partition(":")
    known = registry.names("populations")
    if colon and name in known:
        options = {
            "target": target,
            "features": features,
            "side": side,
            "groups": groups,
            "weights": weights,
            "order": order,
            "missing": missing or None,
            "categories": categories or None,
            "classes": classes,
            "unit": unit,
            "target_unit": target_unit,
            "target_among_features": target_among_features or None,
        }
        return _registered(name, rest, {k: v for k, v in options.items() if v is not None})
    if _SOURCE.fullmatch(source) is None:
        raise DataError(
            f"{source!r} is neither a known population nor a .root, .npz, .parquet or .csv file: "
            f"{nearest(Path(name).name, known)}"
        )
    with open_data_file(source) as file:
        if side is True:
            raise DataError(f"side = true has no meaning for {file.name}: name its {file.noun}s")
        if not target or not (features or file.tabular):
            columns = ", ".join(file.columns)
            lacking = "features" if target else "target"
            raise DataError(f"{file.name} needs the name of its {lacking}, among: {columns}")
        if not features:
            features = _others(file, target, side, groups, weights, order)
        named = {"features": features, "target": target, "side": side, "groups": groups}
        named |= {"weights": weights, "order": order}
        parts = {
            part: resolve(file, names) for part, names in named.items() if names or names == ""
        }
        targets = [column.name for column in parts["target"]]
        labelled = len(targets) == 1 and (classes is not None or is_text(file, targets[0]))
        words = ("groups", "order", "weights", *(("target",) if labelled else ()))
        inputs = parts["features"]
        arrays, meaning = read_table(file, parts, words, categories, missing=missing)
    if unit is not None:
        scale_energies(arrays["features"], unit, f"features of {file.name}")
    if target_unit in ENERGY_UNITS and not labelled:
        scale_energies(arrays["target"], target_unit, f"target of {file.name}", positive=True)
        target_unit = "GeV"
    names = tuple(column.name for column in inputs)
    return Population(
        **arrays,
        missing=missing,
        categories=meaning,
        name=file.name,
        target_name=", ".join(targets),
        target_unit=target_unit or "",
        side_names=tuple(column.name for column in parts.get("side", [])),
        feature_names=names if len(names) == arrays["features"].shape[1] else (),
        classes=classes,
        target_among_features=target_among_features,
    )


def _others(file: DataFile, *taken: Names | bool | None) -> list[str]:
    """Return the columns of a file that none of these names stand for."""
    names = [one for one in taken if one and not isinstance(one, bool)]
    used = {name for one in names for column in resolve(file, one) for name in column.names}
    left = [name for name in file.columns if name not in used]
    if not left:
        raise DataError(
            f"{file.name} has no {file.noun} left for the features besides: "
            + ", ".join(file.columns)
        )
    return left


def open_data_file(source: str) -> DataFile:
    """Open ``file.root:tree`` (``file.root`` if it has one tree), ``.npz``, ``.parquet``, ``.csv``.

    Raises `DataError` if the file is missing, unreadable, of another kind or has no such tree, and
    `MissingExtraError` for a Parquet file without pyarrow.
    """
    match = _SOURCE.fullmatch(source)
    if match is None:
        raise DataError(
            f"{source!r} is no data file: give file.root:tree, file.npz, file.parquet or file.csv"
        )
    path, kind, tree = Path(match["path"]), match["kind"].lower(), match["tree"]
    if not path.exists():
        raise DataError(f"the file {path} does not exist")
    if not path.is_file():
        raise DataError(f"{path} is not a file")
    if kind == "root":
        from surefoot.data.files.root import RootFile

        return RootFile(path, tree)
    if tree is not None:
        raise DataError(f"{source!r} names the tree {tree!r}, but only ROOT files have trees")
    if kind == "npz":
        from surefoot.data.files.npz import NpzFile

        return NpzFile(path)
    if kind == "csv":
        from surefoot.data.files.csv import CsvFile

        return CsvFile(path)
    from surefoot.data.files.parquet import ParquetFile

    return ParquetFile(path)


def resolved(source: str, folder: Path) -> str:
    """Return a source with the path of its file, if it has one, relative to a folder.

    >>> resolved("photons:A", Path("studies")), resolved("photons:my.root", Path("studies"))
    ('photons:A', 'photons:studies/my.root')
    >>> resolved("showers.root:tree", Path("studies"))
    'studies/showers.root:tree'
    """
    name, colon, rest = source.partition(":")
    if not colon or name not in registry.names("populations"):
        return str(folder / source)
    return f"{name}:{folder / rest}" if _SOURCE.fullmatch(rest) else source


def _registered(name: str, rest: str, given: dict[str, Any]) -> Population:
    load = registry.lookup("populations", name)
    taken = list(inspect.signature(load).parameters)[1:]
    for option in given:
        if option not in taken:
            hint = nearest(option, taken)
            raise DataError(f"the population {name}:{rest} takes no {option!r}: {hint}")
    population = load(rest, **given)
    if not isinstance(population, Population):
        raise DataError(f"{name!r} gave a {type(population).__name__}, not a Population")
    return population


def write_data_file(
    path: Path | str,
    chunks: Iterable[Chunk],
    *,
    tree: str = "events",
    title: str = "",
    metadata: Mapping[str, Any] | None = None,
    compression: Any = None,
) -> int:
    """Write chunks of equally named columns [n] or [n, width] and return the number of rows.

    The kind of file is that of its ending. It is written under a temporary name beside the final
    one and renamed when complete, so a file under the final name is never a partial one.

    Parameters
    ----------
    path
        ``.root``, ``.npz`` or ``.parquet``.
    chunks
        Read one at a time; none is kept.
    tree, title
        Name and title of a ROOT file's tree.
    metadata
        Plain JSON values kept with the columns.
    compression
        Of a ROOT file, an `uproot.compression.Compression`; Zstandard by default.

    Raises
    ------
    DataError
        If there is no row, the ending is another one, or the file cannot be written.
    """
    final = Path(path)
    write: Callable[[Path, Chunk, Iterable[Chunk], str], None]
    match final.suffix.lower():
        case ".root":
            from surefoot.data.files.root import write_root

            write = partial(write_root, tree=tree, title=title, compression=compression)
        case ".npz":
            from surefoot.data.files.npz import write_npz as write
        case ".parquet":
            from surefoot.data.files.parquet import write_parquet as write
        case _:
            raise DataError(f"{final} must end in .root, .npz or .parquet")
    count = 0

    def counted(stream: Iterable[Chunk]) -> Iterator[Chunk]:
        nonlocal count
        for chunk in stream:
            yield chunk
            count += len(next(iter(chunk.values())))

    with replaced(final, DataError) as temporary:
        stream = iter(chunks)
        first = next(stream, None)
        if first is None:
            raise DataError(f"there is nothing to write to {final}")
        about = json.dumps(dict(metadata or {}), sort_keys=True)
        write(temporary, first, counted(chain([first], stream)), about)
    return count
