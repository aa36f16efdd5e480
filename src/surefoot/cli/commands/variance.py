"""``surefoot variance``: where the spread of one candidate's losses comes from."""

from typing import Annotated

from surefoot.cli.options import CandidateOptions, option, trains


@trains()
def variance(
    alone: Annotated[
        int,
        option("--alone -a N", "Instances of each of the paper's three experiments; 0 for none."),
    ] = 20,
    draws: Annotated[int, option("--draws N", "Samples of the crossed design; 0 for none.")] = 8,
    inits: Annotated[int, option("--inits N", "Initialisations of the crossed design.")] = 8,
    replicates: Annotated[
        int, option("--replicates N", "Batch orders per sample and weights.")
    ] = 1,
    tests: Annotated[
        int, option("--tests N", "Further test samples of a few instances; 0 for none.")
    ] = 5,
    tested: Annotated[int, option("--tested N", "How many instances get them.")] = 4,
    *,
    options: CandidateOptions,
) -> None:
    """Find where the spread of one candidate's losses comes from.

    Initialisation alone on a fixed sample, sample alone with fixed initial
    weights, and both: the paper's experiments. Every sample with every
    initialisation: the variance of each, and of their interaction. The same
    instances on other test samples: their share.

    [bold]Examples[/bold]

      [dim]The paper's second network.[/dim]
      surefoot variance examples/energy.toml -c model_2

      [dim]The paper's experiments in full: 3 x 1,000 instances.[/dim]
      surefoot variance examples/energy.toml -c model_2 -a 1000 --draws 0 --inits 0

      [dim]Batch order told apart from initial weights.[/dim]
      surefoot variance examples/energy.toml --from energy.db --replicates 2
    """
    from surefoot.cli.session import Session
    from surefoot.cli.show.console import say_sentences
    from surefoot.reports.figures import figure_of
    from surefoot.reports.views.variance import variance_split
    from surefoot.studies.variance.study import VarianceStudy

    session = Session(options.study, options)
    chosen = session.candidate(options, "variance")
    asked = VarianceStudy(
        candidate=chosen,
        alone=alone,
        draws=draws,
        inits=inits,
        replicates=replicates,
        tests=tests,
        tested=tested,
        **session.shared,
    )
    session.headline(f"Variance: {session.about(chosen)}")
    found = session.ask(asked)
    say_sentences(session.out, "Spread", found.lines())
    title = f"{session.population.name}: {chosen.label}"
    session.finish(lambda: figure_of(variance_split(found, session.loss_label).panels, title))
