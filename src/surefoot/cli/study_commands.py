"""The commands of the studies beside select: assess, variance, sample-size, plan, rerace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StudyArgument = Annotated[
    Path,
    typer.Argument(metavar="STUDY", help="The study file: data, sampling, loss, stopping, engine."),
]
CandidateOption = Annotated[
    str | None,
    typer.Option(
        "--candidate",
        "-c",
        metavar="WHICH",
        help="A preset such as model_2; fields such as 'channels = [8], hidden = [9]'; a family; "
        "a key or label of the study's candidates. [default: the study's only one]",
    ),
]
FromOption = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="JOURNAL", help="Take the candidate from a journal: its key, or winner."
    ),
]
JournalOption = Annotated[
    Path | None,
    typer.Option(
        "--journal",
        "-j",
        metavar="FILE",
        help="Where every outcome is kept; an existing one goes on. "
        "[default: named after study, command and candidate, here]",
    ),
]
FigureOption = Annotated[
    Path | None,
    typer.Option(
        "--figure",
        "-f",
        metavar="FILE",
        help="The figure: .png, .pdf or .svg. [default: the journal's name with .png]",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", "-w", metavar="N", help="Instances at once. [default: cores]"),
]
EngineOption = Annotated[
    str | None,
    typer.Option("--engine", "-e", metavar="NAME", help="Who trains. [default: the fastest]"),
]
DryOption = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Count trainings and time; train nothing.")
]
RetryOption = Annotated[
    bool,
    typer.Option("--retry-failed", help="Train instances that failed (not diverged) again."),
]


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(assess)
    app.command()(variance)
    app.command(name="sample-size")(sample_size)
    app.command()(plan)
    app.command()(rerace)


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
    journal: JournalOption = None,
    figure: FigureOption = None,
    workers: WorkersOption = None,
    engine: EngineOption = None,
    dry_run: DryOption = False,
    retry_failed: RetryOption = False,
) -> None:
    """Assess one candidate: fresh instances, their distribution and certificate.

    [bold]Examples[/bold]

      [dim]The paper's second network, 59 instances.[/dim]
      surefoot assess examples/energy.toml -c model_2

      [dim]A network written out, 93 instances.[/dim]
      surefoot assess examples/energy.toml -i 93 -c "channels = [8], hidden = [16], pool = 'max2'"

      [dim]The winner of a race.[/dim]
      surefoot assess examples/energy.toml --from energy.db
    """
    from surefoot.cli.main import reporting

    with reporting():
        from surefoot.cli.assess_command import run

        run(
            study,
            candidate,
            source,
            journal,
            figure,
            engine,
            workers,
            instances,
            dry_run,
            retry_failed,
        )


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
    from surefoot.cli.main import reporting

    design = {
        "alone": alone,
        "draws": draws,
        "inits": inits,
        "replicates": replicates,
        "tests": tests,
        "tested": tested,
    }
    with reporting():
        from surefoot.cli.variance_command import run

        run(
            study,
            candidate,
            source,
            journal,
            figure,
            engine,
            workers,
            design,
            dry_run,
            retry_failed,
        )


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
    from surefoot.cli.main import reporting

    rule = {
        "content": content,
        "confidence": confidence,
        "tolerance": tolerance,
        "limit": limit,
    }
    with reporting():
        from surefoot.cli.sample_size_command import run

        run(
            study,
            candidate,
            source,
            journal,
            figure,
            engine,
            workers,
            sizes,
            instances,
            not test_half,
            rule,
            dry_run,
            retry_failed,
        )


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
    from surefoot.cli.main import reporting

    with reporting():
        from surefoot.cli.plan_command import run

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


def rerace(
    journal: Annotated[Path, typer.Argument(metavar="JOURNAL", help="The file select wrote.")],
    criterion: Annotated[
        str | None,
        typer.Option("--criterion", "-c", metavar="NAME", help="mean, max, quantile(0.9), …"),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            "--schedule",
            "-s",
            metavar="NAME",
            rich_help_panel="Rounds",
            help="default, halving, flat_budget, top_two or exact_max (for the criterion max).",
        ),
    ] = None,
    keep: Annotated[
        float | None,
        typer.Option("--keep", metavar="SHARE", rich_help_panel="Rounds", help="Share that stays."),
    ] = None,
    per_round: Annotated[
        int | None,
        typer.Option(
            "--per-round", metavar="N", rich_help_panel="Rounds", help="Instances per round."
        ),
    ] = None,
    warmup: Annotated[
        int | None,
        typer.Option(
            "--warmup",
            metavar="N",
            rich_help_panel="Rounds",
            help="Instances before the first cut.",
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget", metavar="N", rich_help_panel="Rounds", help="Trainings of a flat round."
        ),
    ] = None,
    cap: Annotated[
        int | None,
        typer.Option(
            "--cap",
            metavar="N",
            rich_help_panel="Rounds",
            help="Most instances of a candidate in a flat round.",
        ),
    ] = None,
    finalists: Annotated[
        int | None,
        typer.Option(
            "--finalists",
            metavar="N",
            rich_help_panel="Rounds",
            help="How many go on in pairs (top_two).",
        ),
    ] = None,
    complete: Annotated[
        int | None,
        typer.Option(
            "--complete",
            metavar="N",
            rich_help_panel="Rounds",
            help="All instances of a candidate (top_two, exact_max).",
        ),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(
            "--rule",
            "-r",
            metavar="NAME",
            rich_help_panel="Who leaves",
            help="rank; test or signs (mean, median); quantile (median, quantile(0.9), …); "
            "swaps (any criterion).",
        ),
    ] = None,
    level: Annotated[
        float | None,
        typer.Option(
            "--level",
            metavar="P",
            rich_help_panel="Who leaves",
            help="Risk that the best candidate leaves.",
        ),
    ] = None,
    few: Annotated[
        str | None,
        typer.Option(
            "--few",
            metavar="NAME",
            rich_help_panel="Who leaves",
            help="wilcoxon or permutation, for the last few.",
        ),
    ] = None,
    many: Annotated[
        int | None,
        typer.Option(
            "--many",
            metavar="N",
            rich_help_panel="Who leaves",
            help="Above so many, Friedman and Conover test.",
        ),
    ] = None,
    anytime: Annotated[
        bool | None,
        typer.Option(
            "--anytime/--at-looks",
            rich_help_panel="Who leaves",
            help="Quantile intervals that hold at any time.",
        ),
    ] = None,
    most: Annotated[
        int | None,
        typer.Option(
            "--most",
            metavar="N",
            rich_help_panel="When it ends",
            help="Most instances of a candidate.",
        ),
    ] = None,
    limit: Annotated[
        float | None,
        typer.Option(
            "--limit",
            metavar="N",
            rich_help_panel="When it ends",
            help="Most trainings of the race.",
        ),
    ] = None,
    screen: Annotated[
        str | None,
        typer.Option(
            "--screen",
            metavar="TOLERANCE",
            rich_help_panel="Who leaves",
            help="A tolerance such as 0.2, or 'no'.",
        ),
    ] = None,
    screen_margin: Annotated[
        str | None,
        typer.Option(
            "--screen-margin",
            metavar="NAME",
            rich_help_panel="Who leaves",
            help="none, or noise: a fairer screen.",
        ),
    ] = None,
) -> None:
    """Run a recorded race again under other rules, training nothing.

    The options are the keys of \\[race] in a study file; what is not given stays as it was.
    Where the rules ask for instances that nobody trained, it says which, names the best
    so far, and the exit code is 3.

    [bold]Examples[/bold]

      [dim]Who had won by the largest loss?[/dim]
      surefoot rerace energy.db --criterion max

      [dim]Would a tenth after two instances have been enough?[/dim]
      surefoot rerace energy.db --schedule halving --warmup 2 --keep 0.1

      [dim]Whom does a paired test find worse, at most 20 instances each?[/dim]
      surefoot rerace energy.db --rule test --level 0.05 --most 20

      [dim]The smallest maximum of 12, without training all of them 12 times.[/dim]
      surefoot rerace energy.db --criterion max --schedule exact_max --complete 12
    """
    from surefoot.cli.main import reporting

    options = {
        "criterion": criterion,
        "schedule": schedule,
        "keep": keep,
        "per_round": per_round,
        "warmup": warmup,
        "budget": budget,
        "cap": cap,
        "finalists": finalists,
        "complete": complete,
        "rule": rule,
        "level": level,
        "few": few,
        "many": many,
        "anytime": anytime,
        "most": most,
        "limit": limit,
        "screen": screen,
        "screen_margin": screen_margin,
    }
    with reporting():
        from surefoot.cli.rerace_command import run

        code = run(journal, options)
    raise typer.Exit(code)
