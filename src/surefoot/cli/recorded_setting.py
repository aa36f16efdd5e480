"""The setting of a journal: as its study file says, or as the journal itself remembers it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from surefoot.errors import JournalError, SurefootError
from surefoot.journal import Journal
from surefoot.study_files.build import setting_of
from surefoot.study_files.read import read_study_file
from surefoot.study_files.schema import PopulationTable
from surefoot.study_files.sources import load, population_of, resolved

if TYPE_CHECKING:
    from surefoot.data.population import Population
    from surefoot.instances import Setting

INSTEAD = "give the study file with --study"


def setting_again(journal: Journal, study: Path | None) -> Setting:
    """Return what all instances of a journal share, its population loaded again.

    Parameters
    ----------
    study
        The study file; None to load the population from where the journal says it came from.

    Raises
    ------
    StudyFileError
        If the study file cannot be used.
    JournalError
        If the journal does not say where its population came from, or it is no longer there.
    """
    from surefoot.instances import Setting
    from surefoot.studies.description import Description

    if study is not None:
        file = read_study_file(study)
        return setting_of(file, population_of(file))
    table, folders = _origin(journal)
    recorded = Description.read(journal.study)
    halves = _population(journal, table, folders).split(recorded.seed, table.pool_fraction)
    return Setting(halves, recorded.sampling, recorded.loss, recorded.stopping)


def _origin(journal: Journal) -> tuple[PopulationTable, list[Path]]:
    """Return the noted table of the population and the folders its file may be in."""
    note = dict(journal.notes().get("population", {}))
    beside = [journal.path.parent] if journal.path is not None else []
    folders = [Path(note.pop("folder"))] if "folder" in note else []
    try:
        return PopulationTable.model_validate(note), folders + beside
    except ValidationError:
        name = journal.study["population"]["name"]
        raise JournalError(
            f"the journal does not say where its population, {name}, came from (a population made "
            f"in Python, or a journal from before such notes): {INSTEAD}"
        ) from None


def _population(journal: Journal, table: PopulationTable, folders: list[Path]) -> Population:
    """Return the journal's population from the first folder that has it, unchanged."""
    wanted = journal.study["population"]["fingerprint"]
    tried: dict[str, str] = {}
    for folder in folders or [Path()]:
        source = resolved(table.source, folder)
        if source in tried:
            continue
        try:
            population = load(table, folder)
        except SurefootError as error:
            tried[source] = f"{error}"
            continue
        if population.fingerprint == wanted:
            return population
        tried[source] = (
            f"{source} holds other data than the journal's (fingerprint {population.fingerprint}, "
            f"not {wanted})"
        )
    raise JournalError(
        f"the journal's population cannot be had again: {next(iter(tried.values()))}; {INSTEAD}"
    )
