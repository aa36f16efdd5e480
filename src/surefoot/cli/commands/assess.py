"""``surefoot assess``: fresh instances of one candidate, their certificate and a figure."""

from typing import Annotated

import typer

from surefoot.cli.options import CandidateOptions, InstancesOption, option, trains

BROKEN = 1
"""Exit code when the promise asked about is broken."""


@trains()
def assess(
    instances: InstancesOption = None,
    promise: Annotated[
        float | None,
        option(
            "--promise -p LOSS",
            "Test whether retrainings keep this limit; a bad candidate fails early.",
        ),
    ] = None,
    max_exceedances: Annotated[
        int, option("--max-exceedances --allowed N", "Losses above the limit that may be.")
    ] = 0,
    *,
    options: CandidateOptions,
) -> None:
    """Assess one candidate: fresh instances, their distribution and certificate.

    A promise is that as many retrainings as the study file's certificate asks
    for keep a limit. Training stops once it is broken; then the exit code is 1,
    and there is no certificate. Kept: 0.

    [bold]Examples[/bold]

      [dim]The paper's second network, 59 instances.[/dim]
      surefoot assess examples/energy.toml -c model_2

      [dim]A network written out, 93 instances.[/dim]
      surefoot assess examples/energy.toml -i 93 -c "channels=\\[8], hidden=\\[16]"

      [dim]The winner of a race.[/dim]
      surefoot assess examples/energy.toml --from energy.db

      [dim]Do at least 95 % of its retrainings lose at most 0.025?[/dim]
      surefoot assess examples/energy.toml --from energy.db --promise 0.025
    """
    from surefoot.cli.session import Session
    from surefoot.cli.show.console import say_sentences
    from surefoot.reports.figures import figure_of
    from surefoot.reports.views.assessment import assessed_curves, assessed_losses
    from surefoot.studies.assess.study import AssessStudy, make_promise

    session = Session(options.study, options)
    chosen = session.candidate(options, "assess" if promise is None else "promise")
    wanted, out = session.tables.certificate, session.out
    asked = AssessStudy(
        candidate=chosen,
        n=(wanted.n or 59) if instances is None else instances,
        content=wanted.content,
        confidence=wanted.confidence,
        promise=make_promise(
            promise, max_exceedances, instances, wanted.content, wanted.confidence
        ),
        **session.shared,
    )
    session.headline(f"Assess: {session.about(chosen)}")
    fewer = [] if promise is None else ["fewer if the promise is broken before"]
    found = session.ask(asked, costs=fewer)
    if quartiles := found.quartiles():
        say_sentences(out, "Losses", [quartiles])
    if spread := found.spread():
        say_sentences(out, "Spread", spread)
    if troubles := found.troubles():
        say_sentences(out, "Troubles", troubles)
    if promise is not None:
        say_sentences(out, "Promise", found.promised(), bold=True)
    if found.certificate is None:
        say_sentences(out, "Certificate", [found.no_certificate])
    else:
        said = str(found.certificate).splitlines()
        say_sentences(out, "Certificate", said, bold=promise is None)
    title = f"{session.population.name}: {chosen.label}"
    panels = (*assessed_curves(found).panels, *assessed_losses(found).panels)
    session.finish(lambda: figure_of(panels, title))
    if found.kept is False:
        raise typer.Exit(BROKEN)
