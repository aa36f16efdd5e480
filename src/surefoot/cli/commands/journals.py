"""``surefoot journals``: the journals of a folder or a database, and how far each has come."""

from typing import Annotated

import typer

from surefoot.cli.options import JsonOption
from surefoot.places import Place


def journals(
    where: Annotated[
        Place | None,
        typer.Argument(
            metavar="WHERE",
            help="A folder, or postgresql://user@host/database.",
            show_default="this folder",
            parser=Place.of,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the journals of a folder or a database: state, progress, kind, last write.

    running: somebody writes to it now. finished: nothing is left to be trained.
    open: its study goes on where it was.

    [bold]Examples[/bold]

      [dim]The files of this folder, and of another.[/dim]
      surefoot journals
      surefoot journals runs

      [dim]What a group keeps on its server.[/dim]
      surefoot journals postgresql://ann@db.example/races

      [dim]The same, for a program.[/dim]
      surefoot journals runs --json
    """
    from surefoot.cli.show.console import bar, console, say_json, table
    from surefoot.cli.show.plain import listed_values
    from surefoot.journal import journals_at
    from surefoot.studies.journals import listed

    out, place = console(), where or Place.of(".")
    found = journals_at(place)
    if json:
        say_json([listed_values(listed(one, busy)) for one, busy in found])
        return
    if not found:
        out.print(f"no journal is in {place.file or place}", soft_wrap=True)
        return
    shown = table("journal", "state", "progress", "kind", "last write (UTC)")
    with bar(out, "reading", len(found)) as advance:
        for one, busy in found:
            about = listed(one, busy)
            when = f"{about.written:%Y-%m-%d %H:%M:%S}" if about.written else ""
            shown.add_row(about.name, about.state, about.progress, about.kind, when)
            advance(1)
    out.print(shown)
