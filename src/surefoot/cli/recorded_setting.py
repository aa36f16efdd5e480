"""The setting of a journal: as its study file says, or as the journal itself remembers it."""

from __future__ import annotations

from pathlib import Path

from surefoot.instances import Setting
from surefoot.journal import Journal
from surefoot.studies.recorded_setting import recorded_setting
from surefoot.study_files.build import setting_of
from surefoot.study_files.read import read_study_file
from surefoot.study_files.sources import population_of


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
    return recorded_setting(journal) if study is None else setting_of_file(study)


def setting_of_file(study: Path) -> Setting:
    """Return the setting of a study file, its population loaded.

    Raises `StudyFileError` if it cannot be used.
    """
    file = read_study_file(study)
    return setting_of(file, population_of(file))
