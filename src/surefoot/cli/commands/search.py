"""``surefoot search``: Optuna proposes candidates of a space; the best is certified."""

from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.options import TrainingOptions, from_option, option, trains
from surefoot.places import Place


@trains()
def search(
    study: Annotated[
        Path, typer.Argument(metavar="STUDY", help="The study file; its spaces are searched.")
    ],
    trials: Annotated[
        list[int] | None,
        option(
            "--trials -t N",
            "How many candidates are proposed; repeatable: the best after each is certified.",
            "the study file's",
        ),
    ] = None,
    sampler: Annotated[
        str | None,
        option("--sampler NAME", "Who proposes: tpe, gp, cmaes or random.", "the study file's"),
    ] = None,
    rival: Annotated[
        str | None,
        option(
            "--rival -r WHICH",
            "Who is certified beside the best: a preset such as model_2, fields, a family, a key "
            "or label.",
            "the study file's",
        ),
    ] = None,
    selected: Annotated[
        Place | None,
        from_option("Take the rival from a race's journal: its winner, or the key --rival."),
    ] = None,
    *,
    options: TrainingOptions,
) -> None:
    """Search the spaces of a study file with Optuna, and certify the best found.

    Each trial trains one instance, or \\[search] instances, of the candidate that
    the sampler proposes, on the draws that a race of the same seed has. The best
    is trained afresh, beside a rival such as a race's winner, on the same draws.
    More --trials go on in the same journal.

    [bold]Examples[/bold]

      [dim]The 64 networks of the demonstration, 40 trials, beside its race's winner.[/dim]
      surefoot search examples/energy.toml --trials 40 --from energy.db

      [dim]The paper's search: the best of 120 and of 360 trials beside model 2; days.[/dim]
      surefoot search examples/paper-nas.toml --source photons:B.root

      [dim]By a Gaussian process instead.[/dim]
      surefoot search examples/energy.toml --sampler gp --journal gp.db

      [dim]What was tried, for optuna-dashboard sqlite:///optuna.db[/dim]
      surefoot export energy-search.db optuna:sqlite:///optuna.db
    """
    from surefoot.cli.session import Session
    from surefoot.cli.show.console import busy
    from surefoot.cli.show.views import say_view
    from surefoot.reports.figures import figure_of
    from surefoot.reports.views.search import compared, searched, trials_view
    from surefoot.study_files.build import search_of

    session = Session(study, options)
    session.name_files(f"{study.stem}-search")
    data = session.population
    with busy(session.out, "making the candidates"):
        asked = search_of(
            session.file,
            data,
            trials=trials,
            sampler=sampler,
            rival=rival,
            selected=selected,
            engine=options.engine,
        )
    session.headline(
        f"{session.name}: {asked.after[-1]:,} trials by '{asked.sampler}' among "
        f"{len(asked.candidates):,} candidates, {asked.measured.name} of {session.setting.loss} on "
        f"{data.name}"
    )
    found = session.search(asked)
    label = session.loss_label
    views = [one for one in (searched(found), compared(found, label)) if one is not None]
    for view in views:
        say_view(session.out, view)
    panels = [panel for view in (trials_view(found, label), *views[1:]) for panel in view.panels]
    session.finish(lambda: figure_of(panels, data.name))
