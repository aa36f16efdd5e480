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
        str, option("--what -w WHAT", "race, rounds, curves, certificate or pareto.")
    ] = "race",
    candidate: Annotated[
        str, option("--candidate -c KEY", "Whose curves; key or 'winner'.")
    ] = "winner",
) -> None:
    """Draw a journal's race.

    rounds: boxplots of the losses in every round. curves: loss against epoch of
    a candidate's instances. certificate: the winner's fresh losses and their
    bound. race: all three.

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
    from surefoot.reports.race import draw_selection
    from surefoot.studies.replay import find_candidate
    from surefoot.studies.select.selection import recorded_selection

    check_path(output)
    out = console()
    with Journal.read(journal) as recorded, busy(out, "drawing"):
        key = None if candidate == "winner" else find_candidate(recorded, candidate)
        save(draw_selection(recorded_selection(recorded), recorded, what, key), output)
    out.print(str(output), soft_wrap=True)
