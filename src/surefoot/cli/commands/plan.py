"""``surefoot plan``: what every race would cost and find, before it is paid for."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from surefoot.cli.options import StudyArgument, TrainingOptions, from_option, option, trains
from surefoot.places import Place

MUCH = 100_000
"""Simulated candidates that are worth starting processes for."""


@trains(
    "dry_run",
    figure=option(
        "--figure -f FILE", "The figure: .png, .pdf or .svg.", "named after the study, here"
    ),
)
def plan(
    study: StudyArgument,
    recorded: Annotated[Place | None, from_option("Take an existing journal as the pilot.")] = None,
    candidates: Annotated[int, option("--candidates -c N", "Candidates of the pilot.")] = 16,
    instances: Annotated[int, option("--instances -i N", "Instances of each of them.")] = 4,
    races: Annotated[int, option("--races -r N", "Simulated races of each kind.")] = 100,
    regret: Annotated[float, option("--regret SHARE", "Expected regret that you accept.")] = 0.005,
    *,
    options: TrainingOptions,
) -> None:
    """Plan a selection: what would every race cost, and how well would it choose?

    A small pilot shows how far candidates lie apart and how noisy they are. The
    study's race and others then run in simulated populations like it, as many
    candidates as the study has. The plan says which of them to take, and what
    to write into the study file.

    [bold]Examples[/bold]

      [dim]Trains a pilot of 16 x 4 instances.[/dim]
      surefoot plan examples/energy.toml

      [dim]A recorded race serves as well.[/dim]
      surefoot plan examples/energy.toml --from energy.db
    """
    from surefoot.cli.session import Session, counting, resumable
    from surefoot.cli.show.console import say_lines, say_sentences
    from surefoot.cli.show.plan import advice_in_words, notes, plan_table, races_in_words
    from surefoot.executors.opening import workers_of
    from surefoot.executors.parallel_map import parallel_map
    from surefoot.journal import Journal
    from surefoot.reports.figures import figure_of
    from surefoot.reports.views.plan import planned
    from surefoot.studies.plan.pilot import pilot_study, recorded_pilot
    from surefoot.studies.plan.plan import advise, plan_races
    from surefoot.studies.text import titled
    from surefoot.study_files.build import study_of

    figure = options.figure or Path(f"{study.stem}-plan.png")
    session = Session(study, replace(options, figure=figure))
    session.name_files(f"{study.stem}-pilot")
    asked, out = study_of(session.file, session.population, options.engine), session.out
    count = len(asked.candidates)
    session.headline(
        f"Plan: {session.name}, {count:,} candidates, {asked.race.criterion.name} of "
        f"{asked.setting.loss}"
    )
    if recorded is None:
        small = pilot_study(asked, min(candidates, count), instances)
        pilot = session.ask(small, "pilot")
    else:
        with Journal.read(recorded) as record:
            pilot = recorded_pilot(record)
    where = recorded or session.journal
    processes = workers_of(None, session.workers) if count * races >= MUCH else 1
    with (
        resumable(where),
        parallel_map(processes) as mapped,
        counting(out, "simulated populations", 0, races) as advance,
    ):
        rows = plan_races(asked, pilot, session.cores, races=races, each=advance, spread=mapped)
    advice = advise(rows, regret)
    out.print()
    out.print(plan_table(rows, advice.row))
    say_sentences(out, "Races", races_in_words(rows))
    say_sentences(out, "Advice", advice_in_words(advice), bold=True)
    say_lines(out, (titled("", f"    {line}") for line in advice.row.choice.changes))
    say_sentences(out, "Basis", notes(asked, pilot, rows, races, session.cores, where))
    session.finish(
        lambda: figure_of(
            planned(
                rows, advice.row, criterion=asked.race.criterion.name, workers=session.cores
            ).panels,
            f"{session.name}: {count:,} candidates",
        ),
        journal=recorded is None,
    )
