"""The command rerace and its options, the keys of a study file's ``[race]``."""

from __future__ import annotations

from typing import Annotated

import typer

from surefoot.cli.options import JournalArgument


def rerace(
    journal: JournalArgument,
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
            help="prediction or rank (the paper's); test or signs (mean, median); quantile "
            "(median, quantile(0.9), …); swaps (any criterion).",
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

    The options are the keys of \\[race] in a study file; what is not given
    stays as it was. Where the rules ask for instances that nobody trained, it
    says which, names the best so far, and the exit code is 3.

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
    from surefoot.cli.commands.rerace import run

    code = run(journal, options)
    raise typer.Exit(code)
