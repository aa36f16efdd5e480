"""Training a recorded instance again: alone, in this process, and to the same loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surefoot.engines.choose import Chooser
from surefoot.errors import JournalError, JournalMismatchError
from surefoot.instances import Instance, Outcome, Setting, Training
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.base import Study
from surefoot.studies.description import Description, SizesDescription, rebuild_candidate
from surefoot.studies.race_record import recorded_race


def train_again(study: Study, key: str, role: Role, number: int) -> Training:
    """Train an instance of a study in this process."""
    instance = study.instance(key, role, number)
    return _train(instance, study.setting, study.engine)


def replay(
    journal: Journal,
    setting: Setting,
    candidate: str,
    instance: int,
    role: Role = Role.RACE,
    *,
    engine: str | None = None,
    sample: int | None = None,
) -> tuple[Outcome, Training]:
    """Train a recorded instance again; return the record and the new training.

    Parameters
    ----------
    candidate
        Key, start of a key, label or ``winner``; see `find_candidate`.
    engine
        Who trains it; None for the engine of the record.
    sample
        Training examples, where a study of sample sizes recorded the instance at several.

    Raises
    ------
    JournalMismatchError
        If the setting is not the journal's.
    JournalError
        If the instance is not recorded.
    """
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
    seed = study.instance_seed(key, role, instance)
    sampling = setting.sampling
    if outcome.sample != setting.halves.train_size(sampling):
        sampling = replace(sampling, size=outcome.sample)
    if isinstance(study, SizesDescription) and study.equal_test:
        sampling = replace(sampling, test_size=outcome.sample)
    trained = Instance(model, seed, sampling)
    return outcome, _train(trained, setting, engine or outcome.engine)


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


def _train(instance: Instance, setting: Setting, engine: str) -> Training:
    chosen = Chooser(engine).choose(instance.candidate, setting)
    return chosen.train(instance, setting)


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:10]))
    return shown + (f", … ({len(numbers)} in all)" if len(numbers) > 10 else "")
