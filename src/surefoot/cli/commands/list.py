"""``surefoot list``: what a study file may name here."""

from typing import Annotated

import typer

from surefoot.cli.options import JsonOption


def kinds() -> list[str]:
    """Return what can be listed, for a shell that completes."""
    from surefoot.study_files.available import KINDS

    return list(KINDS)


def list_(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="WHAT",
            help="Which; all unless given.",
            show_default=False,
            autocompletion=kinds,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """List criteria, schedules, rules, rungs, losses, engines, datasets or families of candidates.

    Those of other packages that are installed here are among them.

    [bold]Examples[/bold]

      [dim]What a race may compare.[/dim]
      surefoot list criteria

      [dim]Everything, for a program.[/dim]
      surefoot list --json
    """
    from surefoot.cli.show.console import console, say_json, table
    from surefoot.study_files.available import KINDS, available

    found = {kind: available(kind) for kind in ([what] if what else KINDS)}
    if json:
        say_json(found)
        return
    out = console()
    for number, (kind, names) in enumerate(found.items()):
        if number:
            out.print()
        shown = table(kind, "what")
        for name, words in names.items():
            shown.add_row(name, words)
        out.print(shown)
