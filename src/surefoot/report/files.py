"""Figures as files: the suffix says which kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.errors import ExportError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".pdf", ".svg")


def check_path(path: Path) -> None:
    """Raise `ExportError` unless a figure can be written to a file of this name."""
    if path.suffix.lower() not in SUFFIXES:
        raise ExportError(
            f"figure '{path}' has the suffix {path.suffix or '(none)'!r}: use one of "
            + ", ".join(SUFFIXES)
        )
    if not path.parent.is_dir():
        raise ExportError(f"figure '{path}' cannot be written: '{path.parent}' is no directory")


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as its suffix says (.png at 150 dots per inch, .pdf, .svg); return the path.

    Raises
    ------
    ExportError
        If the suffix is another one or the file cannot be written.
    """
    check_path(path)
    metadata = {"Creator": "surefoot"} if path.suffix.lower() != ".png" else {}
    try:
        figure.savefig(path, dpi=150, metadata=metadata)
    except OSError as error:
        raise ExportError(f"figure '{path}' cannot be written: {error.strerror}") from None
    return path
