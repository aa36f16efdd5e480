"""``surefoot export``: outcomes as a table, a trained network as arrays or as a torch program."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.cli.options import JournalArgument, StudyOption
from surefoot.errors import SurefootError, require

if TYPE_CHECKING:
    from surefoot.candidates.base import Candidate
    from surefoot.instances import Outcome, Training
    from surefoot.journal import Journal

TABLES = (".csv", ".json", ".parquet")
TRAINED = (".npz", ".pt2")


def export(
    journal: JournalArgument,
    output: Annotated[
        Path,
        typer.Argument(metavar="OUTPUT", help="The suffix says what: see below."),
    ],
    study: StudyOption = None,
    candidate: Annotated[
        str,
        typer.Option("--candidate", "-c", metavar="KEY", help="Whose weights; key or 'winner'."),
    ] = "winner",
    instance: Annotated[
        int | None,
        typer.Option(
            "--instance",
            "-i",
            metavar="N",
            help="Which fresh instance's weights.",
            show_default="the one of median loss",
        ),
    ] = None,
) -> None:
    """Write the outcomes as a table, or a trained network.

    .csv, .parquet and .json hold one row per outcome: candidate, role, instance,
    loss, epochs and more. .npz holds trained weights by layer, .pt2 a torch
    module that needs no surefoot: torch.export.load("winner.pt2").module(). A
    journal keeps no weights: they are trained again from the recorded seeds, which
    gives the same.

    [bold]Examples[/bold]

      [dim]A table of all outcomes.[/dim]
      surefoot export energy.db outcomes.csv

      [dim]The winner's weights by layer.[/dim]
      surefoot export energy.db winner.npz

      [dim]The winner as a torch module.[/dim]
      surefoot export energy.db winner.pt2
    """
    from surefoot.cli.show.console import busy, check_folder, console
    from surefoot.export.outcomes import export_outcomes, export_weights
    from surefoot.journal import Journal
    from surefoot.studies.description import rebuild_candidate

    if output.suffix not in (*TABLES, *TRAINED):
        raise SurefootError(
            f"'{output}' has the suffix {output.suffix or '(none)'!r}: use one of "
            + ", ".join([*TABLES, *TRAINED])
        )
    check_folder(output, "export")
    out = console()
    with Journal.read(journal) as recorded:
        if output.suffix in TABLES:
            with busy(out, f"writing {output}"):
                count = export_outcomes(recorded, output)
            out.print(f"{output}: {count:,} outcomes", soft_wrap=True)
            return
        if output.suffix == ".pt2":
            require("torch", extra="torch")
        with busy(out, "training again"):
            outcome, training = _trained(recorded, study, candidate, instance)
        model = rebuild_candidate(recorded.candidates()[outcome.candidate])
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
    from surefoot.cli.recorded_setting import setting_again
    from surefoot.seeds.ledger import Role
    from surefoot.studies.replay import find_candidate, replay

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
    from surefoot.candidates.convnet.network import ConvNet
    from surefoot.export.outcomes import torch_module

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
