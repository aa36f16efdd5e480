"""``surefoot watch``: journals as pages that live while they are written."""

from typing import Annotated

import typer

from surefoot.cli.options import option
from surefoot.places import Place


def watch(
    journal: Annotated[
        Place,
        typer.Argument(
            metavar="JOURNAL",
            help="A journal: its file or its URL on a server; or a folder or database of them.",
            parser=Place.of,
        ),
    ],
    host: Annotated[
        str, option("--host HOST", "Where to listen; elsewhere than here a token is demanded.")
    ] = "127.0.0.1",
    port: Annotated[int, option("--port -p N", "The port; 0 takes a free one.")] = 5006,
    token: Annotated[
        str,
        option(
            "--token TOKEN",
            "What browsers must know, 16 characters or more.",
            "made where one is demanded",
        ),
    ] = "",
    no_browser: Annotated[bool, option("--no-browser", "Open no browser here.")] = False,
) -> None:
    """Watch a race in the browser while it runs, or look at one that has ended.

    Progress, rounds and figures renew themselves as outcomes are recorded. Only
    this machine can look, and nothing can be changed from the page.

    [bold]Examples[/bold]

      [dim]A race that runs, in another terminal or on a cluster.[/dim]
      surefoot watch energy.db

      [dim]All journals of a folder, in a list.[/dim]
      surefoot watch runs/

      [dim]On a login node; then, at home, ssh -L 5006:localhost:5006 and the address.[/dim]
      surefoot watch energy.db --no-browser

      [dim]For everybody in the network who has the address with its token.[/dim]
      surefoot watch runs/ --host 0.0.0.0
    """
    import logging

    from surefoot.cli.show.console import console
    from surefoot.reports.live.server import watch as serve

    out = console()
    for name in ("bokeh", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    serve(
        journal,
        host=host,
        port=port,
        token=token,
        browser=not no_browser,
        say=lambda url: out.print(f"{journal}: {url} (Ctrl-C ends)", soft_wrap=True),
    )
