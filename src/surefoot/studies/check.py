"""`check`: whether a journal still holds what was written, and what its trainings gave."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from surefoot.errors import ConfigurationError
from surefoot.instances import Setting, Status
from surefoot.journal import Journal, Verified, verify
from surefoot.studies.recorded_setting import recorded_setting
from surefoot.studies.replay import Replayed, train_recorded


@dataclass(frozen=True, eq=False)
class Checked:
    """A journal that holds what was written, and those of its instances trained again."""

    verified: Verified
    replayed: tuple[Replayed, ...]

    @property
    def same(self) -> bool:
        """Whether every instance trained again gave its record, bit for bit."""
        return all(one.same for one in self.replayed)

    def __str__(self) -> str:
        lines = [
            f"instance {one.recorded.instance} ({one.recorded.role.name.lower()}) of {one.label}, "
            f"loss {one.recorded.loss:.6g}: {one.difference or 'the same to the last bit'}"
            for one in self.replayed
        ]
        return "\n".join([str(self.verified), *lines])


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
    ConfigurationError
        If there are to be fewer than 0 replays.
    """
    if replays < 0:
        raise ConfigurationError(f"replays = {replays} cannot be: give 0 or more")
    verified = verify(journal)
    if not replays:
        return Checked(verified, ())
    with Journal.read(journal) as record:
        known, setting = record.candidates(), setting or recorded_setting(record)
        outcomes = [o for o in record.outcomes() if o.status is not Status.FAILED]
        chosen = np.random.default_rng(seed).permutation(len(outcomes))[:replays]
        replayed = []
        for one in (outcomes[place] for place in sorted(chosen)):
            key, number, sample = one.candidate, one.instance, one.sample
            _, training = train_recorded(record, setting, key, number, one.role, sample=sample)
            replayed.append(Replayed(known[key].label, one, training))
    return Checked(verified, tuple(replayed))
