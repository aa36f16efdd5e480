"""How far a journal is: what is trained, what is left, how long that takes at the present pace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from surefoot.racing.state import ends_early, trainings_after
from surefoot.studies.description import AssessDescription, Description
from surefoot.studies.duration import duration_words
from surefoot.studies.journals import PLANNED, certified_groups

if TYPE_CHECKING:
    from surefoot.journal import Journal
    from surefoot.studies.select.selection import Selection

PAUSE = 120.0
"""Seconds without an outcome after which a study may have been interrupted; longer where its
outcomes usually are that far apart."""


@dataclass(frozen=True)
class Progress:
    """Instances ``done`` and those ``left`` as far as can be foreseen, None where nothing can.

    ``bounded`` says that fewer may be left: a screen or a test decides. ``pace`` is the seconds
    between outcomes lately, ``latest`` when the last was recorded; None before there are any.
    """

    done: int
    left: int | None
    bounded: bool = False
    pace: float | None = None
    latest: datetime | None = None

    @property
    def total(self) -> int | None:
        """All instances, as far as can be foreseen."""
        return None if self.left is None else self.done + self.left

    def state(self, now: datetime) -> str:
        """Return what a study does, in a few words; ``now`` is in UTC."""
        if self.left == 0:
            return "finished"
        if self.latest is None:
            return "waiting for its first outcome"
        silent = (now - self.latest).total_seconds()
        if silent > max(PAUSE, 10.0 * (self.pace or 0.0)):
            return f"no outcome for {duration_words(silent)}"
        return "training"

    def remaining(self, now: datetime) -> str:
        """Return how long what is left takes at the pace of late; empty where that is unknown."""
        if not self.left or self.pace is None or self.state(now) != "training":
            return ""
        about = "at most" if self.bounded else "about"
        return f"{about} {duration_words(self.left * self.pace)} left"

    def count(self) -> str:
        """Return how many instances are recorded, of how many."""
        if self.total is None or self.left == 0:
            return f"{self.done:,}"
        return f"{self.done:,} of {'at most' if self.bounded else 'about'} {self.total:,}"


def progress_of(
    journal: Journal, times: Sequence[datetime], selection: Selection | None = None
) -> Progress:
    """Return how far a journal is.

    ``times`` are those of its latest outcomes, the oldest first; ``selection`` is where its race
    stands, if it holds one.
    """
    done = journal.count()
    left, bounded = None, False
    if selection is not None:
        left, bounded = left_of(selection)
    else:
        study = Description.read(journal.study)
        if isinstance(study, AssessDescription):
            left = max(0, study.n * len(study.candidates) - done)
        elif isinstance(planned := journal.notes().get(PLANNED), int):
            left = max(0, planned - done)
    return Progress(done, left, bounded, pace_of(times), times[-1] if times else None)


def left_of(selection: Selection) -> tuple[int, bool]:
    """Return the instances that a race and its certificates still train, and whether at most."""
    record, state = selection.record, selection.state
    study, race = record.study, record.race
    groups = certified_groups(study, selection.known)
    certified = sum(len(one.losses) for one in selection.certificates.values())
    left = max(0, groups * study.certify - certified) if study.certify else 0
    if state.over or state.current is None:
        return left, False
    endless = study.max_instances is None and study.rule.max_instances is not None
    plan = () if endless else race.plan(record.mean_cost)
    left += len(state.need) + len(record.baseline_needs(state))
    return left + trainings_after(plan, state.current), ends_early(plan)


def pace_of(times: Sequence[datetime]) -> float | None:
    """Return the seconds between outcomes since the last break; None for fewer than two outcomes.

    A break is a gap of two minutes that is also twenty times as long as usual ones.
    """
    gaps = [(later - one).total_seconds() for one, later in pairwise(times)]
    if not gaps:
        return None
    usual = max(PAUSE, 20.0 * median(gaps))
    since = max((place for place, gap in enumerate(gaps, start=1) if gap > usual), default=0)
    lately = gaps[since:]
    return sum(lately) / len(lately) if lately else None
