"""The journals in a folder or in a database: what each is about, and how far it has come."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from surefoot.errors import RaceError, SurefootError
from surefoot.journal import Journal, Known, Place, journals_at
from surefoot.journal.descriptions import canonical
from surefoot.seeds.ledger import Role
from surefoot.studies.description import AssessDescription, Description, RaceDescription
from surefoot.studies.race_record import recorded_race

State = Literal["running", "finished", "open", "unreadable"]
PLANNED = "instances"
"""Name of the note that says how many instances a study with fixed instances has."""


@dataclass(frozen=True)
class Listed:
    """A journal in a folder or a database.

    ``state`` is ``running`` while somebody writes to it, ``finished`` when nothing is left to be
    trained, else ``open``: its study goes on where it was. ``kind`` is the study's, ``progress``
    how far it has come in words; of a journal that is ``unreadable`` they say why. ``instances``
    are recorded, the last of them at ``written`` (UTC; None if there is none).
    """

    place: Place
    name: str
    state: State
    kind: str
    progress: str
    instances: int = 0
    written: datetime | None = None


def journals(where: str | os.PathLike[str] = ".") -> list[Listed]:
    """Return the journals of a folder, or of a database on a server, by name.

    Parameters
    ----------
    where
        The folder, or ``postgresql://user@host/database``.

    Raises
    ------
    JournalError
        If there is no such folder, or the server cannot be reached.
    MissingExtraError
        For a server without ``surefoot[postgres]``.
    """
    return [listed(place, busy) for place, busy in journals_at(Place.of(where))]


def listed(place: Place, busy: bool = False) -> Listed:
    """Return what a journal is about; ``busy`` says that somebody writes to it."""
    name = place.study if place.file is None else place.file.name
    try:
        with Journal.read(place) as journal:
            kind = str(journal.study.get("kind"))
            over, words = progress(journal)
            state: State = "running" if busy else "finished" if over else "open"
            latest = journal.latest(1)
            when = latest[0][0] if latest else None
            return Listed(place, name, state, kind, words, journal.count(), when)
    except SurefootError as error:
        return Listed(place, name, "unreadable", "", str(error))


def progress(journal: Journal) -> tuple[bool, str]:
    """Return whether nothing is left to be trained, and how far it is in words."""
    study = Description.read(journal.study)
    if isinstance(study, RaceDescription):
        return _race(journal, study)
    done = journal.count()
    if isinstance(study, AssessDescription):
        return done >= study.n, f"{done:,} of {study.n:,} instances"
    planned = journal.notes().get(PLANNED)
    if not isinstance(planned, int):
        return False, f"{done:,} instances"
    return done >= planned, f"{done:,} of {planned:,} instances"


def _race(journal: Journal, study: RaceDescription) -> tuple[bool, str]:
    try:
        state = recorded_race(journal).state()
    except RaceError:
        return True, "the race ended without a winner"
    if not state.over:
        left = f"{len(state.survivors):,} of {len(study.candidates):,} candidates left"
        return False, f"round {len(state.rounds) + 1}, {left}"
    groups = certified_groups(study, journal.candidates())
    fresh, wanted = journal.count(Role.CERTIFY), groups * study.certify
    rounds = f"the race's {len(state.rounds)} rounds"
    if not wanted:
        return True, rounds
    return fresh >= wanted, f"{rounds}, {fresh:,} of {wanted:,} certified"


def certified_groups(study: RaceDescription, known: Mapping[str, Known]) -> int:
    """Return how many candidates a race certifies; ``known`` are all by key."""
    name = study.certify_best_of
    if not name:
        return 1
    return len({canonical({"value": known[key].spec.get(name)}) for key in study.candidates})
