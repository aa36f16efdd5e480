"""The commands that look at what a journal holds: show, replay, export, plot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.options import JournalArgument, StudyOption
from surefoot.cli.reporting import reporting


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (show, replay, export, plot):
        app.command()(command)


def show(
    journal: JournalArgument,
    eliminated: Annotated[
        bool,
        typer.Option("--eliminated", "-x", help="Also list who left when, and why in words."),
    ] = False,
    candidate: Annotated[
        str | None,
        typer.Option(
            "--candidate", "-c", metavar="KEY", help="Show one candidate's instances instead."
        ),
    ] = None,
) -> None:
    """Show the race of a journal as a table, even while it runs.

    [bold]Examples[/bold]

      [dim]Rounds, the best candidates, the certificate.[/dim]
      surefoot show energy.db

      [dim]Every elimination with its reason.[/dim]
      surefoot show energy.db --eliminated

      [dim]The winner's layers and instances.[/dim]
      surefoot show energy.db -c winner
    """
    with reporting():
        from surefoot.cli.commands.show import run

        run(journal, eliminated, candidate)


def replay(
    journal: JournalArgument,
    candidate: Annotated[
        str,
        typer.Argument(metavar="CANDIDATE", help="Its key, the start of it, or 'winner'."),
    ],
    instance: Annotated[int, typer.Argument(metavar="INSTANCE", help="Its number, from 0.")],
    study: StudyOption = None,
    role: Annotated[
        str, typer.Option("--role", "-r", metavar="ROLE", help="race or certify.")
    ] = "race",
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine",
            "-e",
            metavar="NAME",
            help="Who trains.",
            show_default="who did the first time",
        ),
    ] = None,
) -> None:
    """Train a recorded instance again, from its seeds, and compare with the record.

    The same engine must give the same loss to the last bit; then the exit code
    is 0, else 1.

    [bold]Examples[/bold]

      [dim]The winner's first instance in the race.[/dim]
      surefoot replay energy.db winner 0

      [dim]The eighth fresh instance of the candidate whose key starts with 3f2a.[/dim]
      surefoot replay energy.db 3f2a 7 -r certify

      [dim]On another engine, which may differ in the last digits.[/dim]
      surefoot replay energy.db winner 0 -e torch_eager
    """
    with reporting():
        from surefoot.cli.commands.replay import run

        code = run(journal, candidate, instance, study, role, engine)
    raise typer.Exit(code)


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
    with reporting():
        from surefoot.cli.commands.export import run

        run(journal, output, study, candidate, instance)


def plot(
    journal: JournalArgument,
    output: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help="The file to draw: .png, .pdf or .svg.")
    ],
    what: Annotated[
        str,
        typer.Option("--what", "-w", metavar="WHAT", help="race, rounds, curves or certificate."),
    ] = "race",
    candidate: Annotated[
        str,
        typer.Option("--candidate", "-c", metavar="KEY", help="Whose curves; key or 'winner'."),
    ] = "winner",
) -> None:
    """Draw a journal's race.

    rounds: boxplots of the losses in every round. curves: loss against epoch of a
    candidate's instances. certificate: the winner's fresh losses and their bound.
    race: all three.

    [bold]Examples[/bold]

      [dim]Everything in one figure.[/dim]
      surefoot plot energy.db race.png

      [dim]The winner's learning curves.[/dim]
      surefoot plot energy.db curves.pdf --what curves

      [dim]Those of the candidate whose key starts with 3f2a.[/dim]
      surefoot plot energy.db other.svg --what curves -c 3f2a
    """
    with reporting():
        from surefoot.cli.commands.plot import run

        run(journal, output, what, candidate)
