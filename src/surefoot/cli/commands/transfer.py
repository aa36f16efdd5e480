"""``surefoot transfer``: a selection's winner retrained on other data, beside the baseline."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.options import InstancesOption, TrainingOptions, from_option, option, trains
from surefoot.errors import ConfigurationError, StudyFileError
from surefoot.places import Place


@trains()
def transfer(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY", help="The study file of the selection.")
    ],
    other: Annotated[
        str | None,
        typer.Argument(metavar="SOURCE", help="The other data, or --source: photons:B, b.root, …"),
    ] = None,
    selected: Annotated[
        Place | None, from_option("The selection's.", "the study's name with .db")
    ] = None,
    best: Annotated[int, option("--best -b N", "How many of the ranking to retrain.")] = 1,
    instances: InstancesOption = None,
    *,
    options: TrainingOptions,
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
    from surefoot.cli.show.comparison import transfer_table
    from surefoot.cli.show.console import say_sentences
    from surefoot.journal import Journal
    from surefoot.reports.figures import figure_of
    from surefoot.reports.views.comparison import transfer as view
    from surefoot.studies.sizes.transfer import transfer_study
    from surefoot.study_files.build import baseline_of

    if (other is None) == (options.source is None):
        raise ConfigurationError(
            "transfer takes the other data once: photons:B, b.root:tree, … after the study file"
        )
    session = Session(study, replace(options, source=other or options.source))
    baseline = baseline_of(session.file)
    if baseline is None:
        raise StudyFileError(
            f"{study} has no [baseline] to compare with on other data: add one, such as "
            "family = 'scaled_sum'"
        )
    race = selected or Place(Path(f"{study.stem}.db"))
    out, wanted, there = session.out, session.tables.certificate, session.population.name
    with Journal.read(race) as record:
        asked = transfer_study(
            record,
            baseline=baseline,
            best=best,
            n=(wanted.n or 59) if instances is None else instances,
            content=wanted.content,
            confidence=wanted.confidence,
            **session.shared,
        )
    session.name_files(f"{race.stem}-transfer")
    session.headline(
        f"Transfer: the best {f'{best} ' if best > 1 else ''}of {asked.home}, {asked.n} instances "
        f"of {asked.ordered[0]:,} examples on {there}"
    )
    found = session.ask(asked)
    out.print()
    out.print(transfer_table(found))
    say_sentences(out, "Transfer", found.lines(), bold=True)
    say_sentences(out, "Bounds", [found.comparison.bound_line()])
    session.finish(lambda: figure_of(view(found, session.loss_label).panels))
