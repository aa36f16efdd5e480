"""``surefoot select``: from the study file to the winner, its certificate and a figure."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.options import TrainingOptions, journal_option, option, trains


@trains(
    journal=journal_option("the study's name with .db, here"),
    figure=option(
        "--figure -f FILE",
        "The figure drawn at the end: .png, .pdf or .svg.",
        "the journal's name with .png",
    ),
    dry_run=option("--dry-run -n", "Count candidates, rounds, trainings and hours; train nothing."),
)
def select(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY", help="The study file (TOML); see examples/.")
    ],
    *,
    options: TrainingOptions,
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

      [dim]Go on further: raise limit, max_instances or the certificate's n.[/dim]
      surefoot select examples/energy.toml

      [dim]Other files, eight instances at once.[/dim]
      surefoot select my.toml -j runs/my.db -f my.pdf -w 8

      [dim]On the workers of a batch system, described in a file; see docs/clusters.md.[/dim]
      surefoot select my.toml --cluster examples/clusters/slurm.toml

      [dim]In the database of your group, where others can watch.[/dim]
      surefoot select my.toml -j 'postgresql://ann@db.example/races?study=my'

    [bold]Rules[/bold] of the race, in \\[race] of the study file:

      [dim]Only whom a paired test finds worse leaves; nobody trains more than 40
      times. The other rules: signs, swaps, quantile, prediction; rank is the
      paper's.[/dim]
      rule = "test"
      level = 0.05
      max_instances = 40

      [dim]The smallest largest loss of 32, for a fraction of the trainings.[/dim]
      schedule = "exact_max"    # with criterion = "max" in \\[study]
      complete = 32
    """
    from surefoot.cli.session import Session
    from surefoot.cli.show.console import busy, say_lines
    from surefoot.cli.show.live import live
    from surefoot.reports.plot import race_figure
    from surefoot.studies.select.cost import count_trainings, selection_cost
    from surefoot.study_files.build import study_of

    session = Session(study, options)
    session.name_files(study.stem)
    asked = study_of(session.file, session.population, options.engine)
    session.headline(
        f"{session.name}: {len(asked.candidates):,} candidates, {asked.race.criterion.name} of "
        f"{asked.setting.loss} on {session.population.name}"
    )
    if options.dry_run:
        with busy(session.out, "measuring the engine's speed"):
            cost = selection_cost(asked, session.cores)
        say_lines(session.out, cost.lines())
        return
    if advice := count_trainings(asked, 1.0).advice:
        session.out.print(advice, soft_wrap=True)
    again = ["surefoot", "select", str(study), "--journal", str(session.journal)]
    again += ["--source", options.source] if options.source else []
    again += ["--engine", options.engine] if options.engine else []
    again += ["--cluster", options.cluster] if options.cluster else []
    with session.opened(asked, f". Go on with: {shlex.join(again)}") as (record, executor):
        with live(session.out, asked, record, executor.workers) as progress:
            retry = options.retry_failed
            selection = asked.run(record, executor=executor, watch=progress, retry_failed=retry)
        session.out.print()
        say_lines(session.out, selection.lines())
        more = f"surefoot show {shlex.quote(str(session.journal))}"
        session.finish(lambda: race_figure(selection, record), More=more)
