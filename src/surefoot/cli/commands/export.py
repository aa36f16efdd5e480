"""``surefoot export``: outcomes as a table, a trained network as arrays or as a torch program."""

from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.options import JournalArgument, StudyOption, option


def export(
    journal: JournalArgument,
    output: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help="The suffix says what: see below.")
    ],
    study: StudyOption = None,
    candidate: Annotated[
        str, option("--candidate -c KEY", "Whose weights; key or 'winner'.")
    ] = "winner",
    instance: Annotated[
        int | None,
        option("--instance -i N", "Which fresh instance's weights.", "the one of median loss"),
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
    from surefoot.cli.session import Session
    from surefoot.cli.show.console import busy, console
    from surefoot.exports.export import export

    out = console()
    setting = None if study is None else Session(study).setting
    with busy(out, f"writing {output}"):
        done = export(journal, output, candidate, instance, setting=setting)
    out.print(str(done), soft_wrap=True)
