"""Replay: a recorded instance trained again, alone, in this process, and to the same loss."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from surefoot.candidates.trust import trust as trusting
from surefoot.engines.choose import Chooser
from surefoot.errors import ConfigurationError, JournalError, JournalMismatchError, nearest
from surefoot.instances import Instance, Outcome, Setting, Training
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.description import Description, SizesDescription, rebuild_candidate
from surefoot.studies.race_record import recorded_race
from surefoot.studies.recorded_setting import recorded_setting


@dataclass(frozen=True, eq=False)
class Replayed:
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
        return difference(self.recorded, self.training.outcome)

    def __str__(self) -> str:
        known = self.recorded
        lines = [
            f"{name:<10}loss {outcome.loss!r}  {outcome.status}  {outcome.epochs} epochs  "
            f"{outcome.seconds:.2f} s  {outcome.engine}"
            for name, outcome in (("recorded", known), ("again", self.training.outcome))
        ]
        name = f"{known.role.name.lower()} instance {known.instance}"
        verdict = self.difference or "the same: status, loss and curve agree to the last bit"
        return "\n".join([f"{self.label}  (key {known.candidate}), {name}", *lines, verdict])


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
        Who trains it; None for the engine of the record.
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
    roles = {one.name.lower(): one for one in Role}
    if str(role) not in roles and not isinstance(role, Role):
        raise ConfigurationError(f"role {role!r} is unknown: {nearest(role, roles)}")
    chosen = role if isinstance(role, Role) else roles[role]
    with Journal.read(journal) as record:
        key = find_candidate(record, candidate)
        setting = recorded_setting(record) if setting is None else setting
        known, training = train_recorded(
            record, setting, key, instance, chosen, engine=engine, sample=sample
        )
        return Replayed(record.candidates()[key].label, known, training)


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
        raise JournalError(
            f"instance {instance} of {candidate} is not recorded in role {role.name.lower()}: "
            + (f"recorded are {_listed(numbers)}" if numbers else "none is")
        )
    outcome = recorded[-1]
    model = rebuild_candidate(journal.candidates()[key])
    sampling = setting.sampling
    if outcome.sample != setting.halves.train_size(sampling):
        sampling = replace(sampling, size=outcome.sample)
    if isinstance(study, SizesDescription) and study.equal_test:
        sampling = replace(sampling, test_size=outcome.sample)
    trained = Instance(model, study.instance_seed(key, role, instance), sampling)
    return outcome, train_here(trained, setting, engine or outcome.engine)


def train_here(instance: Instance, setting: Setting, engine: str) -> Training:
    """Train an instance in this process."""
    chosen = Chooser(engine).choose(instance.candidate, setting)
    return chosen.train(instance, setting)


def difference(recorded: Outcome, again: Outcome) -> str:
    """Return where status, loss or curve of two outcomes differ in a bit; "" if nowhere."""
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


def find_candidate(journal: Journal, text: str) -> str:
    """Return the key that ``text`` names: a key, the start of one, a label, or ``winner``.

    Raises
    ------
    JournalError
        If it names none, or several.
    """
    known = journal.candidates()
    if text in known:
        return text
    if text == "winner":
        winner = recorded_race(journal).state().winner
        if winner is None:
            raise JournalError("the race of the journal has no winner yet: let it end first")
        return winner
    found = [key for key, one in known.items() if key.startswith(text) or one.label == text]
    if len(found) == 1:
        return found[0]
    if found:
        raise JournalError(f"{text!r} names {len(found)} candidates: give more of the key")
    raise JournalError(f"no candidate of the journal has the key or label {text!r}")


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:10]))
    return shown + (f", … ({len(numbers)} in all)" if len(numbers) > 10 else "")
