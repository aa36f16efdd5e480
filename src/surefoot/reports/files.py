"""Figures as files: the suffix says which kind."""

from __future__ import annotations

import re
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot.errors import ExportError
from surefoot.escaping import visible
from surefoot.replacing import MARK, check_target, replaced

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.ticker import Formatter

check_path = partial(check_target, suffixes=(".png", ".pdf", ".svg"), what="figure ")


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as its suffix says (.png at 150 dots per inch, .pdf, .svg); return the path.

    Raises `ExportError` if the suffix is another one, the file cannot be written, or one is in the
    way that surefoot did not write.
    """
    check_path(path)
    _neutralise(figure)
    kind, drawn = path.suffix.lower().removeprefix("."), BytesIO()
    metadata = {"Software" if kind == "png" else "Creator": MARK}
    figure.savefig(drawn, format=kind, dpi=150, metadata=metadata)
    with replaced(path, ExportError) as part:
        part.write_bytes(drawn.getvalue())
    return path


def picture(figure: Figure) -> bytes:
    """Return a figure as SVG, its text as text, the same bytes each time."""
    import matplotlib

    _neutralise(figure)
    file = BytesIO()
    options: Any = {"svg.fonttype": "none", "svg.hashsalt": MARK, "font.family": "sans-serif"}
    with matplotlib.rc_context(options):
        figure.savefig(file, format="svg", dpi=110, metadata={"Date": None, "Creator": MARK})
    return file.getvalue()


def _neutralise(figure: Figure) -> None:
    """Make every text of a figure `visible` and no formula; ticks of numbers stay as they are."""
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    ticks: set[int] = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, FixedFormatter | FuncFormatter):
                axis.set_major_formatter(FuncFormatter(partial(_tick, formatter)))
            ticks |= {id(label) for label in axis.get_ticklabels(which="both")}
            ticks.add(id(axis.get_offset_text()))
    for text in figure.findobj(Text):
        if id(text) not in ticks:
            text.set_text(visible(text.get_text()))
            text.set_parse_math(False)


def _tick(formatter: Formatter, value: float, place: int | None) -> str:
    """Return the name of a tick, of which a dollar begins no formula."""
    return re.sub(r"(?<!\\)\$", r"\\$", visible(formatter(value, place)))
