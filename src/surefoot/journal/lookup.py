"""Which journals there are in a place, and how one is opened: in a file or on a server."""

from __future__ import annotations

from pathlib import Path

from surefoot.errors import JournalError
from surefoot.journal.file import JournalFile, journals_in
from surefoot.journal.store import Store
from surefoot.places import Place


def open_store(place: Place, *, writable: bool) -> Store:
    """Open the tables of a journal, of those in memory and in files, or on a server.

    Raises `JournalError` if they cannot be opened so, or if there are none to be read.
    """
    if place.url:
        from surefoot.journal.server import JournalServer

        return JournalServer(place, writable=writable)
    file = None if place.file is None else place.file.absolute().resolve()
    if not writable and (file is None or not file.is_file()):
        raise JournalError(f"there is no journal {file or place}: give the path of an existing one")
    return JournalFile(file, writable=writable)


def journals_at(place: Place) -> list[tuple[Place, bool]]:
    """Return the journals in a folder or a database by name, and whether each is written to.

    Raises `JournalError` if there is no such folder, or the server cannot be reached.
    """
    if place.url:
        from surefoot.journal.server import journals_of

        return [one for one in journals_of(place) if place.study in ("", one[0].study)]
    folder = place.file or Path()
    if not folder.is_dir():
        raise JournalError(f"there is no folder {folder}: give one, or postgresql://…")
    return journals_in(folder)
