"""Recorded instances trained again, alone, in this process, and to the same loss.

For that the setting is that of the journal as the journal itself remembers it, its population
loaded again.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from surefoot.candidates.trust import trust as trusting
from surefoot.checks import known
from surefoot.data.files import load_population, resolved
from surefoot.data.population import Population
from surefoot.engines.choose import Chooser
from surefoot.engines.devices import engine_and_device
from surefoot.errors import (
    ConfigurationError,
    JournalError,
    JournalMismatchError,
    SurefootError,
)
from surefoot.instances import Instance, Outcome, Setting, Status, Training
from surefoot.journal import Journal, Verified, verify
from surefoot.seeds.ledger import Role
from surefoot.showing import Shown
from surefoot.studies.description import Description, SizesDescription, rebuild_candidate
from surefoot.studies.race_record import recorded_race
from surefoot.studies.search.result import recorded_search

_INSTEAD = "give the study file with --study, or in Python the setting"


@dataclass(frozen=True, eq=False, repr=False)
class Replayed(Shown):
    """What the journal holds of an instance of a candidate, and its training again."""

    label: str
    recorded: Outcome
    training: Training

    @property
    def same(self) -> bool:
        """Whether status, loss and every value of the curve agree to the last bit."""
        return not self.difference

    @property
    def difference(self) -> str:
        """Where the two differ, in words; "" if nowhere."""
        recorded, again = self.recorded, self.training.outcome
        if recorded.status is not again.status:
            return f"different: {recorded.status} became {again.status} {again.message}".rstrip()
        losses = np.array([recorded.loss, again.loss])
        if losses[0].tobytes() == losses[1].tobytes() and (
            recorded.curve.tobytes() == again.curve.tobytes()
        ):
            return ""
        shared = min(recorded.epochs, again.epochs)
        apart = np.flatnonzero(recorded.curve[:shared] != again.curve[:shared])
        where = f"from epoch {apart[0] + 1}" if apart.size else f"after epoch {shared}"
        share = abs(again.loss - recorded.loss) / abs(recorded.loss)
        reason = "" if recorded.engine == again.engine else ", by another engine"
        return f"different {where}: the losses are {share:.2e} apart{reason}"

    def __str__(self) -> str:
        one = self.recorded
        lines = [
            f"{name:<10}loss {outcome.loss!r}  {outcome.status}  {outcome.epochs} epochs  "
            f"{outcome.seconds:.2f} s  {outcome.engine}"
            for name, outcome in (("recorded", one), ("again", self.training.outcome))
        ]
        name = f"{one.role.name.lower()} instance {one.instance}"
        verdict = self.difference or "the same: status, loss and curve agree to the last bit"
        return "\n".join([f"{self.label}  (key {one.candidate}), {name}", *lines, verdict])


def replay(
    journal: str | os.PathLike[str],
    candidate: str = "winner",
    instance: int = 0,
    *,
    role: Role | str = "race",
    engine: str | None = None,
    sample: int | None = None,
    setting: Setting | None = None,
    trust: str | Iterable[str] = (),
) -> Replayed:
    """Train a recorded instance again, from its seeds, and compare with the record.

    The same engine must give the same loss to the last bit.

    Parameters
    ----------
    journal
        Path of a recorded study.
    candidate
        Key, start of a key, label or ``winner``.
    instance, role
        Number of the instance, and what it was for: ``race``, ``certify``, ``assess``, …
    engine
        Who trains it; None for the engine of the record, on the device that was asked for.
    sample
        Training examples, where a study of sample sizes recorded the instance at several.
    setting
        The study's; None to load its population from where the journal says it came from.
    trust
        Packages, modules or import paths whose code the journal may name, in this process.

    Raises
    ------
    ConfigurationError
        If there is no such role.
    JournalError
        If the journal cannot be read or holds no such instance.
    JournalMismatchError
        If the setting is not the journal's.

    Examples
    --------
    >>> import tempfile, surefoot
    >>> from surefoot.calorimeter.baselines import ScaledSum
    >>> photons = surefoot.load_population("photons:A", target="energy")
    >>> sums = surefoot.SearchSpace.product(ScaledSum, window=["full", "3x3"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     race = f"{folder}/race.db"
    ...     found = surefoot.select(sums, photons, sample_size=500, certify=0, journal=race)
    ...     again = surefoot.replay(race, "winner", 0, setting=found.study.setting)
    >>> again.same
    True
    """
    trusting(trust)
    if not isinstance(role, Role):
        known("role", role, [one.name.lower() for one in Role])
        role = Role[role.upper()]
    with Journal.read(journal) as record:
        key = find_candidate(record, candidate)
        setting = recorded_setting(record) if setting is None else setting
        recorded, training = train_recorded(
            record, setting, key, instance, role, engine=engine, sample=sample
        )
        return Replayed(record.candidates()[key].label, recorded, training)


def train_recorded(
    journal: Journal,
    setting: Setting,
    candidate: str,
    instance: int,
    role: Role = Role.RACE,
    *,
    engine: str | None = None,
    sample: int | None = None,
) -> tuple[Outcome, Training]:
    """Return the record of an instance and its new training; parameters are those of `replay`."""
    study = Description.read(journal.study)
    found = study.mismatches(setting)
    if found:
        raise JournalMismatchError(
            "the data or settings given are not those of the journal (journal -> now): "
            + "; ".join(found[:8])
        )
    key = find_candidate(journal, candidate)
    recorded = [
        o for o in journal.outcomes(role, key, instance) if sample is None or o.sample == sample
    ]
    if not recorded:
        numbers = sorted(o.instance for o in journal.outcomes(role, key))
        shown = "recorded are " + ", ".join(map(str, numbers[:10])) if numbers else "none is"
        shown += f", … ({len(numbers)} in all)" if len(numbers) > 10 else ""
        raise JournalError(
            f"instance {instance} of {candidate} is not recorded in role {role.name.lower()}: "
            f"{shown}"
        )
    outcome = recorded[-1]
    model = rebuild_candidate(journal.candidates()[key])
    sampling = setting.sampling
    if outcome.sample != setting.halves.train_size(sampling):
        sampling = replace(sampling, size=outcome.sample)
    if isinstance(study, SizesDescription) and study.equal_test:
        sampling = replace(sampling, test_size=outcome.sample)
    trained = Instance(model, study.instance_seed(key, role, instance), sampling)
    asked, _ = engine_and_device(study.engine)
    own = study.engine if asked == outcome.engine else outcome.engine
    return outcome, train_here(trained, setting, engine or own)


def train_here(instance: Instance, setting: Setting, engine: str) -> Training:
    """Train an instance in this process."""
    chosen = Chooser(engine).choose(instance.candidate, setting)
    return chosen.train(instance, setting)


def find_candidate(journal: Journal, text: str) -> str:
    """Return the key that ``text`` names: a key, the start of one, a label, or ``winner``.

    Raises `JournalError` if it names none, or several.
    """
    everyone = journal.candidates()
    if text in everyone:
        return text
    if text == "winner" and Description.read(journal.study).kind == "search":
        return recorded_search(journal).best
    if text == "winner":
        winner = recorded_race(journal).state().winner
        if winner is None:
            raise JournalError("the race of the journal has no winner yet: let it end first")
        return winner
    found = [key for key, one in everyone.items() if key.startswith(text) or one.label == text]
    if len(found) == 1:
        return found[0]
    if found:
        raise JournalError(f"{text!r} names {len(found)} candidates: give more of the key")
    raise JournalError(f"no candidate of the journal has the key or label {text!r}")


def recorded_setting(journal: Journal) -> Setting:
    """Return what all instances of a journal share.

    Raises `JournalError` if the journal does not say where its population came from, or it is no
    longer there.
    """
    study = Description.read(journal.study)
    note = dict(journal.notes().get("population", {}))
    fraction = note.pop("pool_fraction", 0.5)
    halves = _population(journal, note, study).split(study.seed, fraction)
    return Setting(halves, study.sampling, study.loss, study.stopping)


def _population(journal: Journal, note: dict[str, Any], study: Description) -> Population:
    """Return the journal's population from the first folder that has it, unchanged."""
    folders = [Path(note.pop("folder"))] if "folder" in note else []
    folders += [journal.place.file.parent] if journal.place.file is not None else []
    if (
        "source" not in note
        or not note.keys() <= inspect.signature(load_population).parameters.keys()
    ):
        raise JournalError(
            f"the journal does not say where its population, {study.population.name}, came from "
            f"(a population made in Python, or a journal from before such notes): {_INSTEAD}"
        )
    if not note.get("classes", True):
        del note["classes"]
    source, wanted, tried = note.pop("source"), study.population.fingerprint, dict[str, str]()
    for folder in folders or [Path()]:
        place = resolved(source, folder)
        if place in tried:
            continue
        try:
            population = load_population(place, **note)
        except SurefootError as error:
            tried[place] = f"{error}"
            continue
        if population.fingerprint == wanted:
            return population
        tried[place] = (
            f"{place} holds other data than the journal's (fingerprint {population.fingerprint}, "
            f"not {wanted})"
        )
    raise JournalError(
        f"the journal's population cannot be had again: {next(iter(tried.values()))}; {_INSTEAD}"
    )


@dataclass(frozen=True, eq=False, repr=False)
class Checked(Shown):
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
        setting = setting or recorded_setting(record)
        outcomes = [o for o in record.outcomes() if o.status is not Status.FAILED]
        chosen = np.random.default_rng(seed).permutation(len(outcomes))[:replays]
        replayed = []
        for one in (outcomes[place] for place in sorted(chosen)):
            key, number, sample = one.candidate, one.instance, one.sample
            _, training = train_recorded(record, setting, key, number, one.role, sample=sample)
            replayed.append(Replayed(record.candidates()[key].label, one, training))
    return Checked(verified, tuple(replayed))
