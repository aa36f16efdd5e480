"""The paper's studies by name: what each asks at a scale, from the study files.

A file's ``[paper]`` table names its command, the claims it bears on, its data sets, and for each
scale the tables that stand in place of the file's. A file with several data sets or candidates is
several studies: ``energy-A`` and ``energy-B``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from surefoot.calorimeter.paper.verdicts import claims_of
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError, StudyFileError, nearest
from surefoot.journal import Journal
from surefoot.studies.base import Study
from surefoot.studies.sizes.transfer import transfer_study
from surefoot.studies.variance.study import VarianceStudy
from surefoot.study_files.build import (
    baseline_of,
    choose_candidate,
    comparison_of,
    grid_of,
    search_of,
    setting_of,
    study_of,
)
from surefoot.study_files.read import StudyFile, read_study_file
from surefoot.study_files.schema import PaperSection

STUDIES = Path(__file__).with_name("studies")
"""Where the paper's study files are."""
SCALES = ("smoke", "laptop", "paper")
"""How large a study may be asked: to see that all works, within hours, as in the paper."""
PHOTONS, OPTIONS = "photons", "options"
"""Keys of a scale that are no table of a study file."""


@dataclass(frozen=True)
class PaperStudy:
    """One study of the paper: its ``name``, its ``file`` and what that says of it.

    ``dataset`` is A or B; ``candidate`` the one asked about where the file names several.
    """

    name: str
    file: Path
    title: str
    about: PaperSection
    dataset: str
    candidate: str | None = None

    def changes(self, scale: str) -> dict[str, Any]:
        """Return what a scale says; `ConfigurationError` if there is no such scale."""
        if scale not in SCALES:
            raise ConfigurationError(f"--scale {scale!r} does not exist: {nearest(scale, SCALES)}")
        found: dict[str, Any] = getattr(self.about, scale)
        return found

    def photons(self, scale: str) -> int | None:
        """Return how many photons are simulated for a scale; None for the shipped ones."""
        return self.changes(scale).get(PHOTONS)

    def read(self, scale: str, source: str) -> StudyFile:
        """Return its study file at a scale, with its data at ``source``.

        Raises `StudyFileError` if the file cannot be used.
        """
        tables = {k: v for k, v in self.changes(scale).items() if k not in (PHOTONS, OPTIONS)}
        population = {**tables.get("population", {}), "source": source}
        read = read_study_file(self.file, {**tables, "population": population})
        # Simulated photons are found from here, not from where the file is.
        return replace(read, path=Path(self.file.name))

    def asked(
        self, scale: str, file: StudyFile, population: Population, journals: Path
    ) -> Study[Any]:
        """Return the study at a scale; ``journals`` is where that of its selection is.

        Raises `StudyFileError` if the file asks for something impossible, `JournalError` if the
        journal of its selection is missing.
        """
        command, options = self.about.command, self.changes(scale).get(OPTIONS, {})
        if command not in _ASKED:
            raise StudyFileError(
                f"{self.file}: [paper] command = {command!r} cannot be used: "
                f"{nearest(command, _ASKED)}"
            )
        return _ASKED[command](self, file, population, options, journals)


def paper_studies(folder: Path = STUDIES) -> dict[str, PaperStudy]:
    """Return every study of the study files of a folder, by name.

    Raises `StudyFileError` if a file cannot be read or has no ``[paper]``.
    """
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise StudyFileError(f"there are no study files in '{folder}'")
    return {one.name: one for file in files for one in _of_file(file)}


def chosen(
    names: Iterable[str], folder: Path = STUDIES, claims: Collection[int] = ()
) -> dict[str, PaperStudy]:
    """Return the studies of these names, of files of these names, and those that decide claims.

    All unless any are given; selections come with those that take them up. Raises
    `ConfigurationError` for an unknown name or claim, and for claims that need no study.
    """
    known, wanted = paper_studies(folder), list(names)
    if claims:
        deciding = [name for one in claims_of(claims) for name in one.studies]
        if not (deciding or wanted):
            numbers = " ".join(map(str, claims))
            raise ConfigurationError(
                f"claims = {numbers} take no training: surefoot paper verdicts {numbers}"
            )
        wanted += deciding
    if not wanted:
        return known
    found: dict[str, PaperStudy] = {}
    for name in wanted:
        of_name = {k: one for k, one in known.items() if name in (k, one.file.stem)}
        if not of_name:
            raise ConfigurationError(f"the paper has no study {name!r}: {nearest(name, known)}")
        found |= of_name
    selections = {one.about.after for one in found.values()} - {""} - set(found)
    return {name: known[name] for name in selections if name in known} | found


def _of_file(file: Path) -> Iterator[PaperStudy]:
    tables = read_study_file(file).tables
    about = tables.paper
    if about is None:
        raise StudyFileError(f"{file} has no table [paper]: it is no study of the paper's")
    for dataset in about.sources:
        for candidate in about.candidates or [""]:
            parts = [dataset] * (len(about.sources) > 1) + [candidate] * bool(candidate)
            name = "-".join([file.stem, *parts])
            yield PaperStudy(name, file, tables.study.name, about, dataset, candidate or None)


def _shared(study: PaperStudy, file: StudyFile, population: Population) -> dict[str, Any]:
    """Return the fields of every study."""
    asked = file.tables.study
    return {
        "setting": setting_of(file, population),
        "seed": asked.seed,
        "engine": file.tables.engine.asked,
        "name": f"{asked.name}, {study.name}" if study.name != study.file.stem else asked.name,
    }


Options = Mapping[str, Any]
Builder = Callable[[PaperStudy, StudyFile, Population, Options, Path], Study[Any]]


def _as_filed(build: Callable[[StudyFile, Population], Study[Any]]) -> Builder:
    """Return the builder of a study that its file describes whole."""

    def built(
        study: PaperStudy, file: StudyFile, population: Population, options: Options, journals: Path
    ) -> Study[Any]:
        return replace(build(file, population), **options)

    return built


def _variance(
    study: PaperStudy, file: StudyFile, population: Population, options: Options, journals: Path
) -> Study[Any]:
    candidate = choose_candidate(file, population, study.candidate)
    return VarianceStudy(candidate=candidate, **_shared(study, file, population), **options)


def _transfer(
    study: PaperStudy, file: StudyFile, population: Population, options: Options, journals: Path
) -> Study[Any]:
    baseline = baseline_of(file)
    if baseline is None:
        raise StudyFileError(f"{study.file} has no [baseline] to compare with")
    with Journal.read(journals / f"{study.about.after}.db") as race:
        shared = _shared(study, file, population)
        return transfer_study(race, baseline=baseline, **shared, **options)


_ASKED: dict[str, Builder] = {
    "compare": _as_filed(comparison_of),
    "grid": _as_filed(grid_of),
    "select": _as_filed(study_of),
    "variance": _variance,
    "search": _as_filed(search_of),
    "transfer": _transfer,
}
"""The study that each command asks."""
