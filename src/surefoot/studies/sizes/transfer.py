"""Transfer: is what a race selected on one population as good on another?

The paper selects on photons at normal incidence and retrains the selected networks on inclined
ones. Everything but the data stays as it was; selected candidates and baseline are compared on the
other population with paired instances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate
from surefoot.errors import JournalMismatchError, RaceError
from surefoot.instances import Setting
from surefoot.journal import Journal
from surefoot.statistics.certificate import Certificate
from surefoot.studies.description import Description, rebuild_candidate
from surefoot.studies.race_record import recorded_certificates, recorded_race


@dataclass(frozen=True, eq=False)
class Selected:
    """A candidate of a finished race, best first, with what it lost at home.

    ``losses`` are those of fresh instances where the race certified it, else its racing losses,
    which flatter it; ``fresh`` says which.
    """

    candidate: Candidate
    losses: NDArray[np.float64]
    fresh: bool
    certificate: Certificate | None


def selected(journal: Journal, best: int = 1) -> tuple[list[Selected], NDArray[np.float64]]:
    """Return the ``best`` of a race's ranking, and the baseline's racing losses [n], maybe none.

    Raises
    ------
    JournalError
        If the journal holds no race.
    RaceError
        If the race is not over, or has fewer candidates.
    """
    record = recorded_race(journal)
    state = record.state()
    if state.winner is None:
        raise RaceError("the race of the journal has no winner yet: let it end first")
    if not 1 <= best <= len(state.ranking):
        raise RaceError(
            f"best = {best} candidates cannot be retrained: the race has {len(state.ranking)}"
        )
    known, certificates = journal.candidates(), recorded_certificates(journal, state)
    found = []
    for key in state.ranking[:best]:
        certificate = certificates.get(key)
        row = record.table.row(key)
        losses = row[~np.isnan(row)] if certificate is None else np.array(certificate.losses)
        fresh = certificate is not None
        found.append(Selected(rebuild_candidate(known[key]), losses, fresh, certificate))
    baseline = record.baseline()
    home = np.empty(0) if baseline is None else baseline[~np.isnan(baseline)]
    return found, home


def check_transfer(journal: Journal, setting: Setting) -> None:
    """Check that a setting asks the same of other data.

    Raises
    ------
    JournalMismatchError
        If target or loss differ from the race's, or the data do not.
    """
    study, population = Description.read(journal.study), setting.halves.population
    for what, old, new in (
        ("target", study.population.target, population.target_name),
        ("unit", study.population.unit, population.target_unit),
        ("loss", str(study.loss), str(setting.loss)),
    ):
        if old != new:
            raise JournalMismatchError(
                f"the race was about another {what} than asked for now ({old!r} -> {new!r}): "
                "transfer changes the data alone"
            )
    if study.population.fingerprint == population.fingerprint:
        raise JournalMismatchError(
            f"{population.name} is the population of the race itself: name other data, or assess "
            "the winner there"
        )
