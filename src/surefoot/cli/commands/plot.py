"""``surefoot plot``: a figure of a journal."""

from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.options import JournalArgument, option


def plot(
    journal: JournalArgument,
    output: Annotated[
        Path, typer.Argument(metavar="OUTPUT", help="The file to draw: .png, .pdf or .svg.")
    ],
    what: Annotated[
        str,
        option("--what -w WHAT", "Which part of its report; see below.", "race, or the first"),
    ] = "",
    candidate: Annotated[
        str, option("--candidate -c KEY", "Whose curves; key or 'winner'.")
    ] = "winner",
) -> None:
    """Draw a figure of a journal, of any study.

    Of a race: rounds (who left when), curves (loss against epoch of a
    candidate's instances), certificate (its fresh losses and their bound), race
    (all three), duel (winner against runner-up), front (mean against spread),
    profiles, parallel (hyperparameters), criteria (how strict each is), curse,
    ranks, performance. Of other studies: sizes, variance, comparison, fresh,
    curves, bands (loss by epoch), pilot.

    [bold]Examples[/bold]

      [dim]Everything in one figure.[/dim]
      surefoot plot energy.db race.png

      [dim]The winner's learning curves.[/dim]
      surefoot plot energy.db curves.pdf --what curves

      [dim]Those of the candidate whose key starts with 3f2a.[/dim]
      surefoot plot energy.db other.svg --what curves -c 3f2a
    """
    from surefoot.cli.show.console import busy, console
    from surefoot.journal import Journal
    from surefoot.reports.files import check_path, save
    from surefoot.reports.plot import plot as draw
    from surefoot.studies.replay import find_candidate

    check_path(output)
    out = console()
    with Journal.read(journal) as recorded, busy(out, "drawing"):
        key = None if candidate == "winner" else find_candidate(recorded, candidate)
        save(draw(recorded, what, key), output)
    out.print(str(output), soft_wrap=True)
