"""`export`: what a journal holds, or a network it recorded, in a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from surefoot.candidates.trust import trust as trusting
from surefoot.errors import ExportError, require
from surefoot.exports.outcomes import TABLES, write_outcomes
from surefoot.exports.weights import TRAINED
from surefoot.instances import Outcome, Setting
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.description import rebuild_candidate
from surefoot.studies.recorded_setting import recorded_setting
from surefoot.studies.replay import find_candidate, train_recorded


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
    if file.suffix not in (*TABLES, *TRAINED):
        raise ExportError(
            f"'{file}' has the suffix {file.suffix or '(none)'!r}: use one of "
            + ", ".join([*TABLES, *TRAINED])
        )
    if not file.parent.is_dir():
        raise ExportError(f"'{file}' cannot be written: make the folder '{file.parent}' first")
    with Journal.read(journal) as record:
        if file.suffix in TABLES:
            return Exported(file, write_outcomes(record, file))
        if file.suffix == ".pt2":
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
    TRAINED[file.suffix](model, training, file)
    return Exported(file, 1, model.label, outcome)
