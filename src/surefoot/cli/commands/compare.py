"""``surefoot compare``: named candidates at several sample sizes, on the same draws."""

from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.options import SizesOption, TrainingOptions, option, read_sizes, trains


@trains()
def compare(
    study: Annotated[
        Path,
        typer.Argument(metavar="STUDY", help="One candidate per \\[\\[space]], and a baseline."),
    ],
    candidates: Annotated[
        list[str] | None,
        option(
            "--candidate -c WHICH",
            "Whom to compare, instead of every \\[\\[space]]: the name of one, a preset such as "
            "model_2, fields, a family; repeatable.",
            "the study file's",
        ),
    ] = None,
    sizes: SizesOption = None,
    instances: Annotated[
        int | None,
        option("--instances -i N", "Instances of each at each size.", "the study file's"),
    ] = None,
    paper: Annotated[
        bool,
        option(
            "--paper",
            "As in the paper: 8,000, 16,000, 24,000, 32,000 examples, 50 instances, 100 "
            "epochs and on to an explosion, 120 at most.",
        ),
    ] = False,
    *,
    options: TrainingOptions,
) -> None:
    """Compare candidates at several sample sizes, on the same draws.

    Boxplots against the size, a table with a certified bound for each, and the
    chance that a candidate loses less than the baseline on the next retraining.

    [bold]Examples[/bold]

      [dim]Networks with and without side features, boosted trees, the scaled sum.[/dim]
      surefoot compare examples/compare-energy.toml

      [dim]Two of the paper's networks and the baseline, at its 45 sizes.[/dim]
      surefoot compare examples/energy.toml -c model_1 -c model_2 -s paper

      [dim]The paper's sizes, instances and stopping, on more photons; hours.[/dim]
      surefoot simulate A -n 500000 -o A.root
      surefoot compare examples/compare-energy.toml --paper --source photons:A.root
    """
    from surefoot.cli.session import Session
    from surefoot.cli.show.comparison import comparison_table
    from surefoot.cli.show.console import say_sentences
    from surefoot.reports.figures import figure_of
    from surefoot.reports.views.comparison import comparison
    from surefoot.study_files.build import comparison_of

    session = Session(study, options)
    session.name_files(f"{study.stem}-compare{'-paper' if paper else ''}")
    asked = comparison_of(
        session.file,
        session.population,
        paper=paper,
        only=candidates,
        sizes=None if sizes is None else read_sizes(sizes),
        n=instances,
        engine=options.engine,
    )
    out, steps = session.out, asked.ordered
    session.headline(
        f"{session.name}: {len(asked.names)} candidates, {session.setting.loss} on "
        f"{session.population.name}, {asked.n} instances each at "
        + ", ".join(f"{size:,}" for size in steps)
        + " examples"
    )
    for name, candidate in zip(asked.names, asked.everyone, strict=True):
        out.print(f"  {name:<26}  {candidate.label}", soft_wrap=True)
    found = session.ask(asked)
    for place in range(len(steps)):
        out.print()
        out.print(comparison_table(found, place))
    say_sentences(out, "Comparison", found.lines())
    say_sentences(out, "Bounds", [found.bound_line()])
    title = session.population.name
    session.finish(lambda: figure_of(comparison(found, session.loss_label).panels, title))
