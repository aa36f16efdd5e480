"""Where a study file's population comes from: a known name, or a file of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot import registry
from surefoot.cli.building import blaming
from surefoot.cli.study_file import StudyFile

if TYPE_CHECKING:
    from surefoot.population import Population


def population_of(file: StudyFile) -> Population:
    """Load the population of ``[population]``; a file's path is relative to the study file's.

    Raises
    ------
    StudyFileError
        If the source is neither known nor a readable file, or lacks what is named.
    """
    table = file.tables.population
    options: dict[str, Any] = table.model_dump(
        exclude={"source", "pool_fraction"}, exclude_defaults=True
    )
    name, colon, argument = table.source.partition(":")
    with blaming(file, "population"):
        if colon and name in registry.names("populations"):
            loader = registry.lookup("populations", name)
            known: Population = loader(argument, **options)
            return known
        from surefoot.data_files import load_population

        return load_population(_beside(file.path, table.source), **options)


def _beside(study: Path, source: str) -> str:
    """Return a source whose path is relative to the study file's folder."""
    return str(study.parent / source)
