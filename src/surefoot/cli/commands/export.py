"""``surefoot export``: a journal as a table, in MLflow or Optuna, or a trained network."""

from typing import Annotated

import typer

from surefoot.cli.options import JournalArgument, StudyOption, option


def export(
    journal: JournalArgument,
    output: Annotated[
        str, typer.Argument(metavar="OUTPUT", help="Where to; its suffix or beginning says what.")
    ],
    study: StudyOption = None,
    candidate: Annotated[
        str, option("--candidate -c KEY", "Whose weights; key or 'winner'.")
    ] = "winner",
    instance: Annotated[
        int | None,
        option("--instance -i N", "Which fresh instance's weights.", "the one of median loss"),
    ] = None,
    best: Annotated[int, option("--best -b N", "Candidates of a race in a .tex table.")] = 10,
) -> None:
    """Write what a journal holds as a table, to MLflow or Optuna, or a trained network.

    .csv, .parquet and .json hold one row per outcome: candidate, hyperparameters,
    role, instance, loss, epochs and more. .tex is a table of the best candidates
    for a paper. mlflow:URI writes one run with one run per candidate in it,
    optuna:URL a study with one trial per candidate. .npz holds trained weights by
    layer, .pt2 a torch module that needs no surefoot:
    torch.export.load("winner.pt2").module(). A journal keeps no weights: they are
    trained again from the recorded seeds, which gives the same.

    [bold]Examples[/bold]

      [dim]A table of all outcomes.[/dim]
      surefoot export energy.db outcomes.csv

      [dim]The five best for a paper, with \\usepackage{booktabs}.[/dim]
      surefoot export energy.db table.tex --best 5

      [dim]For mlflow ui --backend-store-uri sqlite:///mlflow.db[/dim]
      surefoot export energy.db mlflow:sqlite:///mlflow.db

      [dim]For optuna-dashboard sqlite:///optuna.db[/dim]
      surefoot export energy.db optuna:sqlite:///optuna.db

      [dim]The winner's weights by layer.[/dim]
      surefoot export energy.db winner.npz

      [dim]The winner as a torch module.[/dim]
      surefoot export energy.db winner.pt2
    """
    from surefoot.cli.session import Session
    from surefoot.cli.show.console import busy, console, counter
    from surefoot.exports.export import MLFLOW, OPTUNA, export

    out = console()
    setting = None if study is None else Session(study).setting
    if output.startswith((MLFLOW, OPTUNA)):
        with counter(out, f"writing to {output}") as advance:
            done = export(journal, output, advance=advance)
    else:
        with busy(out, f"writing {output}"):
            done = export(journal, output, candidate, instance, best=best, setting=setting)
    out.print(str(done), soft_wrap=True)
