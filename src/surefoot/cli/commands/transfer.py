"""``surefoot transfer``: a selection's winner retrained on other data, beside the baseline."""

from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.options import (
    DryOption,
    EngineOption,
    FigureOption,
    InstancesOption,
    JournalOption,
    RetryOption,
    WorkersOption,
)
from surefoot.errors import RaceError, StudyFileError


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
            help="The selection's.",
            show_default="the study's name with .db",
        ),
    ] = None,
    best: Annotated[
        int, typer.Option("--best", "-b", metavar="N", help="How many of the ranking to retrain.")
    ] = 1,
    instances: InstancesOption = None,
    journal: JournalOption = None,
    figure: FigureOption = None,
    workers: WorkersOption = None,
    engine: EngineOption = None,
    dry_run: DryOption = False,
    retry_failed: RetryOption = False,
) -> None:
    """Retrain a selection's winner on other data, and compare with the baseline there.

    Does what was best on one population stay good on another? Everything but
    the data is the study file's; winner and baseline are trained on the same
    draws.

    [bold]Examples[/bold]

      [dim]Selected on normal photons, retrained on inclined ones.[/dim]
      surefoot select examples/energy.toml
      surefoot transfer examples/energy.toml photons:B

      [dim]The three best, on showers of your own.[/dim]
      surefoot transfer examples/energy.toml photons:mine.root --best 3
    """
    from surefoot.cli.session import Session
    from surefoot.cli.show.comparison import bound_sentence, transfer_sentences, transfer_table
    from surefoot.cli.show.console import say_sentences
    from surefoot.journal import Journal
    from surefoot.report.comparison import transfer_figure
    from surefoot.studies.description import Description
    from surefoot.studies.sizes.compare import CompareStudy, compare
    from surefoot.studies.sizes.transfer import check_transfer
    from surefoot.studies.sizes.transfer import selected as best_of
    from surefoot.study_files.build import baseline_of

    session = Session(
        study, journal=journal, figure=figure, engine=engine, workers=workers, source=source
    )
    baseline = baseline_of(session.file)
    if baseline is None:
        raise StudyFileError(
            f"{study} has no [baseline] to compare with on other data: add one, such as "
            "family = 'scaled_sum'"
        )
    race, setting = selected or Path(f"{study.stem}.db"), session.setting
    with Journal.read(race) as record:
        check_transfer(record, setting)
        chosen, home = best_of(record, best)
        home_name = Description.read(record.study).population.name
    everyone = [one.candidate for one in chosen]
    homes = [one.losses for one in chosen]
    if baseline.key not in {one.key for one in everyone}:
        everyone.append(baseline)
        homes.append(home)
    if len(everyone) < 2:
        raise RaceError(
            f"the winner, {everyone[0].label}, is the baseline itself, so there is nothing to "
            "compare it with: give --best 2 or more"
        )
    asked = CompareStudy(
        candidates=tuple(everyone),
        setting=setting,
        seed=session.tables.study.seed,
        engine=session.engine,
        equal_test=False,
    )
    out, wanted, there = session.out, session.tables.certificate, session.population.name
    n, size = instances or wanted.n or 59, setting.halves.train_size(setting.sampling)
    session.name_files(f"{race.stem}-transfer-{_word(source)}")
    session.headline(
        f"Transfer: the best {f'{best} ' if best > 1 else ''}of {home_name}, {n} instances of "
        f"{size:,} examples on {there}"
    )
    todo = asked.instances([size], n)
    if dry_run:
        session.say_cost(asked, todo)
        return
    with session.training(asked, todo) as on:
        found = compare(
            asked,
            [size],
            n,
            on.record,
            on.executor,
            on.watch.outcome,
            reference=baseline.key,
            content=wanted.content,
            confidence=wanted.confidence,
            retry_failed=retry_failed,
        )
    out.print()
    out.print(transfer_table(found, homes, home_name, there))
    say_sentences(out, "Transfer", transfer_sentences(found, homes, home_name, there), "bold")
    say_sentences(out, "Bounds", [bound_sentence(n, wanted.content, wanted.confidence)])
    places = home_name, there
    session.finish(lambda: transfer_figure(found, homes, places, label=session.loss_label))


def _word(source: str) -> str:
    """Return a word for a file's name from a source.

    >>> _word("photons:B"), _word("photons:runs/b.root:photons")
    ('B', 'b')
    """
    parts = [part for part in source.split(":") if part]
    files = [part for part in parts if "." in part]
    return Path(files[0] if files else parts[-1]).stem
