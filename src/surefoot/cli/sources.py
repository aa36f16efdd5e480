"""Where a study file's population comes from: a known name, or a file of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from surefoot import registry
from surefoot.cli.building import blaming
from surefoot.cli.study_file import StudyFile

if TYPE_CHECKING:
    from surefoot.population import Population

SUFFIXES = (".root", ".npz", ".parquet")


def population_of(file: StudyFile) -> Population:
    """Load the population of ``[population]``; a file's path is relative to the study file's.

    Raises
    ------
    StudyFileError
        If the source is neither known nor a readable file, or lacks what is named.
    """
    from surefoot.data_files import load_population

    table = file.tables.population
    options = table.model_dump(exclude={"source", "pool_fraction"}, exclude_unset=True)
    if not options.get("classes", True):
        del options["classes"]
    with blaming(file, "population"):
        return load_population(resolved(table.source, file.path.parent), **options)


def resolved(source: str, folder: Path) -> str:
    """Return a source with the path of its file, if it has one, relative to a folder.

    >>> resolved("photons:A", Path("studies")), resolved("photons:my.root", Path("studies"))
    ('photons:A', 'photons:studies/my.root')
    >>> resolved("showers.root:tree", Path("studies"))
    'studies/showers.root:tree'
    """
    name, colon, rest = source.partition(":")
    if colon and name in registry.names("populations"):
        own = any(suffix in rest for suffix in SUFFIXES)
        return f"{name}:{folder / rest}" if own else source
    return str(folder / source)
