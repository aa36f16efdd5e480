"""``surefoot export``: outcomes as a table, a trained network as arrays or as a torch program."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.candidates.convnet.network import ConvNet
from surefoot.cli.recorded_setting import setting_again
from surefoot.cli.show.console import busy, check_folder, console
from surefoot.errors import SurefootError, require
from surefoot.export.outcomes import export_outcomes, export_weights, torch_module
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.description import rebuild_candidate
from surefoot.studies.replay import find_candidate, replay

if TYPE_CHECKING:
    from surefoot.candidates.base import Candidate
    from surefoot.instances import Outcome, Training

TABLES = (".csv", ".json", ".parquet")
TRAINED = (".npz", ".pt2")


def run(
    journal_path: Path, output: Path, study_path: Path | None, candidate: str, instance: int | None
) -> None:
    """Run the command; errors are those of the parts."""
    if output.suffix not in (*TABLES, *TRAINED):
        raise SurefootError(
            f"'{output}' has the suffix {output.suffix or '(none)'!r}: use one of "
            + ", ".join([*TABLES, *TRAINED])
        )
    check_folder(output, "export")
    out = console()
    with Journal.read(journal_path) as journal:
        if output.suffix in TABLES:
            with busy(out, f"writing {output}"):
                count = export_outcomes(journal, output)
            out.print(f"{output}: {count:,} outcomes", soft_wrap=True)
            return
        if output.suffix == ".pt2":
            require("torch", extra="torch")
        with busy(out, "training again"):
            outcome, training = _trained(journal, study_path, candidate, instance)
        model = rebuild_candidate(journal.candidates()[outcome.candidate])
        if output.suffix == ".npz":
            export_weights(training, output)
        else:
            with busy(out, "exporting"):
                _write_program(model, training, output)
        out.print(
            f"{output}: instance {outcome.instance} ({outcome.role.name.lower()}) of "
            f"{model.label}, loss {outcome.loss:.6g}",
            soft_wrap=True,
        )


def _trained(
    journal: Journal, study_path: Path | None, candidate: str, instance: int | None
) -> tuple[Outcome, Training]:
    """Return the record of an instance and its training, done again."""
    key = find_candidate(journal, candidate)
    fresh = journal.outcomes(Role.CERTIFY, key)
    role = Role.CERTIFY if fresh else Role.RACE
    recorded = sorted(fresh or journal.outcomes(role, key), key=lambda o: (o.loss, o.instance))
    if not recorded:
        raise SurefootError(f"candidate {key} has no instance in the journal yet")
    number = recorded[(len(recorded) - 1) // 2].instance if instance is None else instance
    return replay(journal, setting_again(journal, study_path), key, number, role)


def _write_program(candidate: Candidate, training: Training, output: Path) -> None:
    """Write a network as a program of `torch.export` that takes any number of examples."""
    module = torch_module(candidate, training)
    if not isinstance(candidate, ConvNet):
        raise SurefootError(
            f"{candidate.label} ({candidate.family}) cannot be written as .pt2: its code is yours; "
            "write its weights as .npz"
        )
    torch = require("torch", extra="torch")
    columns = [math.prod(candidate.input_shape), *([candidate.side] if candidate.side else [])]
    examples = tuple(torch.zeros(2, number) for number in columns)
    rows = torch.export.Dim("examples", min=1)
    program = torch.export.export(
        module, examples, dynamic_shapes=tuple({0: rows} for _ in columns)
    )
    try:
        torch.export.save(program, output)
    except (OSError, RuntimeError) as error:
        raise SurefootError(f"'{output}' cannot be written: {error}") from None
