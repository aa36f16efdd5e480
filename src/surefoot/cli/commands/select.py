"""``surefoot select``: from the study file to the winner, its certificate and a figure."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from surefoot.cli.options import EngineOption, RetryOption, WorkersOption

if TYPE_CHECKING:
    from surefoot.cli.session import Session
    from surefoot.studies.base import SelectStudy


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

      [dim]Only whom a paired test finds worse leaves; nobody trains more than 40
      times. The other rules: signs, swaps, quantile, prediction; rank is the
      paper's.[/dim]
      rule = "test"
      level = 0.05
      most = 40

      [dim]The smallest largest loss of 32, for a fraction of the trainings.[/dim]
      schedule = "exact_max"    # with criterion = "max" in \\[study]
      complete = 32
    """
    from surefoot.cli.session import Session, resumable
    from surefoot.cli.show.dry_run import say_plan
    from surefoot.study_files.build import study_of

    session = Session(study, journal=journal, figure=figure, engine=engine, workers=workers)
    session.name_files(study.stem)
    asked = study_of(session.file, session.population, engine)
    session.headline(
        f"{session.name}: {len(asked.candidates):,} candidates, {asked.statistic.name} of "
        f"{asked.setting.loss} on {session.population.name}"
    )
    if dry_run:
        say_plan(session.out, asked, session.cores)
        return
    again = ["surefoot", "select", str(study), "--journal", str(session.journal)]
    again += ["--engine", engine] if engine else []
    with resumable(session.journal, f". Go on with: {shlex.join(again)}"):
        _race(session, asked, retry_failed)


def _race(session: Session, study: SelectStudy, retry_failed: bool) -> None:
    """Race and certify under a live table, or a plain log where there is no terminal."""
    from surefoot.cli.show.live import LiveTable, PlainLog
    from surefoot.cli.show.race import say_winner
    from surefoot.executors.local.executor import LocalExecutor
    from surefoot.report.race import draw_journal
    from surefoot.seeds.ledger import Role
    from surefoot.studies.duration import TimeLeft
    from surefoot.studies.extension import announcement
    from surefoot.studies.race_record import recorded_certificates, recorded_race
    from surefoot.studies.select.cost import plan
    from surefoot.studies.select.run import select

    out, planned = session.out, plan(study, 1.0)
    with (
        LocalExecutor(session.workers, study.engine) as executor,
        study.open(session.journal) as journal,
    ):
        for line in announcement(journal.extended):
            out.print(line, soft_wrap=True)
        progress = (LiveTable if out.is_terminal else PlainLog)(
            candidates=study.candidates,
            criterion=study.statistic,
            plan=planned.rounds,
            certifying_instances=planned.certifying,
            time_left=TimeLeft(study.candidates, study.setting, executor.workers),
        )
        progress.remember((m.candidate, m.loss) for m in journal.measures(Role.RACE))
        with progress.on(out):
            select(study, journal, executor, progress, retry_failed=retry_failed)
        record = recorded_race(journal)
        state = record.state()
        say_winner(
            out,
            study.known[state.ranking[0]],
            record,
            state,
            recorded_certificates(journal, state),
            {candidate.key: candidate.label for candidate in study.everyone},
            study.setting.loss.unit(study.setting.halves.population.target_unit),
        )
        more = f"surefoot show {shlex.quote(str(session.journal))}"
        session.finish(lambda: draw_journal(journal), More=more)
