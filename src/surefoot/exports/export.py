"""`export`: what a journal holds, or a network it recorded, in a file."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.trust import trust as trusting
from surefoot.errors import ExportError, require
from surefoot.escaping import csv_cell
from surefoot.instances import Outcome, Setting, Training
from surefoot.journal import Journal
from surefoot.replacing import check_target, replaced
from surefoot.seeds.ledger import Role
from surefoot.studies.description import rebuild_candidate
from surefoot.studies.replay import find_candidate, recorded_setting, train_recorded

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Exported:
    """What `export` wrote to ``path``: ``count`` outcomes or, trained again, one ``outcome``."""

    path: Path
    count: int
    label: str = ""
    outcome: Outcome | None = None

    def __str__(self) -> str:
        if self.outcome is None:
            return f"{self.path}: {self.count:,} outcomes"
        return (
            f"{self.path}: instance {self.outcome.instance} ({self.outcome.role.name.lower()}) of "
            f"{self.label}, loss {self.outcome.loss:.6g}"
        )


def export(
    journal: str | os.PathLike[str],
    output: str | os.PathLike[str],
    candidate: str = "winner",
    instance: int | None = None,
    *,
    setting: Setting | None = None,
    trust: str | Iterable[str] = (),
) -> Exported:
    """Write the outcomes of a journal as a table, or a trained network.

    A journal keeps no weights: they are trained again from the recorded seeds, which gives the
    same. A file is written beside its place first, so that an existing one is replaced whole or
    not at all.

    Parameters
    ----------
    journal
        Path of a recorded study.
    output
        ``.csv`` (without curves), ``.json`` or ``.parquet`` for one row per outcome; ``.npz`` for
        weights by layer, ``.pt2`` for a program of `torch.export`.
    candidate
        Whose weights: a key, the start of one, a label or ``winner``.
    instance
        Number of the fresh instance, or of the race's if there are none; None for the one of
        median loss.
    setting
        The study's; None to load its population from where the journal says it came from.
    trust
        Packages, modules or import paths whose code the journal may name, in this process.

    Raises
    ------
    JournalError
        If the journal cannot be read or holds no such instance.
    ExportError
        If the suffix is another one, there are no weights or the file cannot be written.
    MissingExtraError
        Without torch for ``.pt2``, without pyarrow for ``.parquet``.
    """
    trusting(trust)
    file = Path(output)
    check_target(file, [*TABLES, *TRAINED])
    suffix = file.suffix.lower()
    with Journal.read(journal) as record:
        if suffix in TABLES:
            return Exported(file, write_outcomes(record, file))
        if suffix == ".pt2":
            require("torch", extra="torch")
        key = find_candidate(record, candidate)
        role = Role.CERTIFY if record.outcomes(Role.CERTIFY, key) else Role.RACE
        if instance is None:
            recorded = sorted(record.outcomes(role, key), key=lambda o: (o.loss, o.instance))
            if not recorded:
                raise ExportError(f"candidate {key} has no instance in the journal yet")
            instance = recorded[(len(recorded) - 1) // 2].instance
        setting = setting or recorded_setting(record)
        outcome, training = train_recorded(record, setting, key, instance, role)
        model = rebuild_candidate(record.candidates()[key])
    TRAINED[suffix](model, training, file)
    return Exported(file, 1, model.label, outcome)


def outcome_rows(journal: Journal) -> list[Row]:
    """Return one row per outcome, in the order of recording; loss is +inf unless finished.

    Columns: ``candidate`` (key), ``label``, ``family``, ``role``, ``instance``, ``sample``,
    ``status``, ``loss``, ``epochs``, ``seconds``, ``engine``, ``message``, ``plain_loss`` (that of
    the weights before averaging, None without), ``curve`` (the test loss after every epoch) and
    ``plain_curve`` (None unless it was asked for).
    """
    known = journal.candidates()
    return [
        {
            "candidate": outcome.candidate,
            "label": known[outcome.candidate].label,
            "family": known[outcome.candidate].family,
            "role": outcome.role.name.lower(),
            "instance": outcome.instance,
            "sample": outcome.sample,
            "status": str(outcome.status),
            "loss": outcome.loss,
            "epochs": outcome.epochs,
            "seconds": outcome.seconds,
            "engine": outcome.engine,
            "message": outcome.message,
            "plain_loss": outcome.plain_loss,
            "curve": outcome.curve,
            "plain_curve": outcome.plain if outcome.plain.size == outcome.epochs > 1 else None,
        }
        for outcome in journal.outcomes()
    ]


def write_outcomes(journal: Journal, file: Path) -> int:
    """Write the outcomes to a file of a kind in `TABLES`; return their number.

    CSV leaves the curves out. In JSON, which has no infinity, the loss of an instance that did not
    finish is null, and so is a value of a curve that is not finite.
    """
    rows = outcome_rows(journal)
    with replaced(file, ExportError) as part:
        TABLES[file.suffix.lower()](rows, part)
    return len(rows)


def _write_csv(rows: list[Row], file: Path) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        names = [name for name in (rows[0] if rows else {}) if not name.endswith("curve")]
        writer = csv.DictWriter(stream, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {n: csv_cell(v) if isinstance(v, str) else v for n, v in row.items()} for row in rows
        )


def _write_json(rows: list[Row], file: Path) -> None:
    def finite(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return [finite(one) for one in value.tolist()]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    names = ("loss", "plain_loss", "curve", "plain_curve")
    plain = [row | {name: finite(row[name]) for name in names} for row in rows]
    file.write_text(json.dumps(plain, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _write_parquet(rows: list[Row], file: Path) -> None:
    pyarrow = require("pyarrow", extra="parquet")
    parquet = require("pyarrow.parquet", extra="parquet")
    parquet.write_table(pyarrow.Table.from_pylist(rows), file)


def weights_of(training: Training) -> Mapping[str, NDArray[np.float32]]:
    """Return the arrays of a trained instance by name, in torch's names and shapes.

    Raises `ExportError` if the instance failed or its family has no arrays.
    """
    outcome = training.outcome
    if training.predictor is None:
        raise ExportError(
            f"instance {outcome.instance} of {outcome.candidate} {outcome.status} and left no "
            f"weights ({outcome.message or 'no message'}): export another instance"
        )
    if not training.predictor.weights:
        raise ExportError(
            f"engine {outcome.engine} trains without arrays of weights: there is nothing to export"
        )
    return training.predictor.weights


def write_weights(candidate: Candidate, training: Training, file: Path) -> None:
    """Write the arrays of a trained instance, `weights_of` it, to an ``.npz`` file."""
    weights = weights_of(training)
    with replaced(file, ExportError) as part, part.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **weights)


def write_program(candidate: Candidate, training: Training, file: Path) -> None:
    """Write a network to a ``.pt2`` file, a program of `torch.export` for any number of examples.

    Raises `ExportError` as `weights_of` does, and if the candidate is no `ConvNet`.
    """
    weights = weights_of(training)
    if not isinstance(candidate, ConvNet):
        raise ExportError(
            f"{candidate.label} ({candidate.family}) cannot be written as .pt2: its code is yours; "
            "write its weights as .npz"
        )
    torch = require("torch", extra="torch")
    from surefoot.engines.torch.eager import module_of

    columns = [math.prod(candidate.input_shape), *([candidate.side] if candidate.side else [])]
    examples = tuple(torch.zeros(2, number) for number in columns)
    rows = torch.export.Dim("examples", min=1)
    shapes = tuple({0: rows} for _ in columns)
    module = module_of(candidate, weights)
    program = torch.export.export(module, examples, dynamic_shapes=shapes)
    with replaced(file, ExportError) as part, part.open("wb") as stream:
        torch.export.save(program, stream)


TABLES = {".csv": _write_csv, ".json": _write_json, ".parquet": _write_parquet}
"""How rows are written, by the suffix of the file."""
TRAINED = {".npz": write_weights, ".pt2": write_program}
"""How a trained instance is written, by the suffix of the file."""
