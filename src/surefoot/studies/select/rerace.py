"""Rerace: a recorded race under other rules, on the losses the journal holds, training nothing."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Unpack

import numpy as np

from surefoot.errors import JournalError
from surefoot.journal import Journal, Known
from surefoot.racing import Race, RaceState
from surefoot.seeds.ledger import Role
from surefoot.showing import Shown
from surefoot.studies.description import RaceDescription
from surefoot.studies.options import RaceOptions
from surefoot.studies.race_record import RaceRecord, recorded_race
from surefoot.studies.troubles import explained


@dataclass(frozen=True, eq=False, repr=False)
class Rerace(Shown):
    """A race replayed under other rules.

    ``known`` is what the journal knows of every candidate, by key; ``state`` is where it ends on
    the recorded losses: with a winner, or at the first round that asks for instances nobody
    trained; ``original`` is where the journal's own rules lead.
    """

    race: Race
    record: RaceRecord
    known: Mapping[str, Known]
    state: RaceState
    original: RaceState

    @property
    def missing(self) -> Mapping[str, int]:
        """Number of instances that each candidate lacks for the round under way."""
        return Counter(key for key, _ in self.state.need)

    @property
    def used(self) -> int:
        """Recorded instances that its complete rounds judged."""
        return sum(self.state.instances().values())

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return the outcome in sentences."""
        state, said, known = self.state, [], self.known
        leader = state.ranking[0]
        if state.winner is not None:
            said.append(f"winner: {known[state.winner].label} ({state.winner})")
            if state.stopped:
                left = len(state.survivors)
                said.append(f"the race ended with {left:,} candidates left: {state.stopped}")
        elif state.current is not None:
            said.append(self._waiting())
            if state.rounds:
                said.append(f"best so far: {known[leader].label} ({leader})")
        before = self.original.winner
        if before is not None and state.winner is not None:
            said.append(
                "the journal's own rules have the same winner"
                if before == state.winner
                else f"under the journal's own rules: {known[before].label} ({before})"
            )
        return said

    def _waiting(self) -> str:
        current, lacking = self.state.current, self.missing
        assert current is not None
        total = sum(lacking.values())
        words = (
            f"no winner: round {current.number} asks for up to {current.upto} instances of each of "
            f"{current.survivors:,} candidates, but "
        )
        if self.state.baseline_need and not total:
            return words + f"{len(self.state.baseline_need)} of the baseline are not recorded"
        most = sorted(lacking.items(), key=lambda item: (-item[1], item[0]))[:3]
        whose = ", ".join(f"{count} of {self.known[key].label}" for key, count in most)
        more = ""
        if len(lacking) > 3:
            more = f" and {len(lacking) - 3:,} more candidate{'s' if len(lacking) > 4 else ''}"
        words += f"{total:,} are not recorded ({whose}{more})"
        recorded = int((~np.isnan(self.record.table.losses)).sum(axis=1).max())
        if current.upto > recorded:
            words += f"; no candidate has more than {recorded} on record"
        return words


def rerace(journal: Journal | str | os.PathLike[str], **rules: Unpack[RaceOptions]) -> Rerace:
    """Run a recorded race again under other rules, training nothing.

    Parameters
    ----------
    journal
        The file that `select` wrote, or the open journal.
    **rules
        Any of criterion, schedule, screen, rule, limit and max_instances, as for `select`; what is
        not given stays as `Race.changed` says. None takes a screen or limit away.

    Returns
    -------
    Rerace
        Where the race ends; ``state.winner`` is None where it asks for instances that nobody
        trained.

    Raises
    ------
    JournalError
        If there is no such journal, or it holds no race or no racing loss.
    ConfigurationError
        If the rule cannot judge the criterion, or screen or divergence leaves no candidate.

    Examples
    --------
    >>> import tempfile, surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> from surefoot.racing import Halving
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> sums = surefoot.SearchSpace.product(ScaledSum, window=["full", "3x3"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = surefoot.select(
    ...         sums, photons, loss="relative_rmse", sample_size=500, certify=0,
    ...         schedule=Halving(), journal=f"{folder}/race.db",
    ...     )
    ...     found = surefoot.rerace(f"{folder}/race.db", criterion="max")
    >>> found.race.criterion.name, found.state.over, len(found.missing)
    ('max', True, 0)
    """
    opened = nullcontext(journal) if isinstance(journal, Journal) else Journal.read(journal)
    with opened as recorded:
        study = RaceDescription.read(recorded.study)
        own = study.race
        race = own.changed(**rules)
        if race.screen is not None and study.baseline is None:
            raise JournalError(
                "a screen compares with a baseline, but the journal has none: leave the screen out"
            )
        record, known = recorded_race(recorded, race), recorded.candidates()
        if not record.table.count:
            raise JournalError("no racing instance is recorded yet: there is nothing to race again")
        original = RaceRecord(study, recorded_race(recorded).race)
        original.take(record)
        with explained(recorded, Role.RACE):
            return Rerace(record.race, record, known, record.state(), original.state())
