"""Taking results elsewhere: outcomes as a table, trained weights as arrays or a torch module."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.errors import JournalError, SurefootError, nearest, require
from surefoot.instances import Training
from surefoot.journal import Journal

if TYPE_CHECKING:
    from torch import nn

    from surefoot.candidates.base import Candidate

Row = dict[str, Any]


def outcome_rows(journal: Journal) -> list[Row]:
    """Return one row per outcome, in the order of recording; loss is +inf unless finished.

    Columns: ``candidate`` (key), ``label``, ``family``, ``role``, ``instance``, ``sample``,
    ``status``, ``loss``, ``epochs``, ``seconds``, ``engine``, ``message`` and ``curve`` (the test
    loss after every epoch).
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
            "curve": outcome.curve,
        }
        for outcome in journal.outcomes()
    ]


def export_outcomes(journal: Journal, path: str | os.PathLike[str]) -> int:
    """Write the outcomes to a ``.csv``, ``.json`` or ``.parquet`` file; return their number.

    CSV leaves the curves out. In JSON, which has no infinity, the loss of an instance that did not
    finish is null, and so is a value of a curve that is not finite. A file is written beside its
    place first, so that an existing one is replaced whole or not at all.

    Raises
    ------
    JournalError
        If the suffix is another one or the file cannot be written.
    MissingExtraError
        For Parquet without pyarrow.
    """
    file = Path(path)
    writers: dict[str, Callable[[list[Row], Path], None]] = {
        ".csv": _write_csv,
        ".json": _write_json,
        ".parquet": _write_parquet,
    }
    if file.suffix not in writers:
        raise JournalError(
            f"outcomes cannot be written as {file.suffix or 'a file without suffix'}: "
            + nearest(file.suffix, writers)
        )
    rows = outcome_rows(journal)
    _replace(file, lambda part: writers[file.suffix](rows, part))
    return len(rows)


def export_weights(training: Training, path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Write the arrays of a trained instance to an ``.npz`` file; return their names.

    Names and shapes are torch's, values float32.

    Raises
    ------
    SurefootError
        If the instance failed or its family has no arrays to export.
    """
    weights = _weights(training)

    def write(part: Path) -> None:
        with part.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **weights)

    _replace(Path(path), write)
    return tuple(weights)


def torch_module(candidate: Candidate, training: Training) -> nn.Module:
    """Return a trained network as a ``torch.nn.Module`` in evaluation mode, ready to use.

    Raises
    ------
    SurefootError
        If the candidate is no network, or its instance failed.
    MissingExtraError
        Without torch.
    """
    if not isinstance(candidate, ConvNet | ModuleCandidate):
        raise SurefootError(f"{candidate.label} is no network: only those become torch modules")
    require("torch", extra="torch")
    from surefoot.engines.torch.eager import module_of

    return module_of(candidate, _weights(training))


def _weights(training: Training) -> Mapping[str, NDArray[np.float32]]:
    if training.predictor is None:
        outcome = training.outcome
        raise SurefootError(
            f"instance {outcome.instance} of {outcome.candidate} {outcome.status} and left no "
            f"weights ({outcome.message or 'no message'}): export another instance"
        )
    weights = training.predictor.weights
    if not weights:
        raise SurefootError(
            f"engine {training.outcome.engine} trains without arrays of weights: "
            "there is nothing to export"
        )
    return weights


def _replace(file: Path, write: Callable[[Path], None]) -> None:
    part = file.with_name(f".{file.name}.part")
    try:
        write(part)
        part.replace(file)
    except OSError as error:
        raise JournalError(f"{file} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


def _write_csv(rows: list[Row], file: Path) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        names = [name for name in (rows[0] if rows else {}) if name != "curve"]
        writer = csv.DictWriter(stream, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_json(rows: list[Row], file: Path) -> None:
    plain = [
        row
        | {
            "loss": _finite(row["loss"]),
            "curve": [_finite(float(value)) for value in row["curve"]],
        }
        for row in rows
    ]
    file.write_text(json.dumps(plain, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _write_parquet(rows: list[Row], file: Path) -> None:
    pyarrow = require("pyarrow", extra="parquet")
    parquet = require("pyarrow.parquet", extra="parquet")
    parquet.write_table(pyarrow.Table.from_pylist(rows), file)
