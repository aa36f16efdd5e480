"""What the paper's journals hold, as verdicts and figures need it: read from journals or summaries.

The summary of a journal is a Parquet file with one row per instance: how it ended, its loss, that
of its best epoch and, at the largest size of a comparison, its curve, which figures draw there
alone. Nothing is rounded, so that a summary says what its journal does, and those of all studies at
the paper's sizes are a few megabytes.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import DataError, ExportError, RaceError, StatisticsError, require
from surefoot.instances import Outcome
from surefoot.journal import Journal
from surefoot.learning.losses import parse_loss
from surefoot.replacing import MARK, check_target, replaced
from surefoot.reports.views.bands import Curves
from surefoot.studies.description import Description, RaceDescription, SizesDescription
from surefoot.studies.journals import progress
from surefoot.studies.race_record import recorded_race
from surefoot.studies.sizes.compare import Comparison

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    """One instance: whose, what for, how it ended, its losses (+inf if it diverged or failed).

    ``best`` is the lowest loss of any epoch, ``curve`` the losses after each, empty unless kept;
    ``seconds`` is how long it took.
    """

    candidate: str
    role: str
    instance: int
    sample: int
    status: str
    loss: float
    best: float
    epochs: int
    seconds: float
    curve: NDArray[np.float32] = field(compare=False, repr=False)


@dataclass(frozen=True, eq=False)
class Recorded:
    """A study of the paper as recorded: what it is, its candidates by key, and its instances.

    ``description`` is its journal's but for the candidates, whose keys ``names`` has with what the
    study calls them, the baseline among them; ``specs`` are their fields; ``winner`` is the key of
    a race's winner, "" without one. ``progress`` says in words how far it has come, ``complete``
    whether nothing is left to be trained.
    """

    study: str
    scale: str
    description: dict[str, Any]
    baseline: str
    winner: str
    complete: bool
    progress: str
    names: dict[str, str]
    specs: dict[str, dict[str, Any]]
    told: tuple[Told, ...]

    @property
    def kind(self) -> str:
        """Which question it asks, as `Description.kind`."""
        return str(self.description["kind"])

    @property
    def population(self) -> str:
        """The name of its data."""
        return str(self.description["population"]["name"])

    @property
    def loss(self) -> str:
        """The name of its loss."""
        return str(self.description["loss"])

    @property
    def unit(self) -> str:
        """The unit of its losses."""
        return parse_loss(self.loss).unit(self.description["population"]["unit"])

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the training samples, ascending; `StatisticsError` before the first instance."""
        if not self.told:
            raise StatisticsError(f"{self.study} has no instance yet")
        return tuple(sorted({one.sample for one in self.told}))

    @cached_property
    def keys(self) -> dict[str, str]:
        """Keys of the candidates by name."""
        return {name: key for key, name in self.names.items()}

    @cached_property
    def _by_group(self) -> dict[tuple[str, str, int], list[Told]]:
        groups: dict[tuple[str, str, int], list[Told]] = {}
        for one in sorted(self.told, key=lambda one: one.instance):
            groups.setdefault((one.candidate, one.role, one.sample), []).append(one)
        return groups

    def of(self, name: str, size: int | None = None, role: str | None = None) -> list[Told]:
        """Return the instances of a candidate by their number, at the largest size unless given.

        Raises `StatisticsError` if there are none.
        """
        key, wanted = self.keys.get(name, name), self.sizes[-1] if size is None else size
        found = [
            one
            for (candidate, what, sample), group in self._by_group.items()
            if candidate == key and sample == wanted and role in (None, what)
            for one in group
        ]
        if not found:
            raise StatisticsError(f"{self.study} has no instance of {name} at {wanted:,} examples")
        return found

    def losses(self, name: str, size: int | None = None, role: str | None = None) -> Floats:
        """Return the losses of `of` [n]."""
        return np.array([one.loss for one in self.of(name, size, role)])

    def curves(self, name: str) -> Curves | None:
        """Return the curves of a candidate at the largest size; None where it has none."""
        told = self.of(name)
        return Curves.of(name, [one.curve for one in told], [one.loss for one in told])

    def comparison(self) -> Comparison:
        """Return it as a comparison of its candidates at the sizes that all have been trained at.

        Raises `StatisticsError` if no size has two instances of everybody.
        """
        known = Counter((one.candidate, one.sample) for one in self.told)
        counts = {s: min(known[key, s] for key in self.names) for s in self.sizes}
        n = max(counts.values(), default=0)
        if n < 2:
            raise StatisticsError(f"{self.study} has no size with two instances of everybody yet")
        kept = tuple(size for size, count in counts.items() if count == n)
        cube = [[self.losses(name, size)[:n] for size in kept] for name in self.names.values()]
        reference = list(self.names).index(self.baseline) if self.baseline in self.names else None
        return Comparison(
            tuple(self.names.values()), kept, np.array(cube), reference, unit=self.unit
        )


def recorded_study(journal: Journal) -> Recorded:
    """Return what a journal of any kind of study holds, also of one that still runs."""
    study, notes, known = Description.read(journal.study), journal.notes(), journal.candidates()
    paper, asked = notes.get("paper", {}), notes.get("asked", {})
    labels = {key: one.label for key, one in known.items()}
    given = asked.get("names", []) if isinstance(study, SizesDescription) else []
    labels |= dict(zip(study.candidates, given, strict=False))
    outcomes = journal.outcomes()
    largest = max((one.sample for one in outcomes), default=0)
    baseline = getattr(study, "baseline", None) or asked.get("baseline") or asked.get("rival") or ""
    if study.kind == "search":
        # Of the many that might have been proposed, only those that were.
        known = {one.candidate: known[one.candidate] for one in outcomes}
        declared: tuple[str, ...] = ()
    else:
        declared = study.candidates
    complete, words = progress(journal)
    return Recorded(
        study=str(paper.get("study", journal.place.stem)),
        scale=str(paper.get("scale", "")),
        description={k: v for k, v in study.json().items() if k != "candidates"},
        baseline=baseline,
        winner=_winner(journal, study),
        complete=complete,
        progress=words,
        names={key: labels[key] for key in dict.fromkeys([*declared, *known])},
        specs={key: dict(one.spec) for key, one in known.items()},
        told=tuple(
            _told(one, one.sample == largest and study.kind == "compare") for one in outcomes
        ),
    )


def _winner(journal: Journal, study: Description) -> str:
    if not isinstance(study, RaceDescription):
        return ""
    try:
        return recorded_race(journal).state().winner or ""
    except RaceError:
        return ""


def _told(one: Outcome, keep_curve: bool) -> Told:
    curve = one.curve if one.epochs > 1 else np.empty(0, np.float32)
    best = float(np.nanmin(curve)) if curve.size and np.isfinite(one.loss) else one.loss
    role = one.role.name.lower()
    kept = curve if keep_curve else np.empty(0, np.float32)
    return Told(
        one.candidate,
        role,
        one.instance,
        one.sample,
        one.status.value,
        one.loss,
        best,
        one.epochs,
        one.seconds,
        kept,
    )


def read_evidence(files: Iterable[Path]) -> dict[str, Recorded]:
    """Return the studies of journals and of summaries, by name.

    Later files replace earlier ones, but none that is complete gives way to one that is not. A
    folder stands for the summaries and then the journals in it.

    Raises
    ------
    DataError
        If a file is missing, neither, or not one that `write_summary` wrote.
    JournalError
        If a journal cannot be read.
    """
    found: dict[str, Recorded] = {}
    for file in files:
        if not file.exists():
            raise DataError(f"there is no '{file}': give journals, summaries or folders of them")
        inside = [*sorted(file.glob("*.parquet")), *sorted(file.glob("*.db"))]
        for one in inside if file.is_dir() else [file]:
            study = _read_one(one)
            if study.complete or not (study.study in found and found[study.study].complete):
                found[study.study] = study
    return found


def _read_one(file: Path) -> Recorded:
    if file.suffix == ".parquet":
        return _read_summary(file)
    if file.suffix == ".db":
        with Journal.read(file) as journal:
            return recorded_study(journal)
    raise DataError(f"'{file}' is no journal (.db) and no summary of one (.parquet)")


def write_summary(study: Recorded, file: Path) -> None:
    """Write a study as a Parquet file, whole or not at all.

    Raises `ExportError` if it may not be written, `MissingExtraError` without pyarrow.
    """
    arrow, parquet = require("pyarrow", extra="parquet"), _parquet()
    check_target(file, (".parquet",))
    kinds = {"str": arrow.string(), "int": arrow.int64(), "float": arrow.float64()}
    columns = {
        one.name: arrow.array(
            [getattr(told, one.name) for told in study.told],
            kinds.get(str(one.type), arrow.list_(arrow.float32())),
        )
        for one in fields(Told)
    }
    head = json.dumps({name: getattr(study, name) for name in _HEAD})
    about = {b"surefoot": MARK.encode(), b"study": zlib.compress(head.encode())}
    with replaced(file, ExportError) as part:
        table = arrow.table(columns).replace_schema_metadata(about)
        parquet.write_table(table, part, compression="zstd")


_HEAD = tuple(one.name for one in fields(Recorded) if one.name != "told")


def _parquet() -> Any:
    return require("pyarrow.parquet", extra="parquet")


def _read_summary(file: Path) -> Recorded:
    try:
        table = _parquet().read_table(file)
        head = json.loads(zlib.decompress((table.schema.metadata or {})[b"study"]))
    except (OSError, ValueError, KeyError, zlib.error) as error:
        raise DataError(f"'{file}' is no summary of a journal of the paper: {error}") from None
    rows = table.to_pylist()
    told = (Told(**{**row, "curve": np.array(row["curve"], np.float32)}) for row in rows)
    return Recorded(**head, told=tuple(told))
