"""Where the command line writes, and what it says while something takes long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from surefoot.errors import SurefootError

FILE_WIDTH = 200


def console() -> Console:
    """Return a console on stdout that prints text as it is; in a file, lines may be long."""
    made = Console(highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = FILE_WIDTH
    return made


@contextmanager
def busy(out: Console, what: str) -> Iterator[None]:
    """Show a spinner in a terminal while something is done; nothing elsewhere."""
    if not out.is_terminal:
        yield
        return
    with out.status(what):
        yield


def check_folder(path: Path, what: str) -> None:
    """Raise `SurefootError` unless the folder of a file to be written exists."""
    if not path.parent.is_dir():
        raise SurefootError(
            f"{what} '{path}' cannot be written: make the folder '{path.parent}' first"
        )
