"""``surefoot plan``: what every race would cost and find, before it is paid for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from surefoot.cli.one_candidate import counting, resumable
from surefoot.cli.show.console import busy, check_folder, console
from surefoot.cli.show.results import MARGIN, say_paths, say_sentences
from surefoot.cli.show.time_left import words
from surefoot.report.figures import check_path
from surefoot.study_files.build import study_of
from surefoot.study_files.read import read_study_file
from surefoot.study_files.sources import population_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from surefoot.executors.local.executor import LocalExecutor
    from surefoot.studies.base import SelectStudy
    from surefoot.studies.plan.advice import Advice
    from surefoot.studies.plan.study import Measured, PlanRow

MUCH = 100_000
"""Simulated candidates that are worth starting processes for."""


def run(
    study_path: Path,
    source: Path | None,
    journal: Path | None,
    figure: Path | None,
    engine: str | None,
    workers: int | None,
    pilot_candidates: int,
    pilot_instances: int,
    races: int,
    wish: float,
    retry_failed: bool,
) -> None:
    """Run the command; errors are those of the parts."""
    from surefoot.executors.local.executor import LocalExecutor
    from surefoot.executors.parallel_map import parallel_map
    from surefoot.studies.plan.advice import advise
    from surefoot.studies.plan.study import plan_races

    out = console()
    file = read_study_file(study_path)
    place = journal or Path(f"{study_path.stem}-pilot.db")
    drawn = figure or Path(f"{study_path.stem}-plan.png")
    check_folder(place, "journal")
    check_path(drawn)
    with busy(out, f"loading {file.tables.population.source}"):
        study = study_of(file, population_of(file), engine)
    name = file.tables.study.name or study_path.stem
    count = len(study.candidates)
    out.print(
        f"Plan: {name}, {count:,} candidates, {study.statistic.name} of {study.setting.loss}",
        style="bold",
        soft_wrap=True,
    )
    with LocalExecutor(workers or file.tables.engine.workers, study.engine) as executor:
        at_once = executor.workers
        if source is None:
            size = min(pilot_candidates, count)
            pilot = _train(out, study, place, executor, size, pilot_instances, retry_failed)
        else:
            pilot = _take(source)
    processes = at_once if count * races >= MUCH else 1
    with (
        resumable(source or place),
        parallel_map(processes) as mapped,
        counting(out, "simulated populations", 0, races) as advance,
    ):
        rows = plan_races(
            study, pilot, at_once, races=races, each=lambda: advance(None), spread=mapped
        )
    advice = advise(rows, wish)
    out.print()
    out.print(table(rows, advice.row))
    say_sentences(out, "Races", races_in_words(rows))
    say_sentences(out, "Advice", advice_in_words(advice), "bold")
    for line in advice.lines:
        out.print(f"{'':{MARGIN}}    {line}", soft_wrap=True)
    say_sentences(out, "Basis", notes(study, pilot, rows, races, at_once, source or place))
    with busy(out, "drawing"):
        _draw(drawn, rows, advice, study, at_once, name)
    paths = {} if source is not None else {"Journal": str(place)}
    say_paths(out, {**paths, "Figure": str(drawn)})


def _train(
    out: Console,
    study: SelectStudy,
    place: Path,
    executor: LocalExecutor,
    size: int,
    instances: int,
    retry_failed: bool,
) -> Measured:
    """Train the pilot, or what its journal lacks."""
    from surefoot.studies.plan.study import pilot_study, train_pilot
    from surefoot.studies.runner import missing

    small = pilot_study(study, size)
    with resumable(place), small.open(place) as record:
        everything = small.instances(instances)
        left = sum(1 for _ in missing(everything, study.setting, record))
        total = len(everything)
        with counting(out, "pilot", total - left, total) as advance:
            return train_pilot(
                small, instances, record, executor, advance, retry_failed=retry_failed
            )


def _take(source: Path) -> Measured:
    from surefoot.journal import Journal
    from surefoot.studies.plan.study import measured

    with Journal.read(source) as record:
        return measured(record)


def _draw(
    path: Path,
    rows: Sequence[PlanRow],
    advice: Advice,
    study: SelectStudy,
    workers: int,
    name: str,
) -> None:
    from surefoot.report.figures import save
    from surefoot.report.plan_figure import plan_figure

    figure = plan_figure(
        rows,
        advice.row,
        criterion=study.statistic.name,
        workers=workers,
        title=f"{name}: {len(study.candidates):,} candidates",
    )
    save(figure, path)


def table(rows: Sequence[PlanRow], pick: PlanRow) -> Table:
    """Return the rows as a table, cheapest first; ``*`` marks the efficient, ``>`` the pick."""
    from rich.table import Table as NewTable

    from surefoot.studies.plan.advice import efficient, risk

    made = NewTable(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    made.add_column("")
    made.add_column("race", no_wrap=True)
    for name in ("trainings", "time", "best", "in 1 %", "regret", "curse"):
        made.add_column(name, justify="right", no_wrap=True)
    risky = any(risk(row) > 0.0 for row in rows)
    if risky:
        made.add_column("breaks", justify="right", no_wrap=True)
    best = efficient(rows)
    for row in rows:
        one = row.forecast
        made.add_row(
            ">" if row is pick else "*" if row in best else "",
            row.choice.name,
            f"{one.trainings:,.0f}",
            words(row.seconds),
            f"{one.p_best:.0%}",
            f"{one.p_within:.0%}",
            _plus_minus(one.regret, one.regret_error),
            "" if np.isnan(one.curse) else f"{one.curse:.1%}",
            *([f"{risk(row):.0%}"] if risky else []),
            style="bold" if row is pick else None,
        )
    return made


def _plus_minus(value: float, error: float) -> str:
    if np.isnan(value):
        return "no winner"
    if np.isnan(error):
        return f"{value:.2%}"
    return f"{100.0 * value:.2f} ± {error:.2%}"


def races_in_words(rows: Sequence[PlanRow]) -> list[str]:
    """Return what the races are, each in a few words; a change of the study's own needs none."""
    from surefoot.studies.plan.choices import OWN

    chosen = (row.choice for row in rows if not row.choice.name.startswith(f"{OWN},"))
    return [f"{choice.name}: {choice.words}." for choice in chosen]


def advice_in_words(advice: Advice) -> list[str]:
    """Return which race to take, why, and what the study file must say to get it."""
    one, choice = advice.row.forecast, advice.row.choice
    said = [
        f"Take '{choice.name}': {one.trainings:,.0f} trainings in {words(advice.row.seconds)}. Of "
        f"the races above it is {advice.reason} ({one.regret:.2%}).",
    ]
    if not advice.lines:
        return [*said, "The study file says so already."]
    return [
        *said,
        "In [race], in place of all that it says about schedule, rule, limit and most:"
        if any(line.startswith("schedule") for line in advice.lines)
        else "In [race]:",
    ]


def notes(
    study: SelectStudy,
    pilot: Measured,
    rows: Sequence[PlanRow],
    races: int,
    workers: int,
    where: Path,
) -> list[str]:
    """Return what the table rests on and what it leaves out."""
    from surefoot.racing.simulation.pilot import FEWEST_INSTANCES
    from surefoot.seeds.ledger import Role
    from surefoot.studies.plan.advice import risk

    counts = pilot.table.counts()
    least, most = int(counts.min()), int(counts.max())
    each = f"{least}" if least == most else f"{least} to {most}"
    found = pilot.pilot
    spread = float(np.exp(found.locations.std(ddof=1)) - 1.0)
    noise = float(np.exp(np.median(found.deviations)) - 1.0)
    said = [
        f"{races} simulated populations of {len(study.candidates):,} candidates like the "
        f"{len(pilot.table.keys)} of {where} with {each} instances each, the same for all races.",
        f"There, typical losses scatter by {spread:.0%} between candidates and by {noise:.0%} "
        f"between trainings of one; the draws explain {found.shared:.0%} of the latter's variance.",
        "best: probability that the winner is the best; in 1 %: that it is within 1 % of it; "
        f"regret: how much worse its true {study.statistic.name} is on average, with the standard "
        "error; curse: how much its racing value flatters it; *: no race is both cheaper and "
        "better.",
        f"time: the pilot's trainings took {pilot.seconds:.2g} s each on one core; on {workers} "
        f"core{'s' if workers > 1 else ''}, without the {study.certify} instances of each "
        "certificate.",
    ]
    if pilot.role is Role.RACE:
        noisy = int((np.isfinite(pilot.table.losses).sum(axis=1) >= FEWEST_INSTANCES).sum())
        said.append(
            f"Taken from a race, which shows how noisy trainings are only of its {noisy} last "
            "candidates, the better ones: a pilot of its own tells more."
        )
    if "max" in study.statistic.name or "cvar" in study.statistic.name:
        said.append(
            f"Beware: a pilot shows little of the tails that decide {study.statistic.name}. Take "
            "the regrets as several times too small, and the order of the races as right."
        )
    if any(risk(row) > 0.0 for row in rows):
        said.append(
            "breaks: probability that the winner diverges at times, or that nobody is left; regret "
            "is that of the other races."
        )
    for row in rows:
        if row.forecast.screened > 0.0:
            said.append(
                f"{row.choice.name}: the screen removes the best candidate in "
                f"{row.forecast.screened:.0%} of the races."
            )
        if row.forecast.races < races:
            said.append(
                f"{row.choice.name}: its test is slow, so it ran in {row.forecast.races} of the "
                "populations."
            )
    other = pilot.differences(study)
    if other:
        said.append(
            f"Beware: {where} was trained otherwise than the study file says (there -> here): "
            + "; ".join(other[:4])
        )
    return said
