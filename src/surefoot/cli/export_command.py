"""``surefoot export``: outcomes as a table, a trained network as arrays or as a torch module."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.candidates.convnet import ConvNet
from surefoot.cli.building import setting_of
from surefoot.cli.console import busy, check_folder, console
from surefoot.cli.sources import population_of
from surefoot.cli.study_file import read_study_file
from surefoot.engines.base import Outcome, Training
from surefoot.errors import SurefootError, require
from surefoot.journal import Journal
from surefoot.seeds import Role
from surefoot.studies.again import find_candidate, replay
from surefoot.studies.description import rebuild_candidate

TRAINED = (".npz", ".pt2")


def run(
    journal_path: Path, output: Path, study_path: Path | None, candidate: str, instance: int | None
) -> None:
    """Run the command; errors are those of the parts."""
    suffix = output.suffix.lower()
    if suffix not in (*_WRITERS, *TRAINED):
        raise SurefootError(
            f"'{output}' has the suffix {output.suffix or '(none)'!r}: use one of "
            + ", ".join([*_WRITERS, *TRAINED])
        )
    check_folder(output, "export")
    out = console()
    with Journal.read(journal_path) as journal:
        if suffix in _WRITERS:
            rows = rows_of(journal)
            _written(output, lambda: _WRITERS[suffix](rows, output))
            out.print(f"{output}: {len(rows):,} outcomes", soft_wrap=True)
            return
        if study_path is None:
            raise SurefootError(
                f"'{output}' needs the study file to train again: add --study STUDY"
            )
        with busy(out, "training again"):
            outcome, training = _trained(journal, study_path, candidate, instance)
        _export_training(journal, training, output)
        out.print(
            f"{output}: instance {outcome.instance} ({outcome.role.name.lower()}) of "
            f"{journal.candidates()[outcome.candidate].label}, loss {outcome.loss:.6g}",
            soft_wrap=True,
        )


def rows_of(journal: Journal) -> list[dict[str, Any]]:
    """Return one plain row per outcome; the curve is a list of losses, one per epoch."""
    known = journal.candidates()
    return [
        {
            "candidate": o.candidate,
            "label": known[o.candidate].label,
            "family": known[o.candidate].family,
            "role": o.role.name.lower(),
            "instance": o.instance,
            "sample": o.sample,
            "status": str(o.status),
            "loss": o.loss,
            "epochs": o.epochs,
            "seconds": o.seconds,
            "engine": o.engine,
            "message": o.message,
            "curve": [float(value) for value in o.curve],
        }
        for o in journal.outcomes()
    ]


def _trained(
    journal: Journal, study_path: Path, candidate: str, instance: int | None
) -> tuple[Outcome, Training]:
    """Return the record of an instance and its training, done again."""
    key = find_candidate(journal, candidate)
    fresh = journal.outcomes(Role.CERTIFY, key)
    role = Role.CERTIFY if fresh else Role.RACE
    recorded = sorted(fresh or journal.outcomes(role, key), key=lambda o: (o.loss, o.instance))
    if not recorded:
        raise SurefootError(f"candidate {key} has no instance in the journal yet")
    number = recorded[(len(recorded) - 1) // 2].instance if instance is None else instance
    file = read_study_file(study_path)
    setting = setting_of(file, population_of(file))
    outcome, training = replay(journal, setting, key, number, role)
    if training.predictor is None:
        raise SurefootError(f"instance {number} of {candidate} {training.outcome.status} again")
    return outcome, training


def _export_training(journal: Journal, training: Training, output: Path) -> None:
    assert training.predictor is not None
    weights = dict(training.predictor.weights)
    candidate = rebuild_candidate(journal.candidates()[training.outcome.candidate])
    if not weights:
        raise SurefootError(f"{candidate.label} ({candidate.family}) has no weights to export")
    if output.suffix.lower() == ".npz":
        _written(output, lambda: np.savez(output, allow_pickle=False, **weights))
        return
    if not isinstance(candidate, ConvNet):
        raise SurefootError(f"{candidate.label} ({candidate.family}) is no torch network")
    torch = require("torch", extra="torch")
    from surefoot.engines.torch_eager import module_of

    columns = [math.prod(candidate.input_shape), *([candidate.side] if candidate.side else [])]
    examples = tuple(torch.zeros(2, number) for number in columns)
    rows = torch.export.Dim("examples", min=1)
    program = torch.export.export(
        module_of(candidate, weights), examples, dynamic_shapes=tuple({0: rows} for _ in columns)
    )
    _written(output, lambda: torch.export.save(program, output))


def _written(output: Path, write: Callable[[], Any]) -> None:
    try:
        write()
    except (OSError, RuntimeError) as error:
        raise SurefootError(f"'{output}' cannot be written: {error}") from None


def _write_csv(rows: list[dict[str, Any]], output: Path) -> None:
    with output.open("w", newline="", encoding="utf-8") as file:
        names = [name for name in (rows[0] if rows else {}) if name != "curve"]
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def _write_json(rows: list[dict[str, Any]], output: Path) -> None:
    plain = [row | {"loss": row["loss"] if np.isfinite(row["loss"]) else None} for row in rows]
    output.write_text(json.dumps(plain, indent=1, allow_nan=False), encoding="utf-8")


def _write_parquet(rows: list[dict[str, Any]], output: Path) -> None:
    arrow = require("pyarrow", extra="parquet")
    parquet = require("pyarrow.parquet", extra="parquet")
    parquet.write_table(arrow.Table.from_pylist(rows), output)


_WRITERS: dict[str, Callable[[list[dict[str, Any]], Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".json": _write_json,
}
