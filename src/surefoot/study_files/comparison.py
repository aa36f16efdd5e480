"""The comparison that a study file asks for: named candidates, their reference and the sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from surefoot.candidates.base import Candidate
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError, StudyFileError
from surefoot.learning.stopping import Stopping
from surefoot.studies.sizes.compare import PAPER_SIZES, CompareStudy
from surefoot.study_files.build import baseline_of, blaming, setting_of, space_of
from surefoot.study_files.read import StudyFile


@dataclass(frozen=True)
class FileComparison:
    """A comparison with the names that a study file gives its candidates.

    ``reference`` is the key of the baseline, which the others are to beat, None without one;
    ``sizes`` are numbers of training examples.
    """

    study: CompareStudy
    names: tuple[str, ...]
    reference: str | None
    sizes: Sequence[int]


def comparison_of(
    file: StudyFile, population: Population, engine: str | None = None, *, paper: bool = False
) -> FileComparison:
    """Return the comparison of all ``[space]`` tables and the baseline.

    ``engine`` overrides the file's; ``paper`` asks for the paper's sizes and stops as the paper
    does.

    Raises
    ------
    StudyFileError
        If a table describes several candidates, or a name is given twice.
    """
    named, reference = _named_candidates(file, population)
    setting = setting_of(file, population)
    if paper:
        setting = replace(setting, stopping=Stopping())
    with blaming(file, "compare"):
        study = CompareStudy(
            candidates=tuple(candidate for _, candidate in named),
            setting=setting,
            seed=file.tables.study.seed,
            engine=engine or file.tables.engine.name,
            equal_test=paper or not file.tables.compare.same_test,
        )
    sizes: Sequence[int] | None = PAPER_SIZES if paper else file.tables.compare.sizes
    if sizes is None:
        sizes = study.usual_sizes()
    return FileComparison(study, tuple(name for name, _ in named), reference, sizes)


def _named_candidates(
    file: StudyFile, population: Population
) -> tuple[list[tuple[str, Candidate]], str | None]:
    """Return the candidates under their names, and the key of the baseline."""
    found: list[tuple[str, Candidate]] = []
    for table in file.tables.space:
        with blaming(file, "space"):
            candidates = space_of(table, population).candidates
            if len(candidates) != 1:
                words = f"{table.name!r} " if table.name else ""
                raise ConfigurationError(
                    f"{words}describes {len(candidates):,} candidates, but compare takes one from "
                    "each [[space]]: give one value of each field"
                )
            found.append((table.name or candidates[0].label, candidates[0]))
    baseline = baseline_of(file)
    if baseline is not None and all(candidate.key != baseline.key for _, candidate in found):
        name = file.tables.baseline.name if file.tables.baseline else None
        found.append((name or baseline.label, baseline))
    names = [name for name, _ in found]
    for name in names:
        if names.count(name) > 1:
            raise StudyFileError(f"{file.path}: [[space]] name = {name!r} is given twice")
    return found, None if baseline is None else baseline.key
