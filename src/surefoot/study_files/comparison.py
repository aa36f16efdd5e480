"""The comparison that a study file asks for: named candidates, their reference and the sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from surefoot.candidates.base import Candidate
from surefoot.data.population import Population
from surefoot.errors import ConfigurationError, StudyFileError
from surefoot.learning.stopping import Stopping
from surefoot.studies.sizes.compare import PAPER_INSTANCES, PAPER_SIZES, CompareStudy
from surefoot.study_files.build import baseline_of, blaming, setting_of, space_of
from surefoot.study_files.read import StudyFile


def comparison_of(
    file: StudyFile,
    population: Population,
    *,
    paper: bool = False,
    sizes: Sequence[int] | None = None,
    n: int | None = None,
    engine: str | None = None,
) -> CompareStudy:
    """Return the comparison of all ``[space]`` tables and the baseline.

    ``sizes``, ``n`` and ``engine`` override the file's; ``paper`` asks for the paper's sizes and
    instances and stops as the paper does.

    Raises
    ------
    StudyFileError
        If a table describes several candidates, or a name is given twice.
    """
    named, baseline = _named_candidates(file, population)
    tables, setting = file.tables, setting_of(file, population)
    if paper:
        setting = replace(setting, stopping=Stopping())
    asked, wanted = tables.compare, tables.certificate
    with blaming(file, "compare"):
        return CompareStudy(
            candidates=tuple(candidate for _, candidate in named),
            names=tuple(name for name, _ in named),
            baseline=baseline,
            setting=setting,
            seed=tables.study.seed,
            engine=engine or tables.engine.name,
            sizes=sizes or (PAPER_SIZES if paper else asked.sizes),
            n=n or (PAPER_INSTANCES if paper else asked.instances),
            content=wanted.content,
            confidence=wanted.confidence,
            equal_test=paper or not asked.same_test,
        )


def _named_candidates(
    file: StudyFile, population: Population
) -> tuple[list[tuple[str, Candidate]], Candidate | None]:
    """Return the candidates under their names, and the baseline."""
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
    return found, baseline
