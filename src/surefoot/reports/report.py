"""A report of a journal: everything there is to see in it, as one page that can be mailed."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

from surefoot.errors import ExportError
from surefoot.journal import Journal, Place
from surefoot.replacing import check_target, overwriting, replaced
from surefoot.reports.page import page_of
from surefoot.reports.sketch import bokeh
from surefoot.reports.views.kinds import heading, views_of

SUFFIXES = (".html", ".htm")


def report(
    journal: Journal | Place | str | os.PathLike[str],
    path: str | os.PathLike[str] | None = None,
    *,
    overwrite: bool = False,
) -> Path:
    """Write what a journal shows as one HTML file that needs nothing else, and return its path.

    Parameters
    ----------
    journal
        An open journal, its file, or where it is on a server; of any kind of study, also of one
        that still runs.
    path
        The file, ``.html``; None for the journal's name with ``.html``, here.
    overwrite
        Whether a file in the way may be replaced that surefoot did not write.

    Raises
    ------
    JournalError
        If the journal cannot be read.
    ExportError
        If the file cannot be written.
    MissingExtraError
        If ``surefoot[web]`` is not installed.

    Examples
    --------
    >>> import tempfile, surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     race = f"{folder}/sum.db"
    ...     found = surefoot.assess(ScaledSum(), photons, sample_size=500, n=5, journal=race)
    ...     page = surefoot.report(race, f"{folder}/sum.html")
    ...     page.name, page.read_text()[:15]
    ('sum.html', '<!DOCTYPE html>')
    """
    bokeh("plotting")
    opened = nullcontext(journal) if isinstance(journal, Journal) else Journal.read(journal)
    with overwriting(overwrite), opened as recorded:
        file = Path(f"{recorded.place.stem}.html") if path is None else Path(path)
        check_target(file, SUFFIXES, "report ")
        page = page_of(*heading(recorded), views_of(recorded))
        with replaced(file, ExportError) as part:
            part.write_text(page, encoding="utf-8")
    return file
