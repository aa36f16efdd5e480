"""Journals followed: what is new in them is read as it comes, and at rest next to nothing is done.

Only journals that somebody looks at are read. One thread asks twice a second whether one has
changed (of a file its time and size, of a server the length of the chain) and tells what is new;
another makes the views, which takes longer, from a connection of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from surefoot.errors import JournalError, RaceError, SurefootError
from surefoot.instances import Outcome, Status
from surefoot.journal import (
    Identity,
    Journal,
    Known,
    Measure,
    Place,
    Role,
    identity,
    journals_at,
)
from surefoot.journal.file import is_journal
from surefoot.journal.store import Store
from surefoot.reports.live.progress import Progress, progress_of
from surefoot.reports.views.chart import View
from surefoot.reports.views.kinds import heading, views_of
from surefoot.studies.race_record import RaceRecord, recorded_certificates, recorded_race
from surefoot.studies.select.selection import Selection

POLL = 0.5
"""Seconds between two looks at a journal; more where a look takes long."""
LONGEST = 1.5
"""Seconds between two looks at most."""
AGAIN = 2.0
"""Seconds after which new journals are looked for again."""
RETRY = 5.0
"""Seconds after which a journal that could not be read is tried again."""
SHARE = 0.2
"""Share of the time that is spent on views at most; what is trained counts first."""
KEPT = 8
"""Latest outcomes that are shown."""
FORGOTTEN = 10.0
"""Seconds after which nobody looks at the list any more."""


@dataclass(frozen=True)
class Snapshot:
    """What there is to see of a journal.

    ``title`` is what it is called and ``about`` what it is about. ``latest`` are its latest
    outcomes and when they were recorded, the last one last; ``labels`` those of its candidates by
    key; ``standing`` the round under way in a sentence. ``trouble`` is why there is no more, in a
    sentence. ``number`` counts the snapshots.
    """

    name: str
    number: int = 0
    title: str = ""
    about: str = ""
    progress: Progress | None = None
    latest: tuple[tuple[datetime, Outcome], ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    standing: str = ""
    views: tuple[View, ...] = ()
    trouble: str = ""

    def state(self, now: datetime) -> str:
        """Return what its study does, in a few words; ``now`` is in UTC."""
        if self.progress is None:
            return "cannot be read" if self.trouble else "being read"
        return "ended without a winner" if self.trouble else self.progress.state(now)


class _Kept(Journal):
    """A journal that is read on and on: what it held before is not read again."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._measures: dict[Role, dict[Identity, Measure]] = {}
        self._known: dict[str, Known] = {}

    def catch_up(self) -> list[Outcome]:
        """Take in what is new."""
        new = super().catch_up()
        for one in new:
            if one.role in self._measures:
                values = one.instance, one.sample, one.loss, one.seconds, one.epochs
                measure = Measure(one.candidate, one.role, *values)
                self._measures[one.role][identity(one)] = measure
        return new

    def measures(self, role: Role) -> list[Measure]:
        """Return the outcomes of a role without their curves, as of when it caught up last."""
        if role not in self._measures:
            self._measures[role] = {identity(one): one for one in super().measures(role)}
        return list(self._measures[role].values())

    def candidates(self) -> dict[str, Known]:
        """Return every declared candidate by key."""
        if len(self._known) < len(self._numbers):
            self._known = super().candidates()
        return self._known


class Followed:
    """A journal that is read on and on: `look` from one thread, `draw` from another.

    Parameters
    ----------
    name
        How pages call it.
    place
        Where it is.
    """

    def __init__(self, name: str, place: Place) -> None:
        self.snapshot = Snapshot(name)
        self._place = place
        self._telling, self._closing = threading.Lock(), threading.Lock()
        self._journal: _Kept | None = None
        self._mark: object = None
        self._again = 0.0
        self._selection: Selection | None = None
        self._record: RaceRecord | None = None
        self._study: Mapping[str, Any] = {}
        self._failed: set[Identity] = set()
        self._drawing: _Kept | None = None
        self._drawn_file: object = None
        self._due, self._stale = 0.0, True

    def look(self) -> bool:
        """Take in what is new; say whether there is anything."""
        mark, now = _mark_of(self._place), time.monotonic()
        if now < self._again or (mark is not None and mark == self._mark):
            return False
        try:
            new = self._read(mark)
        except SurefootError as error:
            self.rest()
            self._mark, self._again = mark, now + RETRY
            if str(error) == self.snapshot.trouble:
                return False
            self._tell(progress=None, trouble=str(error))
            return True
        self._mark = mark
        return new

    def draw(self) -> bool:
        """Make the views anew if they are stale and due; say whether they were.

        After views that took long it is a while before they are made again.
        """
        began, file = time.monotonic(), _file(self._mark)
        if not self._stale or began < self._due:
            return False
        self._stale = False
        try:
            if self._drawing is None or file != self._drawn_file:
                self.put_down()
                self._drawing, self._drawn_file = _Kept.read(self._place), file
            else:
                self._drawing.catch_up()
            self._tell(views=tuple(views_of(self._drawing)))
        except SurefootError as error:
            self.put_down()
            self._tell(trouble=str(error))
        self._due = began + (time.monotonic() - began) / SHARE
        return True

    def rest(self) -> None:
        """Close what is looked at until there is something new."""
        if self._journal is not None:
            self._close(self._journal)
        self._journal = None

    def put_down(self) -> None:
        """Close what the views are made from until they are wanted again."""
        if self._drawing is not None:
            self._close(self._drawing)
            self._stale = True
        self._drawing = None

    def _read(self, mark: object) -> bool:
        """Read what is new, all of it the first time; say whether there is anything."""
        journal, new = self._journal, []
        if journal is not None and journal.chain.length and _file(mark) == _file(self._mark):
            new = journal.catch_up()
            if not new:
                return False
        else:
            self.rest()
            self._journal = journal = _Kept.read(self._place)
            self._record = None
        latest, labels, trouble = journal.latest(), self.snapshot.labels, ""
        if any(one.candidate not in labels for _, one in latest):
            labels = {key: one.label for key, one in journal.candidates().items()}
        try:
            self._selection = self._select(journal, new)
        except RaceError as error:
            self._selection, trouble = None, str(error)
        self._stale = True
        title, about = heading(journal)
        self._tell(
            title=title,
            about=about,
            progress=progress_of(journal, [when for when, _ in latest], self._selection),
            latest=tuple(latest[-KEPT:]),
            labels=labels,
            standing="" if self._selection is None else self._selection.standing(),
            trouble=trouble,
        )
        return True

    def _select(self, journal: Journal, new: Sequence[Outcome]) -> Selection | None:
        """Return where the race stands after new outcomes; None if the journal holds none."""
        if journal.study.get("kind") != "select":
            return None
        again = any(identity(one) in self._failed for one in new) if self._record else True
        if self._record is None or again or self._study != journal.study:
            self._record, self._study = recorded_race(journal), journal.study
            self._failed = journal.failed()
        else:
            self._record.add(one for one in new if one.role is Role.RACE)
            self._failed |= {identity(one) for one in new if one.status is Status.FAILED}
        record, state = self._record, self._record.state()
        certificates = recorded_certificates(journal, state)
        return Selection(record, state, certificates, journal.candidates(), journal.place)

    def _close(self, journal: Journal) -> None:
        """Close a connection: one after the other, so that the last clears SQLite's log away."""
        with self._closing:
            journal.close()

    def _tell(self, **news: Any) -> None:
        with self._telling:
            self.snapshot = replace(self.snapshot, number=self.snapshot.number + 1, **news)


def _mark_of(place: Place) -> tuple[tuple[int, int, int], ...] | None:
    """Return what tells whether a file was written to; None of a journal on a server."""
    if place.file is None:
        return None
    marks = []
    for path in (place.file, place.file.with_name(place.file.name + "-wal")):
        with suppress(OSError):
            status = path.stat()
            marks.append((status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(marks)


def _file(mark: object) -> object:
    """Return which file a mark is of."""
    return mark[0][0] if isinstance(mark, tuple) and mark else None


Wanted = Mapping[str, Sequence[Callable[[Snapshot], None]]]
"""Who looks at which journal."""


class Reader:
    """Follows the journals that somebody looks at, in threads of its own.

    Parameters
    ----------
    where
        A journal; or a folder or a database of journals, in which new ones are found while it is
        followed: ``many``.

    Raises
    ------
    JournalError
        If there is no journal.
    """

    def __init__(self, where: Place) -> None:
        self.where = where
        self.many = not where.study if where.file is None else where.file.is_dir()
        self._found = 0.0
        self._followed: dict[str, Followed] = {}
        self._watching: dict[str, list[Callable[[Snapshot], None]]] = {}
        self._asked, self._ending = 0.0, False
        self._wake = threading.Condition()
        self._threads = [
            threading.Thread(target=self._go_on, args=[step], name="surefoot watch", daemon=True)
            for step in (self._look, self._draw)
        ]
        if not self.many:
            Journal.read(where).close()
        self._find()
        if not self._followed:
            raise JournalError(
                f"there is no journal in {where}: give a journal, or a folder that has some"
            )

    @property
    def names(self) -> list[str]:
        """What the journals are called."""
        return list(self._followed)

    def snapshot(self, name: str) -> Snapshot | None:
        """Return what is known of a journal by now; None of one that is not there."""
        found = self._followed.get(name)
        return None if found is None else found.snapshot

    def listed(self) -> Sequence[Snapshot]:
        """Return what is known of all journals, and follow them for a while."""
        with self._wake:
            self._asked = time.monotonic()
            self._wake.notify_all()
        return [one.snapshot for _, one in sorted(self._followed.items())]

    def watch(self, name: str, told: Callable[[Snapshot], None]) -> None:
        """Have a function called with every new snapshot of a journal, from one of its threads."""
        with self._wake:
            self._watching.setdefault(name, []).append(told)
            self._wake.notify_all()

    def leave(self, name: str, told: Callable[[Snapshot], None]) -> None:
        """Have it called no more."""
        with self._wake, suppress(ValueError, KeyError):
            self._watching[name].remove(told)

    def start(self) -> None:
        """Begin to follow."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads and close the journals."""
        with self._wake:
            self._ending = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()

    def _find(self) -> None:
        """Find the journals that there are by now; those known are left alone."""
        self._found = time.monotonic()
        if not self.many:
            places = {self.where.stem: self.where}
        elif self.where.file is None:
            places = {place.stem: place for place, _ in journals_at(self.where)}
        else:
            new = (one for one in self.where.file.iterdir() if one.name not in self._followed)
            places = {one.name: Place(one) for one in new if one.is_file() and is_journal(one)}
        for name, place in sorted(places.items()):
            self._followed.setdefault(name, Followed(name, place))

    def _go_on(self, step: Callable[[Wanted], None]) -> None:
        """Take a step twice a second while anybody looks at anything, and one when nobody does."""
        while not self._ending:
            began, wanted = time.monotonic(), self._wanted()
            step(wanted or {})
            pause = min(LONGEST, max(POLL, 5.0 * (time.monotonic() - began)))
            with self._wake:
                if wanted is None:
                    self._wake.wait_for(lambda: self._ending or self._wanted() is not None)
                else:
                    self._wake.wait_for(lambda: self._ending, pause)
        step({})

    def _look(self, wanted: Wanted) -> None:
        """Tell what is new."""
        listed = self._is_listed() and not self._ending
        if listed and self.many and time.monotonic() - self._found > AGAIN:
            with suppress(JournalError, OSError):
                self._find()
        for name, followed in list(self._followed.items()):
            if (listed or name in wanted) and followed.look():
                for told in wanted.get(name, ()):
                    told(followed.snapshot)
            training = followed.snapshot.state(datetime.now(UTC)) == "training"
            if name not in wanted and not (listed and training):
                followed.rest()

    def _draw(self, wanted: Wanted) -> None:
        """Make the views of what somebody looks at."""
        for name, followed in list(self._followed.items()):
            if name not in wanted:
                followed.put_down()
            elif followed.snapshot.progress is not None and followed.draw():
                for told in wanted[name]:
                    told(followed.snapshot)

    def _is_listed(self) -> bool:
        return bool(self._asked) and time.monotonic() - self._asked < FORGOTTEN

    def _wanted(self) -> Wanted | None:
        """Return who looks at which journal; None if nobody looks at anything."""
        wanted = {name: list(told) for name, told in self._watching.items() if told}
        return wanted if wanted or self._is_listed() else None
