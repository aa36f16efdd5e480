"""The commands that choose among candidates: select, and plan beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.options import (
    EngineOption,
    JournalOption,
    RetryOption,
    StudyArgument,
    WorkersOption,
)
from surefoot.cli.reporting import reporting


def select(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY", help="The study file (TOML); see examples/.")
    ],
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            "-j",
            metavar="FILE",
            help="Where every outcome is kept; an existing one goes on.",
            show_default="the study's name with .db, here",
        ),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            "--figure",
            "-f",
            metavar="FILE",
            help="The figure drawn at the end: .png, .pdf or .svg.",
            show_default="the journal's name with .png",
        ),
    ] = None,
    workers: WorkersOption = None,
    engine: EngineOption = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", "-n", help="Count candidates, rounds, trainings and hours; train nothing."
        ),
    ] = False,
    retry_failed: RetryOption = False,
) -> None:
    """Select the most robust candidate of a study file and certify it.

    Every candidate is trained on a few samples; in each round the worse ones
    leave and the survivors are trained on one more. The winner is then trained
    afresh, for a statement about its future retrainings that the race cannot
    have flattered.

    [bold]Examples[/bold]

      [dim]What would it cost?[/dim]
      surefoot select examples/energy.toml --dry-run

      [dim]Race, certificate and figure; again, it goes on after Ctrl-C or a crash.[/dim]
      surefoot select examples/energy.toml

      [dim]Go on further: raise limit, most or the certificate's n in the file.[/dim]
      surefoot select examples/energy.toml

      [dim]Other files, eight instances at once.[/dim]
      surefoot select my.toml -j runs/my.db -f my.pdf -w 8

    [bold]Rules[/bold] of the race, in \\[race] of the study file:

      [dim]Only whom a paired test finds worse leaves; nobody trains more than 40 times.[/dim]
      rule = "test"             # or signs, swaps, quantile, prediction; rank is the paper's
      level = 0.05
      most = 40

      [dim]The smallest largest loss of 32, for a fraction of the trainings.[/dim]
      schedule = "exact_max"    # with criterion = "max" in \\[study]
      complete = 32
    """
    with reporting():
        from surefoot.cli.commands.select import run

        run(study, journal, figure, workers, engine, dry_run, retry_failed)


def plan(
    study: StudyArgument,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="JOURNAL", help="Take an existing journal as the pilot."),
    ] = None,
    candidates: Annotated[
        int, typer.Option("--candidates", "-c", metavar="N", help="Candidates of the pilot.")
    ] = 16,
    instances: Annotated[
        int, typer.Option("--instances", "-i", metavar="N", help="Instances of each of them.")
    ] = 4,
    races: Annotated[
        int, typer.Option("--races", "-r", metavar="N", help="Simulated races of each kind.")
    ] = 100,
    wish: Annotated[
        float,
        typer.Option("--regret", metavar="SHARE", help="Expected regret that you accept."),
    ] = 0.005,
    journal: JournalOption = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            "--figure",
            "-f",
            metavar="FILE",
            help="The figure: .png, .pdf or .svg. [default: named after the study, here]",
        ),
    ] = None,
    workers: WorkersOption = None,
    engine: EngineOption = None,
    retry_failed: RetryOption = False,
) -> None:
    """Plan a selection: what would every race cost, and how well would it choose?

    A small pilot shows how far candidates lie apart and how noisy they are. The study's race
    and others then run in simulated populations like it, as many candidates as the study has.
    The plan says which of them to take, and what to write into the study file.

    [bold]Examples[/bold]

      [dim]Trains a pilot of 16 x 4 instances.[/dim]
      surefoot plan examples/energy.toml

      [dim]A recorded race serves as well.[/dim]
      surefoot plan examples/energy.toml --from energy.db
    """
    with reporting():
        from surefoot.cli.commands.plan import run

        run(
            study,
            source,
            journal,
            figure,
            engine,
            workers,
            candidates,
            instances,
            races,
            wish,
            retry_failed,
        )
