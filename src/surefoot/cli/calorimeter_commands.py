"""The commands of the calorimeter and of comparisons: simulate, photons, compare, transfer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.options import (
    DryOption,
    EngineOption,
    FigureOption,
    JournalOption,
    RetryOption,
    WorkersOption,
)
from surefoot.cli.reporting import reporting

photons_app = typer.Typer(no_args_is_help=True, help="Look at photon samples.")


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(compare)
    app.command()(transfer)
    app.command()(simulate)
    photons_app.command()(show)
    photons_app.callback()(photons)
    app.add_typer(photons_app, name="photons")


def simulate(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A (normal) or B (inclined).")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help=".root, .npz or .parquet.")
    ],
    n: Annotated[int, typer.Option("--events", "-n", metavar="N", help="Photons.")] = 20_000,
    engine: Annotated[
        str, typer.Option("--with", metavar="ENGINE", help="fast, or geant4 (an extra).")
    ] = "fast",
    seed: Annotated[
        int, typer.Option("--seed", "-s", metavar="N", help="Decides every random number.")
    ] = 1,
    chunk: Annotated[
        int | None,
        typer.Option(
            "--chunk", metavar="N", help="Events at once, which bounds memory, not results."
        ),
    ] = None,
    workers: WorkersOption = None,
    noise: Annotated[
        float, typer.Option("--noise", metavar="GEV", help="Standard deviation per cell.")
    ] = 0.0,
    threshold: Annotated[
        float, typer.Option("--threshold", metavar="GEV", help="Smallest deposit kept.")
    ] = 0.0,
    physics: Annotated[
        str, typer.Option("--physics", metavar="LIST", help="Geant4's reference physics list.")
    ] = "FTFP_BERT",
    cells: Annotated[
        str, typer.Option("--cells", metavar="SIZE", help="inner, middle or outer module.")
    ] = "inner",
    first: Annotated[
        int, typer.Option("--first", metavar="N", help="Number of the first photon.")
    ] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Simulate photons in the Shashlik calorimeter.

    An event depends on seed, dataset and its number alone: neither on chunks nor on workers.
    The file appears when it is complete; Ctrl-C leaves none, and keeps Geant4's chunks.

    [bold]Examples[/bold]

      [dim]Fast showers, thousands a second.[/dim]
      surefoot simulate A -n 500000 -o A.root

      [dim]Inclined photons in a calorimeter with noise, in GeV of visible energy.[/dim]
      surefoot simulate B -n 20000 -o b.root --noise 0.001 --threshold 0.002

      [dim]Geant4 itself, with pip install 'surefoot\\[geant4]' and its data sets.[/dim]
      surefoot simulate A -n 1000 -o real.root --with geant4
    """
    with reporting():
        from surefoot.calorimeter.commands.simulate import run

        run(
            dataset,
            n,
            output,
            engine,
            seed,
            chunk,
            workers,
            noise,
            threshold,
            physics,
            cells,
            first,
            overwrite,
        )


def photons() -> None:
    """Look at photon samples."""


def show(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A, B or a file that simulate wrote.")
    ],
    target: Annotated[
        str, typer.Option("--target", "-t", metavar="NAME", help="energy, x or y.")
    ] = "energy",
    study: Annotated[
        Path | None,
        typer.Option("--study", "-s", metavar="STUDY", help="Show its winner's networks too."),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal", "-j", metavar="FILE", help="The study's. [default: its name with .db]"
        ),
    ] = None,
    retrainings: Annotated[
        int, typer.Option("--retrainings", "-r", metavar="N", help="Of the winner, trained again.")
    ] = 3,
    event: Annotated[
        int, typer.Option("--event", "-e", metavar="ROW", help="Photon to display.")
    ] = 0,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where figures go.")
    ] = Path("."),
    suffix: Annotated[
        str, typer.Option("--format", "-f", metavar="KIND", help="png, pdf or svg.")
    ] = "png",
) -> None:
    """Draw what a detector physicist looks at.

    A photon's cluster, the spectrum, and of the classical reconstructions: resolution with
    its fit and bias against energy, or residuals against impact point, energy and angle.

    [bold]Examples[/bold]

      [dim]The shipped Geant4 photons at normal incidence.[/dim]
      surefoot photons show A

      [dim]The position of inclined photons that you simulated.[/dim]
      surefoot photons show b.root --target x -o figures

      [dim]A race's winner beside them, three retrainings.[/dim]
      surefoot photons show A --study examples/energy.toml -j energy.db
    """
    with reporting():
        from surefoot.calorimeter.commands.photons import run

        run(source, target, study, journal, retrainings, event, output, suffix)


def compare(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY", help="One candidate per [[space]], and a baseline.")
    ],
    sizes: Annotated[
        str | None,
        typer.Option("--sizes", "-s", metavar="SIZES", help="Training examples: 1000,2000,4000."),
    ] = None,
    instances: Annotated[
        int | None,
        typer.Option("--instances", "-i", metavar="N", help="Instances of each at each size."),
    ] = None,
    paper: Annotated[
        bool,
        typer.Option(
            "--paper",
            help="As in the paper: 8,000, 16,000, 24,000, 32,000 examples, 50 instances, at least "
            "100 epochs.",
        ),
    ] = False,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="SOURCE", help="Other data than the study file's."),
    ] = None,
    journal: JournalOption = None,
    figure: FigureOption = None,
    workers: WorkersOption = None,
    engine: EngineOption = None,
    dry_run: DryOption = False,
    retry_failed: RetryOption = False,
) -> None:
    """Compare candidates at several sample sizes, on the same draws.

    Boxplots against the size, a table with a certified bound for each, and the chance that a
    candidate loses less than the baseline on the next retraining.

    [bold]Examples[/bold]

      [dim]Networks with and without side features, boosted trees, the scaled sum.[/dim]
      surefoot compare examples/compare-energy.toml

      [dim]The paper's sizes, instances and stopping, on more photons; hours.[/dim]
      surefoot simulate A -n 500000 -o A.root
      surefoot compare examples/compare-energy.toml --paper --source photons:A.root
    """
    with reporting():
        from surefoot.cli.commands.compare import run

        run(
            study,
            journal,
            figure,
            sizes,
            instances,
            paper,
            source,
            workers,
            engine,
            dry_run,
            retry_failed,
        )


def transfer(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY", help="The study file of the selection.")
    ],
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Other data: photons:B, b.root:tree, …")
    ],
    selected: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="JOURNAL",
            help="The selection's. [default: the study's name with .db]",
        ),
    ] = None,
    best: Annotated[
        int, typer.Option("--best", "-b", metavar="N", help="How many of the ranking to retrain.")
    ] = 1,
    instances: Annotated[
        int | None,
        typer.Option(
            "--instances", "-i", metavar="N", help="Fresh instances. [default: the study file's]"
        ),
    ] = None,
    journal: JournalOption = None,
    figure: FigureOption = None,
    workers: WorkersOption = None,
    engine: EngineOption = None,
    dry_run: DryOption = False,
    retry_failed: RetryOption = False,
) -> None:
    """Retrain a selection's winner on other data, and compare with the baseline there.

    Does what was best on one population stay good on another? Everything but the data is the
    study file's; winner and baseline are trained on the same draws.

    [bold]Examples[/bold]

      [dim]Selected on normal photons, retrained on inclined ones.[/dim]
      surefoot select examples/energy.toml
      surefoot transfer examples/energy.toml photons:B

      [dim]The three best, on showers of your own.[/dim]
      surefoot transfer examples/energy.toml photons:mine.root --best 3
    """
    with reporting():
        from surefoot.cli.commands.transfer import run

        run(
            study,
            source,
            selected,
            best,
            instances,
            journal,
            figure,
            workers,
            engine,
            dry_run,
            retry_failed,
        )
