"""The commands of the studies of one candidate: assess, variance, sample-size."""

from __future__ import annotations

from typing import Annotated

import typer

from surefoot.cli.options import (
    CandidateOption,
    Common,
    DryOption,
    EngineOption,
    FigureOption,
    FromOption,
    JournalOption,
    RetryOption,
    StudyArgument,
    WorkersOption,
)
from surefoot.cli.reporting import reporting


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(assess)
    app.command()(variance)
    app.command(name="sample-size")(sample_size)


def assess(
    study: StudyArgument,
    candidate: CandidateOption = None,
    source: FromOption = None,
    instances: Annotated[
        int | None,
        typer.Option(
            "--instances", "-i", metavar="N", help="Fresh instances. [default: the study file's]"
        ),
    ] = None,
    promise: Annotated[
        float | None,
        typer.Option(
            "--promise",
            "-p",
            metavar="LOSS",
            help="Test whether retrainings keep this limit; a bad candidate fails early.",
        ),
    ] = None,
    allowed: Annotated[
        int | None,
        typer.Option(
            "--allowed", metavar="N", help="Losses above the limit that may be. [default: 0]"
        ),
    ] = None,
    journal: JournalOption = None,
    figure: FigureOption = None,
    workers: WorkersOption = None,
    engine: EngineOption = None,
    dry_run: DryOption = False,
    retry_failed: RetryOption = False,
) -> None:
    """Assess one candidate: fresh instances, their distribution and certificate.

    A promise is that as many retrainings as the study file's certificate asks for keep a
    limit. Training stops once it is broken; then the exit code is 1, and there is no
    certificate. Kept: 0.

    [bold]Examples[/bold]

      [dim]The paper's second network, 59 instances.[/dim]
      surefoot assess examples/energy.toml -c model_2

      [dim]A network written out, 93 instances.[/dim]
      surefoot assess examples/energy.toml -i 93 -c "channels = [8], hidden = [16], pool = 'max2'"

      [dim]The winner of a race.[/dim]
      surefoot assess examples/energy.toml --from energy.db

      [dim]Do at least 95 % of its retrainings lose at most 0.025?[/dim]
      surefoot assess examples/energy.toml --from energy.db --promise 0.025
    """
    common = Common(
        study, candidate, source, journal, figure, engine, workers, dry_run, retry_failed
    )
    with reporting():
        from surefoot.cli.commands.assess import run

        code = run(common, instances, promise, allowed)
    raise typer.Exit(code)


def variance(
    study: StudyArgument,
    candidate: CandidateOption = None,
    source: FromOption = None,
    alone: Annotated[
        int,
        typer.Option(
            "--alone",
            "-a",
            metavar="N",
            help="Instances of each of the paper's three experiments; 0 for none.",
        ),
    ] = 20,
    draws: Annotated[
        int, typer.Option("--draws", metavar="N", help="Samples of the crossed design; 0 for none.")
    ] = 8,
    inits: Annotated[
        int, typer.Option("--inits", metavar="N", help="Initialisations of the crossed design.")
    ] = 8,
    replicates: Annotated[
        int,
        typer.Option("--replicates", metavar="N", help="Batch orders per sample and weights."),
    ] = 1,
    tests: Annotated[
        int,
        typer.Option(
            "--tests", metavar="N", help="Further test samples of a few instances; 0 for none."
        ),
    ] = 5,
    tested: Annotated[
        int, typer.Option("--tested", metavar="N", help="How many instances get them.")
    ] = 4,
    journal: JournalOption = None,
    figure: FigureOption = None,
    workers: WorkersOption = None,
    engine: EngineOption = None,
    dry_run: DryOption = False,
    retry_failed: RetryOption = False,
) -> None:
    """Find where the spread of one candidate's losses comes from.

    Initialisation alone on a fixed sample, sample alone with fixed initial weights, and
    both: the paper's experiments. Every sample with every initialisation: the variance of
    each, and of their interaction. The same instances on other test samples: their share.

    [bold]Examples[/bold]

      [dim]The paper's second network.[/dim]
      surefoot variance examples/energy.toml -c model_2

      [dim]The paper's experiments in full: 3 x 1,000 instances.[/dim]
      surefoot variance examples/energy.toml -c model_2 -a 1000 --draws 0 --inits 0

      [dim]Batch order told apart from initial weights.[/dim]
      surefoot variance examples/energy.toml --from energy.db --replicates 2
    """
    design = {
        "alone": alone,
        "draws": draws,
        "inits": inits,
        "replicates": replicates,
        "tests": tests,
        "tested": tested,
    }
    common = Common(
        study, candidate, source, journal, figure, engine, workers, dry_run, retry_failed
    )
    with reporting():
        from surefoot.cli.commands.variance import run

        run(common, design)


def sample_size(
    study: StudyArgument,
    candidate: CandidateOption = None,
    source: FromOption = None,
    sizes: Annotated[
        str,
        typer.Option(
            "--sizes",
            "-s",
            metavar="SIZES",
            help="'paper' (45 sizes, as far as the data reach), first:last:count in equal ratios, "
            "or a list such as 500,1000,2000.",
        ),
    ] = "paper",
    instances: Annotated[
        int, typer.Option("--instances", "-i", metavar="N", help="Instances of every size.")
    ] = 50,
    test_half: Annotated[
        bool,
        typer.Option(
            "--same-test",
            help="Measure on the study file's test sample, not on one as large as the training's.",
        ),
    ] = False,
    content: Annotated[
        float,
        typer.Option("--content", metavar="SHARE", help="Share of retrainings to keep the limit."),
    ] = 0.90,
    confidence: Annotated[
        float, typer.Option("--confidence", metavar="SHARE", help="Confidence of the answer.")
    ] = 0.95,
    tolerance: Annotated[
        float,
        typer.Option(
            "--tolerance", metavar="SHARE", help="The limit above the median at the largest size."
        ),
    ] = 0.10,
    limit: Annotated[
        float | None,
        typer.Option("--limit", metavar="LOSS", help="A limit of yours instead of that."),
    ] = None,
    journal: JournalOption = None,
    figure: FigureOption = None,
    workers: WorkersOption = None,
    engine: EngineOption = None,
    dry_run: DryOption = False,
    retry_failed: RetryOption = False,
) -> None:
    """Find how many training examples one candidate needs to be robust.

    Instances at every size, boxplots against the size, the plateau of the loss, and the
    smallest size from which on enough retrainings keep a limit, with a confidence.

    [bold]Examples[/bold]

      [dim]The paper's grid, 50 instances each.[/dim]
      surefoot sample-size examples/energy.toml -c model_2

      [dim]Eight sizes from 250 to 8,000.[/dim]
      surefoot sample-size examples/energy.toml -c model_2 -s 250:8000:8

      [dim]From which size on does the race's winner stay below a loss of 0.025?[/dim]
      surefoot sample-size examples/energy.toml --from energy.db --limit 0.025
    """
    rule = {
        "content": content,
        "confidence": confidence,
        "tolerance": tolerance,
        "limit": limit,
    }
    common = Common(
        study, candidate, source, journal, figure, engine, workers, dry_run, retry_failed
    )
    with reporting():
        from surefoot.cli.commands.sample_size import run

        run(common, sizes, instances, not test_half, rule)
