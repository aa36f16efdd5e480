"""``surefoot grid``: every candidate of a space on the same draws, and what each field does."""

from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.options import TrainingOptions, option, trains

LIMIT = 2_000
"""Trainings above which the command asks first."""


@trains()
def grid(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY", help="The study file; its spaces are the grid.")
    ],
    by: Annotated[
        list[str] | None,
        option(
            "--by -b FIELD",
            "A field to tell of, such as activation; repeatable.",
            "the study file's",
        ),
    ] = None,
    instances: Annotated[
        int | None, option("--instances -i N", "Instances of each candidate.", "the study file's")
    ] = None,
    yes: Annotated[
        bool, option("--yes -y", f"Do not ask before more than {LIMIT:,} trainings.")
    ] = False,
    *,
    options: TrainingOptions,
) -> None:
    """Train all candidates of a study file on the same draws; say what each field does.

    A field is whatever candidates differ in: activation, optimizer, batch_norm,
    schedule, hidden. Its values are compared over all settings of the other
    fields, and at the best setting of these, with intervals and tests corrected
    for their number. Without --by or \\[grid] by, all fields are told of.

    [bold]Examples[/bold]

      [dim]Seven activation functions at three learning rates, ten times each.[/dim]
      surefoot grid examples/grid-activations.toml --by activation

      [dim]The same journal by another field: nothing is trained again.[/dim]
      surefoot grid examples/grid-activations.toml --by learning_rate

      [dim]More instances, on inclined photons.[/dim]
      surefoot grid examples/grid-activations.toml -i 20 --source photons:B

      [dim]Boxes by any field from the journal; see surefoot report, too.[/dim]
      surefoot plot grid-activations-grid.db lr.png --what by-learning_rate
    """
    from surefoot.cli.session import Session
    from surefoot.cli.show.console import busy
    from surefoot.cli.show.views import say_view
    from surefoot.reports.figures import figure_of
    from surefoot.reports.views.grid import best_of_all, field_view
    from surefoot.study_files.build import grid_of

    session = Session(study, options)
    session.name_files(f"{study.stem}-grid")
    out, data = session.out, session.population
    with busy(out, "making the candidates"):
        asked = grid_of(session.file, data, by=by or (), n=instances, engine=options.engine)
    session.headline(
        f"{session.name}: {len(asked.candidates):,} candidates, {session.setting.loss} on "
        f"{data.name}, {asked.n} instances each"
    )
    session.confirm(asked, LIMIT, yes)
    found = session.ask(asked)
    fields = [field_view(found, name, session.loss_label) for name in found.asked]
    for view in (best_of_all(found), *fields):
        say_view(out, view)
    title = f"{data.name}: {fields[0].title}"
    session.finish(lambda: figure_of(fields[0].panels, title))
