"""The command line ``surefoot``: every command in words, its work in a module of its own.

Nothing heavy is imported before a command runs, so that ``surefoot --help`` is quick.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from surefoot.cli import calorimeter_commands
from surefoot.cli.study_commands import add_commands

USAGE_ERROR = 2
INTERRUPTED = 130

app = typer.Typer(
    name="surefoot",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find machine-learning models that stay good every time they are retrained.",
    epilog="First steps: [bold]surefoot select examples/energy.toml --dry-run[/bold], then the "
    "same without --dry-run. Ctrl-C loses nothing: the same command goes on.",
)


@contextmanager
def reporting() -> Iterator[None]:
    """Turn errors raised on purpose into one line on stderr and exit code 2."""
    from surefoot.errors import SurefootError

    try:
        yield
    except SurefootError as error:
        typer.echo(f"surefoot: {error}", err=True)
        raise typer.Exit(USAGE_ERROR) from None
    except KeyboardInterrupt:
        typer.echo("surefoot: interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        raise typer.Exit(0) from None


def _version(wanted: bool) -> None:
    if wanted:
        from surefoot import __version__

        typer.echo(f"surefoot {__version__}")
        raise typer.Exit


@app.callback()
def surefoot(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Find machine-learning models that stay good every time they are retrained."""


JournalArgument = Annotated[
    Path, typer.Argument(metavar="JOURNAL", help="The file that select wrote.")
]
StudyOption = Annotated[
    Path | None,
    typer.Option(
        "--study",
        "-s",
        metavar="STUDY",
        help="The study file, when the data are not where they were.",
    ),
]


@app.command()
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
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", "-w", metavar="N", help="Instances at once.", show_default="cores"
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine", "-e", metavar="NAME", help="Who trains.", show_default="the fastest"
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", "-n", help="Count candidates, rounds, trainings and hours; train nothing."
        ),
    ] = False,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Train instances that failed (not diverged) again."),
    ] = False,
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

      [dim]Other files, eight instances at once.[/dim]
      surefoot select my.toml -j runs/my.db -f my.pdf -w 8

    [bold]Rules[/bold] of the race, in \\[race] of the study file:

      [dim]Only whom a paired test finds worse leaves; nobody trains more than 40 times.[/dim]
      rule = "test"             # or signs, swaps, quantile; rank is the paper's
      level = 0.05
      most = 40

      [dim]The smallest largest loss of 32, for a fraction of the trainings.[/dim]
      schedule = "exact_max"    # with criterion = "max" in \\[study]
      complete = 32
    """
    with reporting():
        from surefoot.cli.select_command import run

        run(study, journal, figure, workers, engine, dry_run, retry_failed)


@app.command()
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
        from surefoot.cli.show_command import run

        run(journal, eliminated, candidate)


@app.command()
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
        from surefoot.cli.replay_command import run

        code = run(journal, candidate, instance, study, role, engine)
    raise typer.Exit(code)


@app.command()
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
        from surefoot.cli.export_command import run

        run(journal, output, study, candidate, instance)


@app.command()
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
        from surefoot.cli.plot_command import run

        run(journal, output, what, candidate)


add_commands(app)
calorimeter_commands.add_commands(app)


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; the entry point of the script ``surefoot``."""
    return app(arguments)
