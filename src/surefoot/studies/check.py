"""`check`: whether a journal still holds what was written, and what its trainings gave."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from surefoot.errors import SurefootError
from surefoot.instances import Outcome, Setting, Status
from surefoot.journal import Journal, Verified, verify
from surefoot.studies.recorded_setting import recorded_setting
from surefoot.studies.replay import difference, train_recorded


@dataclass(frozen=True, eq=False)
class Replayed:
    """A recorded instance of the candidate called ``label``, and the same one trained again."""

    label: str
    recorded: Outcome
    again: Outcome

    @property
    def difference(self) -> str:
        """Where status, loss or curve differ in a bit; empty if nowhere."""
        return difference(self.recorded, self.again)

    def __str__(self) -> str:
        one = self.recorded
        return (
            f"instance {one.instance} ({one.role.name.lower()}) of {self.label}, loss "
            f"{one.loss:.6g}: {self.difference or 'the same to the last bit'}"
        )


@dataclass(frozen=True, eq=False)
class Checked:
    """A journal that holds what was written, and those of its instances trained again."""

    verified: Verified
    replayed: tuple[Replayed, ...]

    @property
    def same(self) -> bool:
        """Whether every instance trained again gave its record, bit for bit."""
        return not any(one.difference for one in self.replayed)

    def __str__(self) -> str:
        return "\n".join(map(str, (self.verified, *self.replayed)))


def check(
    journal: str | os.PathLike[str],
    replays: int = 0,
    *,
    setting: Setting | None = None,
    seed: int | None = None,
) -> Checked:
    """Check a journal's digests and train some of its instances again.

    Parameters
    ----------
    journal
        Path of a recorded study.
    replays
        How many instances, drawn at random from those that did not fail, to train again.
    setting
        The study's; None to load its population from where the journal says it came from.
    seed
        Of the choice of instances; None for another one each time.

    Raises
    ------
    JournalError
        If a row is not the one that was written (the message says which), or the journal cannot be
        read.
    SurefootError
        If there are to be fewer than 0 replays.
    """
    if replays < 0:
        raise SurefootError(f"replays = {replays} cannot be: give 0 or more")
    verified = verify(journal)
    if not replays:
        return Checked(verified, ())
    with Journal.read(journal) as record:
        known, setting = record.candidates(), setting or recorded_setting(record)
        outcomes = [o for o in record.outcomes() if o.status is not Status.FAILED]
        chosen = np.random.default_rng(seed).permutation(len(outcomes))[:replays]
        return Checked(
            verified,
            tuple(
                Replayed(known[one.candidate].label, one, _again(record, setting, one))
                for one in (outcomes[place] for place in sorted(chosen))
            ),
        )


def _again(journal: Journal, setting: Setting, one: Outcome) -> Outcome:
    _, training = train_recorded(
        journal, setting, one.candidate, one.instance, one.role, sample=one.sample
    )
    return training.outcome
