"""Outcomes as a table in a file."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.errors import ExportError, require
from surefoot.escaping import csv_cell
from surefoot.journal import Journal
from surefoot.replacing import replaced

Row = dict[str, Any]


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

    Raises
    ------
    SurefootError
        If the file cannot be written.
    MissingExtraError
        For Parquet without pyarrow.
    """
    rows = outcome_rows(journal)
    with replaced(file, ExportError) as part:
        TABLES[file.suffix](rows, part)
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


TABLES = {".csv": _write_csv, ".json": _write_json, ".parquet": _write_parquet}
"""How rows are written, by the suffix of the file."""
