"""What the paper's journals hold, as verdicts and figures need it: read from journals or Parquet.

The summary of a journal is one row per instance with its loss, that of its best epoch and, at the
largest size of a study, its curve. So the journals of all studies fit in a few megabytes.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import DataError, ExportError, RaceError, StatisticsError, require
from surefoot.instances import Outcome
from surefoot.journal import Journal
from surefoot.replacing import MARK, check_target, replaced
from surefoot.reports.views.bands import Curves
from surefoot.studies.description import Description, RaceDescription, SizesDescription
from surefoot.studies.race_record import recorded_race
from surefoot.studies.sizes.compare import Comparison

Floats = NDArray[np.float64]
WHOLE = ("instance", "sample", "epochs")
"""Fields of an instance that are whole numbers."""


@dataclass(frozen=True)
class Told:
    """One instance: whose, what for, its losses (+inf if it diverged or failed) and its time.

    ``best`` is the lowest loss of any epoch, ``curve`` the losses after each, empty unless kept.
    """

    candidate: str
    role: str
    instance: int
    sample: int
    loss: float
    best: float
    epochs: int
    seconds: float
    curve: NDArray[np.float32] = field(compare=False, repr=False)


@dataclass(frozen=True, eq=False)
class Recorded:
    """A study of the paper as recorded: what it is, its candidates by key, and its instances.

    ``names`` are what the study calls its candidates, the baseline among them; ``specs`` their
    fields; ``winner`` is the key of a race's winner, "" without one.
    """

    study: str
    scale: str
    kind: str
    population: str
    unit: str
    loss: str
    baseline: str
    winner: str
    names: dict[str, str]
    specs: dict[str, dict[str, Any]]
    told: tuple[Told, ...]

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
    return Recorded(
        study=str(paper.get("study", journal.place.stem)),
        scale=str(paper.get("scale", "")),
        kind=study.kind,
        population=study.population.name,
        unit=study.unit,
        loss=str(study.loss),
        baseline=baseline,
        winner=_winner(journal, study),
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
        one.candidate, role, one.instance, one.sample, one.loss, best, one.epochs, one.seconds, kept
    )


def read_evidence(files: Iterable[Path]) -> dict[str, Recorded]:
    """Return every study of journals and of Parquet files, by name; later files replace earlier.

    A folder stands for the journals and Parquet files in it.

    Raises
    ------
    DataError
        If a file is missing, neither, or not one that `write_evidence` wrote.
    JournalError
        If a journal cannot be read.
    """
    found: dict[str, Recorded] = {}
    for file in files:
        if not file.exists():
            raise DataError(f"there is no '{file}': give journals, summaries or folders of them")
        inside = sorted([*file.glob("*.parquet"), *file.glob("*.db")]) if file.is_dir() else [file]
        for one in inside:
            if one.suffix == ".parquet":
                found |= {study.study: study for study in _read_parquet(one)}
            elif one.suffix == ".db":
                with Journal.read(one) as journal:
                    study = recorded_study(journal)
                found[study.study] = study
            else:
                raise DataError(f"'{one}' is no journal (.db) and no summary of some (.parquet)")
    return found


def write_evidence(studies: Sequence[Recorded], file: Path) -> None:
    """Write studies as one Parquet file, whole or not at all.

    Raises `ExportError` if it may not be written, `MissingExtraError` without pyarrow.
    """
    arrow, parquet = require("pyarrow", extra="parquet"), _parquet()
    check_target(file, (".parquet",))
    columns: dict[str, Any] = {"study": [s.study for s in studies for _ in s.told]}
    every = [one for study in studies for one in study.told]
    for one in fields(Told):
        columns[one.name] = [getattr(told, one.name) for told in every]
    kinds = {"study": arrow.string(), "candidate": arrow.string(), "role": arrow.string()}
    kinds |= {name: arrow.int64() for name in WHOLE}
    kinds |= {"seconds": arrow.float32(), "curve": arrow.list_(arrow.float32())}
    table = arrow.table(
        {k: arrow.array(v, kinds.get(k, arrow.float64())) for k, v in columns.items()}
    )
    heads = json.dumps([{k: v for k, v in vars(s).items() if k in _HEAD} for s in studies])
    about = {b"surefoot": MARK.encode(), b"studies": zlib.compress(heads.encode())}
    with replaced(file, ExportError) as part:
        parquet.write_table(table.replace_schema_metadata(about), part, compression="zstd")


_HEAD = tuple(one.name for one in fields(Recorded) if one.name != "told")


def _parquet() -> Any:
    return require("pyarrow.parquet", extra="parquet")


def _read_parquet(file: Path) -> list[Recorded]:
    try:
        table = _parquet().read_table(file)
        heads = json.loads(zlib.decompress((table.schema.metadata or {})[b"studies"]))
    except (OSError, ValueError, KeyError, zlib.error) as error:
        raise DataError(f"'{file}' is no summary of the paper's journals: {error}") from None
    rows: dict[str, list[Told]] = {head["study"]: [] for head in heads}
    for row in table.to_pylist():
        study = row.pop("study")
        rows[study].append(Told(**{**row, "curve": np.array(row["curve"], np.float32)}))
    return [Recorded(**head, told=tuple(rows[head["study"]])) for head in heads]
