"""``surefoot report``: everything there is to see in a journal, as one page."""

from pathlib import Path
from typing import Annotated

from surefoot.cli.options import JournalArgument, option


def report(
    journal: JournalArgument,
    output: Annotated[
        Path | None, option("--output -o FILE", "The page: .html.", "the journal's name, here")
    ] = None,
) -> None:
    """Write a report: one HTML file, to look at in any browser and to mail.

    The verdict and what it rests on, figures that can be pointed at, tables that
    sort, and where all of it comes from. It needs no network, and without
    scripts it shows pictures. Any study has one, also while it runs.

    [bold]Examples[/bold]

      [dim]energy.html, of the journal that select wrote.[/dim]
      surefoot report energy.db

      [dim]Under another name.[/dim]
      surefoot report energy.db -o to-mail.html
    """
    from surefoot.cli.show.console import busy, console
    from surefoot.reports.report import report as write

    out = console()
    with busy(out, "drawing"):
        written = write(journal, output)
    out.print(str(written), soft_wrap=True)
