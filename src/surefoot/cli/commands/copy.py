"""``surefoot copy``: a journal between files and servers."""

from typing import Annotated

import typer

from surefoot.places import Place


def copy(
    source: Annotated[
        Place, typer.Argument(metavar="FROM", help="A journal's file or URL.", parser=Place.of)
    ],
    target: Annotated[
        Place, typer.Argument(metavar="TO", help="Where there is none yet.", parser=Place.of)
    ],
) -> None:
    """Copy a journal between files and servers, and check the copy.

    Its digests are copied with it and checked at both ends; a race may go on
    meanwhile. Nothing is overwritten.

    [bold]Examples[/bold]

      [dim]To the server that your group shares. The password comes from ~/.pgpass.[/dim]
      surefoot copy energy.db 'postgresql://ann@db.example/races?study=energy'

      [dim]And back, to look at on the train.[/dim]
      surefoot copy 'postgresql://ann@db.example/races?study=energy' mine.db
    """
    from surefoot.cli.show.console import busy, console
    from surefoot.journal import copy

    out = console()
    with busy(out, f"copying {source}"):
        copied = copy(source, target)
    out.print(str(copied), soft_wrap=True)
