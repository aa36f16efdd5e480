"""``surefoot replay``: a recorded instance trained again and compared with its record."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from surefoot.cli.recorded_setting import setting_again
from surefoot.cli.show.console import busy, console
from surefoot.errors import SurefootError, nearest
from surefoot.instances import Outcome
from surefoot.journal import Journal
from surefoot.seeds.ledger import Role
from surefoot.studies.description import Description
from surefoot.studies.replay import find_candidate, replay

DIFFERENT = 1


def run(
    journal_path: Path,
    candidate: str,
    instance: int,
    study_path: Path | None,
    role: str,
    engine: str | None,
) -> int:
    """Run the command and return its exit code: 0 if the losses are the same bits, else 1."""
    out = console()
    chosen = role_of(role)
    with Journal.read(journal_path) as journal:
        key = find_candidate(journal, candidate)
        with busy(out, f"loading {Description.read(journal.study).population.name}"):
            setting = setting_again(journal, study_path)
        label = journal.candidates()[key].label
        with busy(out, f"training instance {instance} of {label}"):
            recorded, training = replay(journal, setting, key, instance, chosen, engine=engine)
    out.print(f"{label}  (key {key}), {chosen.name.lower()} instance {instance}", soft_wrap=True)
    for name, outcome in (("recorded", recorded), ("again", training.outcome)):
        out.print(_line(name, outcome), soft_wrap=True)
    same = same_bits(recorded, training.outcome)
    if same:
        out.print("the same: status, loss and curve agree to the last bit")
    else:
        out.print(_difference(recorded, training.outcome), soft_wrap=True)
    return 0 if same else DIFFERENT


def role_of(word: str) -> Role:
    """Return the role that a word names; raise `SurefootError` with the nearest otherwise."""
    roles = {role.name.lower(): role for role in Role}
    if word not in roles:
        raise SurefootError(f"role {word!r} is unknown: {nearest(word, roles)}")
    return roles[word]


def same_bits(a: Outcome, b: Outcome) -> bool:
    """Say whether two outcomes agree in status, loss and every value of the curve."""
    return (
        a.status is b.status
        and np.float64(a.loss).tobytes() == np.float64(b.loss).tobytes()
        and a.curve.tobytes() == b.curve.tobytes()
    )


def _line(name: str, outcome: Outcome) -> str:
    return (
        f"{name:<10}loss {outcome.loss!r}  {outcome.status}  {outcome.epochs} epochs  "
        f"{outcome.seconds:.2f} s  {outcome.engine}"
    )


def _difference(recorded: Outcome, again: Outcome) -> str:
    if recorded.status is not again.status:
        return f"different: {recorded.status} became {again.status} {again.message}".rstrip()
    shared = min(recorded.epochs, again.epochs)
    apart = np.flatnonzero(recorded.curve[:shared] != again.curve[:shared])
    where = f"from epoch {apart[0] + 1}" if apart.size else f"after epoch {shared}"
    share = abs(again.loss - recorded.loss) / abs(recorded.loss)
    reason = "" if recorded.engine == again.engine else ", by another engine"
    return f"different {where}: the losses are {share:.2e} apart{reason}"
