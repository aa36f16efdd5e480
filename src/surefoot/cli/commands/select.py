"""``surefoot select``: from the study file to the winner, its certificate and a figure."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from surefoot.cli.reporting import INTERRUPTED
from surefoot.cli.show.console import busy, check_folder, console
from surefoot.cli.show.dry_run import say_plan
from surefoot.cli.show.live import LiveTable, PlainLog
from surefoot.cli.show.results import say_paths, say_winner
from surefoot.cli.show.time_left import TimeLeft
from surefoot.report.figures import check_path
from surefoot.studies.extension import announcement
from surefoot.study_files.build import study_of
from surefoot.study_files.read import StudyFile, read_study_file
from surefoot.study_files.sources import population_of

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.executors.local.executor import LocalExecutor
    from surefoot.journal import Journal
    from surefoot.studies.base import SelectStudy


def run(
    study_path: Path,
    journal_path: Path | None,
    figure_path: Path | None,
    workers: int | None,
    engine: str | None,
    dry_run: bool,
    retry_failed: bool,
) -> None:
    """Run the command; errors are those of the parts."""
    out = console()
    file = read_study_file(study_path)
    journal_path = journal_path or default_journal(study_path)
    figure_path = figure_path or journal_path.with_suffix(".png")
    check_path(figure_path)
    check_folder(journal_path, "journal")
    with busy(out, f"loading {file.tables.population.source}"):
        study = study_of(file, population_of(file), engine)
    out.print(headline(file, study), style="bold", soft_wrap=True)
    from surefoot.executors.local.executor import LocalExecutor

    with LocalExecutor(workers or file.tables.engine.workers, study.engine) as executor:
        if dry_run:
            say_plan(out, study, executor.workers)
            return
        try:
            with study.open(journal_path) as journal:
                for line in announcement(journal.extended):
                    out.print(line, soft_wrap=True)
                _race(out, study, journal, executor, retry_failed)
                _conclude(out, study, journal, journal_path, figure_path)
        except KeyboardInterrupt:
            _say_how_to_resume(study_path, journal_path, engine)
            raise typer.Exit(INTERRUPTED) from None


def default_journal(study_path: Path) -> Path:
    """Return where the journal of a study file is kept unless said: its name, .db, here."""
    return Path(f"{study_path.stem}.db")


def headline(file: StudyFile, study: SelectStudy) -> str:
    """Return the study in one line."""
    name = file.tables.study.name or file.path.stem
    population = study.setting.halves.population
    return (
        f"{name}: {len(study.candidates):,} candidates, {study.statistic.name} of "
        f"{study.setting.loss} on {population.name}"
    )


def _race(
    out: Console,
    study: SelectStudy,
    journal: Journal,
    executor: LocalExecutor,
    retry_failed: bool,
) -> None:
    """Race and certify under a live table, or a plain log where there is no terminal."""
    from surefoot.seeds.ledger import Role
    from surefoot.studies.select.cost import plan
    from surefoot.studies.select.run import select

    planned = plan(study, 1.0)
    kind = LiveTable if out.is_terminal else PlainLog
    progress = kind(
        candidates=study.candidates,
        criterion=study.statistic,
        plan=planned.rounds,
        certifying_instances=planned.certifying,
        time_left=TimeLeft(study.candidates, study.setting, executor.workers),
    )
    progress.remember((m.candidate, m.loss) for m in journal.measures(Role.RACE))
    with progress.on(out):
        select(study, journal, executor, progress, retry_failed=retry_failed)


def _conclude(
    out: Console, study: SelectStudy, journal: Journal, journal_path: Path, figure_path: Path
) -> None:
    """Print the winner, the certificates and the paths, and draw the figure."""
    from surefoot.report.figures import save
    from surefoot.report.journal_figures import draw_journal
    from surefoot.studies.race_record import recorded_certificates, recorded_race

    record = recorded_race(journal)
    state = record.state()
    certificates = recorded_certificates(journal, state)
    labels = {candidate.key: candidate.label for candidate in study.everyone}
    winner = study.known[state.ranking[0]]
    unit = study.setting.loss.unit(study.setting.halves.population.target_unit)
    say_winner(out, winner, record, state, certificates, labels, unit)
    with busy(out, "drawing"):
        save(draw_journal(journal), figure_path)
    say_paths(
        out,
        {
            "Journal": str(journal_path),
            "Figure": str(figure_path),
            "More": f"surefoot show {shlex.quote(str(journal_path))}",
        },
    )


def _say_how_to_resume(study_path: Path, journal_path: Path, engine: str | None) -> None:
    words = ["surefoot", "select", str(study_path), "--journal", str(journal_path)]
    words += ["--engine", engine] if engine else []
    typer.echo(
        f"\nsurefoot: interrupted; every finished instance is kept in {journal_path}. "
        f"Go on with: {shlex.join(words)}",
        err=True,
    )
