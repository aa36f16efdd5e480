"""Where a study file's population comes from: a known name, or a file of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot.data.files.loading import resolved
from surefoot.study_files.build import blaming
from surefoot.study_files.read import StudyFile
from surefoot.study_files.schema import PopulationTable

if TYPE_CHECKING:
    from surefoot.data.population import Population


def population_of(file: StudyFile) -> Population:
    """Load the population of ``[population]``; a file's path is relative to the study file's.

    Raises
    ------
    StudyFileError
        If the source is neither known nor a readable file, or lacks what is named.
    """
    table, folder = file.tables.population, file.path.parent
    with blaming(file, "population"):
        population = load(table, folder)
    return population.found_at(origin_of(table, folder))


def load(table: PopulationTable, folder: Path) -> Population:
    """Load the population of a table; a file's path is relative to ``folder``."""
    from surefoot.data.files import load_population

    options = table.model_dump(exclude={"source", "pool_fraction"}, exclude_unset=True)
    if not options.get("classes", True):
        del options["classes"]
    return load_population(resolved(table.source, folder), **options)


def origin_of(table: PopulationTable, folder: Path) -> dict[str, Any]:
    """Return a table as given and, for a data file, the folder its path is relative to."""
    given = table.model_dump(exclude_unset=True)
    if resolved(table.source, folder.absolute()) != table.source:
        given["folder"] = str(folder.absolute())
    return given
