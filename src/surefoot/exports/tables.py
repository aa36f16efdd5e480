"""Every outcome as a row of a tidy table: CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from surefoot.candidates.hyperparameters import comparable, hyperparameters
from surefoot.errors import ExportError, JournalError, require
from surefoot.escaping import csv_cell
from surefoot.journal import Journal
from surefoot.replacing import MARK, replaced
from surefoot.studies.description import Description

Row = dict[str, Any]


class Column(NamedTuple):
    """A column of the table: its name, its kind, its unit ("" for none) and what it holds.

    ``kind`` is one of pyarrow's types; ``[]`` before it stands for a list.
    """

    name: str
    kind: str
    unit: str
    words: str


COLUMNS = (
    Column("candidate", "string", "", "the candidate's key, 16 hexadecimal digits of its content"),
    Column("label", "string", "", "its name for people"),
    Column("family", "string", "", "its kind, such as `convnet` or `estimator`"),
    Column(
        "role", "string", "", "what the instance was for: `race`, `certify`, `assess`, `compare`, …"
    ),
    Column("instance", "int64", "", "its number: those of one role and number share their luck"),
    Column("sample", "int64", "examples", "size of its training sample"),
    Column("status", "string", "", "`finished`, `diverged` or `failed`"),
    Column("loss", "float64", "`loss_unit`", "its test loss; infinite unless finished"),
    Column("epochs", "int64", "epochs", "how long it was trained; 1 without epochs"),
    Column("seconds", "float64", "s", "how long it took, on one core"),
    Column("engine", "string", "", "who trained it"),
    Column("message", "string", "", "why it failed, or what it warned of"),
    Column(
        "plain_loss",
        "float64",
        "`loss_unit`",
        "test loss of the weights before averaging; empty where none are averaged",
    ),
    Column("loss_name", "string", "", "which loss, such as `relative_rmse`"),
    Column("loss_unit", "string", "", "its unit, such as `GeV`; empty for a number without one"),
    Column("curve", "[]float32", "`loss_unit`", "test loss after every epoch; not in CSV"),
    Column(
        "plain_curve",
        "[]float32",
        "`loss_unit`",
        "that of the weights before averaging, where it was asked for; not in CSV",
    ),
)
"""The columns of every table; those of the hyperparameters come after them."""
HYPERPARAMETER = "hyperparameter."
"""What the columns of hyperparameters begin with; empty where a candidate lacks the field."""
HEADS = (b"candidate,label,family,role,instance,", b'[\n {\n  "candidate": ', b"[]\n")
"""How tables begin that cannot bear the mark of surefoot's files."""


def outcome_rows(journal: Journal) -> list[Row]:
    """Return one row per outcome, in the order of recording; loss is +inf unless finished.

    Columns are those of `COLUMNS`, then one per hyperparameter of any candidate.
    """
    known, chosen, measured = journal.candidates(), _chosen(journal), _measured(journal)
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
            **measured,
            "curve": outcome.curve,
            "plain_curve": outcome.plain if outcome.plain.size == outcome.epochs > 1 else None,
            **chosen[outcome.candidate],
        }
        for outcome in journal.outcomes()
    ]


def _measured(journal: Journal) -> Row:
    """Return the name and unit of the loss, empty where the study is of a kind unknown here."""
    try:
        study = Description.read(journal.study)
    except JournalError:
        return {"loss_name": "", "loss_unit": ""}
    return {"loss_name": str(study.loss), "loss_unit": study.unit}


def _chosen(journal: Journal) -> dict[str, Row]:
    """Return the hyperparameters of every candidate, all with the same columns."""
    specs = {key: hyperparameters(one.spec) for key, one in journal.candidates().items()}
    names = dict.fromkeys(name for spec in specs.values() for name in spec)
    columns = {name: comparable([spec.get(name) for spec in specs.values()]) for name in names}
    return {
        key: {f"{HYPERPARAMETER}{name}": column[place] for name, column in columns.items()}
        for place, key in enumerate(specs)
    }


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
    names = list(rows[0]) if rows else [column.name for column in COLUMNS]
    with file.open("w", newline="", encoding="utf-8") as stream:
        shown = [name for name in names if name not in ("curve", "plain_curve")]
        header = {name: csv_cell(name) for name in shown}
        writer = csv.DictWriter(stream, shown, extrasaction="ignore", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(
            {n: csv_cell(v) if isinstance(v, str) else v for n, v in row.items()} for row in rows
        )


def _write_json(rows: list[Row], file: Path) -> None:
    def finite(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return [finite(one) for one in value.tolist()]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    plain = [{name: finite(value) for name, value in row.items()} for row in rows]
    file.write_text(json.dumps(plain, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _write_parquet(rows: list[Row], file: Path) -> None:
    arrow = require("pyarrow", extra="parquet")
    parquet = require("pyarrow.parquet", extra="parquet")

    def kind(name: str) -> Any:
        made = getattr(arrow, name.removeprefix("[]"))()
        return arrow.list_(made) if name.startswith("[]") else made

    fields = [
        arrow.field(one.name, kind(one.kind), metadata={"unit": one.unit, "about": one.words})
        for one in COLUMNS
    ]
    for name in list(rows[0])[len(COLUMNS) :] if rows else ():
        found = next((type(row[name]) for row in rows if row[name] is not None), str)
        known = {bool: "bool_", int: "int64", float: "float64", str: "string"}
        fields.append(arrow.field(name, kind(known[found])))
    schema = arrow.schema(fields, metadata={"surefoot": MARK})
    parquet.write_table(arrow.Table.from_pylist(rows, schema), file)


TABLES = {".csv": _write_csv, ".json": _write_json, ".parquet": _write_parquet}
"""How rows are written, by the suffix of the file."""
