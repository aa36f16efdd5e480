"""``surefoot plot``: a figure of a journal."""

from __future__ import annotations

from pathlib import Path

from surefoot.cli.show.console import busy, console
from surefoot.journal import Journal
from surefoot.report.figures import check_path, save
from surefoot.report.journal_figures import draw_journal
from surefoot.studies.replay import find_candidate


def run(journal_path: Path, output: Path, what: str, candidate: str) -> None:
    """Run the command; errors are those of the parts."""
    check_path(output)
    out = console()
    with Journal.read(journal_path) as journal, busy(out, "drawing"):
        key = None if candidate == "winner" else find_candidate(journal, candidate)
        save(draw_journal(journal, what, key), output)
    out.print(str(output), soft_wrap=True)
