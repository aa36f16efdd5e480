"""``surefoot plan``: what every schedule would cost and find, before it is paid for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.cli.building import study_of
from surefoot.cli.console import busy, check_folder, console
from surefoot.cli.estimate import words
from surefoot.cli.one_candidate import counting, resumable
from surefoot.cli.results import say_sentences
from surefoot.cli.sources import population_of
from surefoot.cli.study_file import read_study_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from surefoot.studies.planning import Measured, PlanRow
    from surefoot.studies.study import SelectStudy


def run(
    study_path: Path,
    source: Path | None,
    journal: Path | None,
    engine: str | None,
    workers: int | None,
    pilot_candidates: int,
    pilot_instances: int,
    races: int,
    retry_failed: bool,
) -> None:
    """Run the command; errors are those of the parts."""
    from surefoot.executors.local import LocalExecutor
    from surefoot.journal import Journal
    from surefoot.studies.planning import measured, pilot_study, plan_races, train_pilot
    from surefoot.studies.runner import missing

    out = console()
    file = read_study_file(study_path)
    place = journal or Path(f"{study_path.stem}-pilot.db")
    check_folder(place, "journal")
    with busy(out, f"loading {file.tables.population.source}"):
        study = study_of(file, population_of(file), engine)
    count = len(study.candidates)
    out.print(
        f"Plan: {file.tables.study.name or study_path.stem}, {count:,} candidates, "
        f"{study.statistic.name} of {study.setting.loss}",
        style="bold",
        soft_wrap=True,
    )
    with LocalExecutor(workers or file.tables.engine.workers, study.engine) as executor:
        at_once = executor.workers
        if source is not None:
            with Journal.read(source) as record:
                pilot = measured(record)
            where = str(source)
        else:
            small = pilot_study(study, min(pilot_candidates, count))
            instances = small.instances(pilot_instances)
            with resumable(place), small.open(place) as record:
                left = sum(1 for _ in missing(instances, study.setting, record))
                total = len(instances)
                with counting(out, "pilot", total - left, total) as advance:
                    pilot = train_pilot(
                        small,
                        pilot_instances,
                        record,
                        executor,
                        advance,
                        retry_failed=retry_failed,
                    )
            where = str(place)
    with counting(out, "simulated races", 0, races) as advance:
        rows = plan_races(study, pilot, at_once, races=races, each=lambda: advance(None))
    out.print()
    out.print(_table(rows))
    say_sentences(out, "", _notes(study, pilot, rows, races, at_once, where))


def _table(rows: Sequence[PlanRow]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("schedule", no_wrap=True)
    for name in ("instances", "time", "best", "within 1 %", "regret"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for row in rows:
        one = row.forecast
        table.add_row(
            row.name,
            f"{one.trainings:,.0f}",
            words(row.seconds),
            f"{one.p_best:.0%}",
            f"{one.p_within:.0%}",
            f"{one.regret:.2%}",
            row.words,
        )
    return table


def _notes(
    study: SelectStudy,
    pilot: Measured,
    rows: Sequence[PlanRow],
    races: int,
    workers: int,
    where: str,
) -> list[str]:
    """Return what the table rests on and what it leaves out."""
    from surefoot.seeds import Role

    error = max(row.forecast.regret_error for row in rows)
    notes = [
        f"best, within 1 %: probability that the winner is; regret: mean excess of its "
        f"{study.statistic.name} over the best candidate's (standard error up to {error:.2%}); "
        f"{races} simulated populations of {len(study.candidates):,} candidates.",
        f"The populations are like the {len(pilot.table.keys)} candidates with {pilot.table.count} "
        f"instances of {where}; time is theirs, {pilot.seconds:.2g} s each, on {workers} "
        f"core{'s' if workers > 1 else ''}, without the certificate's {study.certify} instances.",
    ]
    if pilot.role is Role.RACE:
        notes.append(
            "Taken from a race, whose eliminated candidates have few instances: only those with "
            "three or more count, which are better than the rest, so differences look smaller "
            "than they are."
        )
    found = pilot.differences(study)
    if found:
        notes.append(
            f"Beware: {where} was trained otherwise than the study file says (there -> here): "
            + "; ".join(found[:4])
        )
    if study.screen is not None:
        notes.append("The screen is not simulated; what it removes saves trainings.")
    return notes
