"""``surefoot compare``: named candidates at several sample sizes, on the same draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from surefoot.cli.one_candidate import counting, resumable
from surefoot.cli.show.comparison import comparison_table
from surefoot.cli.show.console import busy, check_folder, console
from surefoot.cli.show.results import say_paths, say_sentences
from surefoot.errors import StudyFileError, SurefootError
from surefoot.report.figures import check_path
from surefoot.study_files.build import baseline_of, blaming, setting_of, space_of
from surefoot.study_files.read import StudyFile, read_study_file
from surefoot.study_files.sources import population_of

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.candidates.base import Candidate
    from surefoot.data.population import Population
    from surefoot.studies.sizes.compare import CompareStudy

LAPTOP_SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Sizes unless given, as shares of the pool."""


@dataclass(frozen=True)
class Named:
    """A candidate under the name that the study file gives it."""

    name: str
    candidate: Candidate


def run(
    study_path: Path,
    journal: Path | None,
    figure: Path | None,
    sizes: str | None,
    instances: int | None,
    paper: bool,
    source: str | None,
    workers: int | None,
    engine: str | None,
    dry_run: bool,
    retry_failed: bool,
) -> None:
    """Run the command; errors are those of the parts."""
    from surefoot.executors.local.executor import LocalExecutor
    from surefoot.report.compare_figures import comparison_figure
    from surefoot.report.figures import loss_label, save
    from surefoot.studies.runner import missing
    from surefoot.studies.sizes.compare import PAPER_INSTANCES, compare

    out = console()
    file = read_study_file(study_path)
    if source is not None:
        file = elsewhere(file, source)
    suffix = "-compare-paper" if paper else "-compare"
    journal = journal or Path(f"{study_path.stem}{suffix}.db")
    figure = figure or journal.with_suffix(".png")
    check_path(figure)
    check_folder(journal, "journal")
    with busy(out, f"loading {file.tables.population.source}"):
        population = population_of(file)
        everyone, reference = named_candidates(file, population)
        study = study_of(file, population, everyone, engine, paper)
    chosen = study.check_sizes(sizes_of(sizes, file, study, paper))
    n = instances or (PAPER_INSTANCES if paper else file.tables.compare.instances)
    out.print(
        f"{file.tables.study.name or study_path.stem}: {len(everyone)} candidates, "
        f"{study.setting.loss} on {population.name}, {n} instances each at "
        + ", ".join(f"{size:,}" for size in chosen)
        + " examples",
        style="bold",
        soft_wrap=True,
    )
    for one in everyone:
        out.print(f"  {one.name:<28}{one.candidate.label}", soft_wrap=True)
    todo = study.instances(chosen, n)
    wish = file.tables.certificate
    with LocalExecutor(workers or file.tables.engine.workers, study.engine) as executor:
        if dry_run:
            say_hours(out, study, chosen, n, executor.workers)
            return
        with resumable(journal), study.open(journal) as record:
            left = sum(1 for _ in missing(todo, study.setting, record))
            with counting(out, "instances", len(todo) - left, len(todo)) as advance:
                found = compare(
                    study,
                    chosen,
                    n,
                    record,
                    executor,
                    advance,
                    names=[one.name for one in everyone],
                    reference=reference,
                    content=wish.content,
                    confidence=wish.confidence,
                    retry_failed=retry_failed,
                )
    for place in range(len(chosen)):
        out.print()
        out.print(comparison_table(found, place))
    say_sentences(out, "Comparison", found.lines())
    say_sentences(out, "Bounds", [bound_sentence(n, wish.content, wish.confidence)])
    label = loss_label(str(study.setting.loss), found.unit)
    with busy(out, "drawing"):
        save(comparison_figure(found, label=label, title=population.name), figure)
    say_paths(out, {"Journal": str(journal), "Figure": str(figure)})


def elsewhere(file: StudyFile, source: str) -> StudyFile:
    """Return a study file with the data of another source, whose path is relative to here."""
    table = file.tables.population.model_copy(update={"source": source})
    tables = file.tables.model_copy(update={"population": table})
    return StudyFile(Path(file.path.name), tables)


def bound_sentence(n: int, content: float, confidence: float) -> str:
    """Return in words what the column ``bound`` of a comparison means with n instances."""
    import math

    from surefoot.statistics.tolerance import content_reached

    reached = min(content, math.floor(1000 * content_reached(n, confidence)) / 1000)
    return (
        f"With {100 * confidence:g} % confidence, at least {100 * reached:g} % of a candidate's "
        "retrainings lose at most its bound; each bound by itself, on this pool and test half."
    )


def named_candidates(file: StudyFile, population: Population) -> tuple[list[Named], str | None]:
    """Return the candidates of all ``[space]`` tables and the baseline, which is the reference.

    Raises
    ------
    StudyFileError
        If a table describes several candidates, or a name is given twice.
    """
    found: list[Named] = []
    for table in file.tables.space:
        with blaming(file, "space"):
            candidates = space_of(table, population).candidates
            if len(candidates) != 1:
                words = f"{table.name!r} " if table.name else ""
                raise StudyFileError(
                    f"{words}describes {len(candidates):,} candidates, but compare takes one from "
                    "each [[space]]: give one value of each field"
                )
            found.append(Named(table.name or candidates[0].label, candidates[0]))
    baseline = baseline_of(file)
    if baseline is not None and all(one.candidate.key != baseline.key for one in found):
        table_name = file.tables.baseline.name if file.tables.baseline else None
        found.append(Named(table_name or baseline.label, baseline))
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise StudyFileError(f"{file.path}: [[space]] name = {name!r} is given twice")
    return found, None if baseline is None else baseline.key


def study_of(
    file: StudyFile,
    population: Population,
    everyone: Sequence[Named],
    engine: str | None,
    paper: bool,
) -> CompareStudy:
    """Return the comparison that a study file asks for; ``paper`` stops as the paper does."""
    from surefoot.learning.stopping import Stopping
    from surefoot.studies.sizes.compare import CompareStudy

    setting = setting_of(file, population)
    if paper:
        setting = replace(setting, stopping=Stopping())
    with blaming(file, "compare"):
        return CompareStudy(
            candidates=tuple(one.candidate for one in everyone),
            setting=setting,
            seed=file.tables.study.seed,
            engine=engine or file.tables.engine.name,
            equal_test=paper or not file.tables.compare.same_test,
        )


def sizes_of(text: str | None, file: StudyFile, study: CompareStudy, paper: bool) -> Sequence[int]:
    """Return the sizes asked for: on the command line, the paper's, the file's, or shares.

    Raises
    ------
    SurefootError
        If the option is no list of whole numbers.
    """
    from surefoot.studies.sizes.compare import PAPER_SIZES

    if text is not None:
        try:
            return [int(part.replace("_", "")) for part in text.split(",")]
        except ValueError:
            raise SurefootError(
                f"--sizes {text!r} cannot be read: write sizes such as 1000,2000,4000"
            ) from None
    if paper:
        return PAPER_SIZES
    if file.tables.compare.sizes is not None:
        return file.tables.compare.sizes
    return [max(2, int(share * study.largest)) for share in LAPTOP_SHARES]


def say_hours(
    out: Console, study: CompareStudy, sizes: Sequence[int], n: int, workers: int
) -> None:
    """Print how many trainings a comparison takes and about how long, without training any."""
    from surefoot.cli.show.time_left import mean_seconds, probe, words

    everyone = list(study.candidates)
    with busy(out, "measuring the engines' speed"):
        rates = probe(everyone, study.setting, study.engine)
    epochs = study.setting.stopping.max_epochs
    seconds = sum(
        n
        * len(everyone)
        * mean_seconds(
            everyone, replace(study.setting, sampling=study.sampling(size)), rates, epochs
        )
        for size in sizes
    )
    out.print(
        f"{n * len(sizes) * len(everyone):,} trainings, about {words(seconds / workers)} on "
        f"{workers} core{'s' if workers > 1 else ''} (speed measured just now, at most {epochs} "
        "epochs each)",
        soft_wrap=True,
    )
