"""What a journal of any kind of study says, in words and tables: its views without the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surefoot.cli.show.console import say_lines, table
from surefoot.reports.views.kinds import heading, views_of
from surefoot.studies.text import lines_of

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.journal import Journal
    from surefoot.reports.views.chart import View


def say_views(out: Console, journal: Journal) -> None:
    """Print what a journal is about, and the words and tables of its views but the appendix."""
    name, (_, about) = journal.notes().get("study", {}).get("name"), heading(journal)
    out.print(f"{name}: {about}" if name else about, style="bold", soft_wrap=True)
    for view in views_of(journal):
        nothing_failed = view.name == "failures" and not view.tables
        if view.appendix or nothing_failed or view.name == "provenance":
            continue
        say_view(out, view)


def say_view(out: Console, view: View) -> None:
    """Print the words and tables of a view."""
    if view.words:
        out.print()
        say_lines(out, lines_of(view.words))
    for one in view.tables:
        numbers = [column.name for column in one.columns if column.numbers is not None]
        shown = table(*(column.name for column in one.columns), right=numbers)
        for cells in zip(*(column.cells for column in one.columns), strict=True):
            shown.add_row(*cells)
        out.print()
        if one.title:
            out.print(one.title, style="dim", soft_wrap=True)
        out.print(shown)
