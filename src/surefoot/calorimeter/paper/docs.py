"""The table of claims in a document, between two marks, as verdicts write it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from surefoot.calorimeter.paper.verdicts import Verdict
from surefoot.errors import ExportError
from surefoot.replacing import replaced

BEGIN, END = "<!-- verdicts: begin -->", "<!-- verdicts: end -->"
"""The marks between which the table stands."""
_BETWEEN = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)


def write_verdicts(file: Path, verdicts: Sequence[Verdict]) -> None:
    """Write a table of verdicts between the marks of a Markdown file.

    Raises `ExportError` if the file cannot be read or has no marks.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ExportError(f"'{file}' cannot be read: {error.strerror}") from None
    if len(_BETWEEN.findall(text)) != 1:
        raise ExportError(f"'{file}' needs the marks {BEGIN} and {END} once, for the table")
    table = f"{BEGIN}\n{markdown(verdicts)}\n{END}"
    with replaced(file, ExportError) as part:
        part.write_text(_BETWEEN.sub(lambda _: table, text), encoding="utf-8")


def markdown(verdicts: Sequence[Verdict]) -> str:
    """Return verdicts as a Markdown table: claim, verdict, figures, scale."""
    rows = ["| # | the paper's claim | verdict | figures | scale |", "|-|-|-|-|-|"]
    for one in verdicts:
        cells = (str(one.claim.number), one.claim.text, f"**{one.word}**", one.figures, one.scale)
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows)
