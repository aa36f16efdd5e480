"""``surefoot sample-size``: how one candidate's losses depend on the number of examples."""

from typing import Annotated

from surefoot.cli.options import CandidateOptions, option, read_sizes, trains


@trains()
def sample_size(
    sizes: Annotated[
        str,
        option(
            "--sizes -s SIZES",
            "'paper' (45 sizes, as far as the data reach), first:last:count in equal ratios, "
            "or a list such as 500,1000,2000.",
        ),
    ] = "paper",
    instances: Annotated[int, option("--instances -i N", "Instances of every size.")] = 50,
    same_test: Annotated[
        bool,
        option(
            "--same-test",
            "Measure on the study file's test sample, not on one as large as the training's.",
        ),
    ] = False,
    content: Annotated[
        float, option("--content SHARE", "Share of retrainings to keep the limit.")
    ] = 0.90,
    confidence: Annotated[float, option("--confidence SHARE", "Confidence of the answer.")] = 0.95,
    tolerance: Annotated[
        float, option("--tolerance SHARE", "The limit above the median at the largest size.")
    ] = 0.10,
    limit: Annotated[
        float | None, option("--limit LOSS", "A limit of yours instead of that.")
    ] = None,
    *,
    options: CandidateOptions,
) -> None:
    """Find how many training examples one candidate needs to be robust.

    Instances at every size, boxplots against the size, the plateau of the loss,
    and the smallest size from which on enough retrainings keep a limit, with a
    confidence.

    [bold]Examples[/bold]

      [dim]The paper's grid, 50 instances each.[/dim]
      surefoot sample-size examples/energy.toml -c model_2

      [dim]Eight sizes from 250 to 8,000.[/dim]
      surefoot sample-size examples/energy.toml -c model_2 -s 250:8000:8

      [dim]From which size on does the race's winner stay below a loss of 0.025?[/dim]
      surefoot sample-size examples/energy.toml --from energy.db --limit 0.025
    """
    from surefoot.cli.session import Session
    from surefoot.cli.show.console import say_sentences
    from surefoot.reports.figures import figure_of
    from surefoot.reports.views.sample_size import sample_sizes
    from surefoot.studies.sizes.sample_size import RobustRule, SampleSizeStudy
    from surefoot.studies.sizes.series import paper_sizes

    rule = RobustRule(content=content, confidence=confidence, tolerance=tolerance, limit=limit)
    session = Session(options.study, options)
    chosen = session.candidate(options, "sample-size")
    asked = SampleSizeStudy(
        candidate=chosen,
        sizes=read_sizes(sizes),
        n=instances,
        rule=rule,
        equal_test=not same_test,
        **session.shared,
    )
    steps = asked.ordered
    left_out = len(paper_sizes()) - len(steps) if sizes == "paper" else 0
    session.headline(f"Sample size: {session.about(chosen)}")
    session.out.print(
        f"{len(steps)} sizes from {steps[0]:,} to {steps[-1]:,}, {instances} instances each"
        + (f" ({left_out} larger sizes of the paper's grid need more data)" if left_out else ""),
        soft_wrap=True,
    )
    found = session.ask(asked)
    say_sentences(session.out, "Sample size", found.lines(), bold=True)
    title = f"{session.population.name}: {chosen.label}"
    session.finish(lambda: figure_of(sample_sizes(found, session.loss_label).panels, title))
