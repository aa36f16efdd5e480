"""The setting of a journal as the journal itself remembers it, its population loaded again."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from surefoot.data.files import load_population, resolved
from surefoot.data.population import Population
from surefoot.errors import JournalError, SurefootError
from surefoot.instances import Setting
from surefoot.journal import Journal
from surefoot.studies.description import Description

_INSTEAD = "give the study file with --study, or in Python the setting"


def recorded_setting(journal: Journal) -> Setting:
    """Return what all instances of a journal share.

    Raises
    ------
    JournalError
        If the journal does not say where its population came from, or it is no longer there.
    """
    study = Description.read(journal.study)
    note = dict(journal.notes().get("population", {}))
    fraction = note.pop("pool_fraction", 0.5)
    halves = _population(journal, note, study).split(study.seed, fraction)
    return Setting(halves, study.sampling, study.loss, study.stopping)


def _population(journal: Journal, note: dict[str, Any], study: Description) -> Population:
    """Return the journal's population from the first folder that has it, unchanged."""
    folders = [Path(note.pop("folder"))] if "folder" in note else []
    folders += [journal.path.parent] if journal.path is not None else []
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
