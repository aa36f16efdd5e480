"""`export`: what a journal holds, or a network it recorded, where people work with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from surefoot.candidates.trust import trust as trusting
from surefoot.checks import at_least
from surefoot.errors import ExportError, require
from surefoot.exports.groups import grouped
from surefoot.exports.mlflow_runs import write_runs
from surefoot.exports.optuna_trials import write_trials
from surefoot.exports.tables import HEADS, TABLES, write_outcomes
from surefoot.exports.tex import BEST, write_table
from surefoot.exports.weights import TRAINED
from surefoot.instances import Outcome, Setting
from surefoot.journal import Journal
from surefoot.replacing import check_target, overwriting
from surefoot.seeds.ledger import Role
from surefoot.studies.description import rebuild_candidate
from surefoot.studies.replay import find_candidate, recorded_setting, train_recorded

SUFFIXES = (*TABLES, ".tex", *TRAINED)
"""The suffixes of files that can be written."""
MLFLOW, OPTUNA = "mlflow:", "optuna:"
"""What targets begin with that are no files."""


@dataclass(frozen=True, eq=False)
class Exported:
    """What `export` wrote to ``target``, a file or an address.

    ``count`` are outcomes, candidates or trials, as ``what`` says; or one instance was trained
    again, whose ``outcome`` it is.
    """

    target: Path | str
    count: int
    what: str = "outcomes"
    label: str = ""
    outcome: Outcome | None = None

    def __str__(self) -> str:
        if self.outcome is None:
            return f"{self.target}: {self.count:,} {self.what}"
        return (
            f"{self.target}: instance {self.outcome.instance} "
            f"({self.outcome.role.name.lower()}) of {self.label}, loss {self.outcome.loss:.6g}"
        )


def export(
    journal: str | os.PathLike[str],
    output: str | os.PathLike[str],
    candidate: str = "winner",
    instance: int | None = None,
    *,
    best: int = BEST,
    setting: Setting | None = None,
    trust: str | Iterable[str] = (),
    overwrite: bool = False,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Exported:
    """Write what a journal holds as a table, to MLflow or to Optuna, or a trained network.

    A journal keeps no weights: they are trained again from the recorded seeds, which gives the
    same. A file is written beside its place first, so that an existing one is replaced whole or
    not at all.

    Parameters
    ----------
    journal
        Path of a recorded study.
    output
        ``.csv`` (without curves), ``.json`` or ``.parquet`` for one row per outcome; ``.tex`` for a
        table of candidates; ``.npz`` for weights by layer, ``.pt2`` for a program of
        `torch.export`. Or ``mlflow:URI`` for a run of a tracking server or its database
        (``mlflow:`` alone for MLflow's own) and ``optuna:URL`` for a study in a storage of
        Optuna's.
    candidate
        Whose weights: a key, the start of one, a label or ``winner``.
    instance
        Number of the fresh instance, or of the race's if there are none; None for the one of
        median loss.
    best
        Candidates of a race in a ``.tex`` table.
    setting
        The study's; None to load its population from where the journal says it came from.
    trust
        Packages, modules or import paths whose code the journal may name, in this process.
    overwrite
        Replace a file, or a study of Optuna's, that surefoot did not write too.
    advance
        Told how many candidates of how many are written to MLflow or Optuna.

    Raises
    ------
    JournalError
        If the journal cannot be read or holds no such instance.
    ExportError
        If the suffix is another one, there are no weights, the target cannot be written, or one is
        in the way that surefoot did not write.
    MissingExtraError
        Without torch for ``.pt2``, pyarrow for ``.parquet``, MLflow or Optuna for theirs.
    """
    trusting(trust)
    at_least(1, best=best)
    with overwriting(overwrite), Journal.read(journal) as record:
        target = os.fspath(output)
        if target.startswith(MLFLOW):
            count = write_runs(grouped(record), target.removeprefix(MLFLOW), advance)
            return Exported(target, count, "candidates")
        if target.startswith(OPTUNA):
            count = write_trials(grouped(record), target.removeprefix(OPTUNA), advance)
            return Exported(target, count, "trials")
        file = Path(output)
        check_target(file, SUFFIXES, heads=HEADS)
        suffix = file.suffix.lower()
        if suffix in TABLES:
            return Exported(file, write_outcomes(record, file))
        if suffix == ".tex":
            return Exported(file, write_table(grouped(record), file, best), "candidates")
        if suffix == ".pt2":
            require("torch", extra="torch")
        return _trained(record, file, candidate, instance, setting)


def _trained(
    record: Journal, file: Path, candidate: str, instance: int | None, setting: Setting | None
) -> Exported:
    """Train an instance again and write it."""
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
    TRAINED[file.suffix.lower()](model, training, file)
    return Exported(file, 1, "instances", model.label, outcome)
