"""``surefoot transfer``: a selection's winner retrained on other data, beside the baseline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from surefoot.cli.commands.compare import bound_sentence, elsewhere, say_hours
from surefoot.cli.one_candidate import counting, resumable
from surefoot.cli.show.comparison import plain_table
from surefoot.cli.show.console import busy, check_folder, console
from surefoot.cli.show.results import say_paths, say_sentences
from surefoot.errors import RaceError, StudyFileError
from surefoot.report.figures import check_path
from surefoot.study_files.build import baseline_of, setting_of
from surefoot.study_files.read import StudyFile, read_study_file
from surefoot.study_files.sources import population_of

if TYPE_CHECKING:
    from rich.table import Table

    from surefoot.instances import Setting
    from surefoot.studies.sizes.comparison import Comparison


def run(
    study_path: Path,
    source: str,
    race: Path | None,
    best: int,
    instances: int | None,
    journal: Path | None,
    figure: Path | None,
    workers: int | None,
    engine: str | None,
    dry_run: bool,
    retry_failed: bool,
) -> None:
    """Run the command; errors are those of the parts."""
    from surefoot.executors.local.executor import LocalExecutor
    from surefoot.journal import Journal
    from surefoot.report.compare_figures import transfer_figure
    from surefoot.report.figures import loss_label, save
    from surefoot.studies.description import Description
    from surefoot.studies.runner import missing
    from surefoot.studies.sizes.compare import CompareStudy, compare
    from surefoot.studies.sizes.transfer import check_transfer, selected

    out = console()
    file = read_study_file(study_path)
    baseline = baseline_of(file)
    if baseline is None:
        raise StudyFileError(
            f"{study_path} has no [baseline] to compare with on other data: add one, such as "
            "family = 'scaled_sum'"
        )
    race = race or Path(f"{study_path.stem}.db")
    if journal is not None:
        check_folder(journal, "journal")
    if figure is not None:
        check_path(figure)
    with busy(out, f"loading {source}"):
        setting = setting_elsewhere(file, source)
    with Journal.read(race) as record:
        check_transfer(record, setting)
        chosen, home = selected(record, best)
        home_name = Description.read(record.study).population.name
    everyone = [one.candidate for one in chosen]
    homes = [one.losses for one in chosen]
    if baseline.key not in {one.key for one in everyone}:
        everyone.append(baseline)
        homes.append(home)
    if len(everyone) < 2:
        raise RaceError(
            f"the winner, {everyone[0].label}, is the baseline itself, so there is nothing to "
            "compare it with: give --best 2 or more"
        )
    study = CompareStudy(
        candidates=tuple(everyone),
        setting=setting,
        seed=file.tables.study.seed,
        engine=engine or file.tables.engine.name,
        equal_test=False,
    )
    wish = file.tables.certificate
    n = instances or wish.n or 59
    size = setting.halves.train_size(setting.sampling)
    journal = journal or Path(f"{race.stem}-transfer-{_word(source)}.db")
    figure = figure or journal.with_suffix(".png")
    there = setting.halves.population.name
    out.print(
        f"Transfer: the best {f'{best} ' if best > 1 else ''}of {home_name}, {n} instances of "
        f"{size:,} examples on {there}",
        style="bold",
        soft_wrap=True,
    )
    todo = study.instances([size], n)
    with LocalExecutor(workers or file.tables.engine.workers, study.engine) as executor:
        if dry_run:
            say_hours(out, study, [size], n, executor.workers)
            return
        with resumable(journal), study.open(journal) as record:
            left = sum(1 for _ in missing(todo, setting, record))
            with counting(out, "instances", len(todo) - left, len(todo)) as advance:
                found = compare(
                    study,
                    [size],
                    n,
                    record,
                    executor,
                    advance,
                    reference=baseline.key,
                    content=wish.content,
                    confidence=wish.confidence,
                    retry_failed=retry_failed,
                )
    out.print()
    out.print(transfer_table(found, homes, home_name, there))
    say_sentences(out, "Transfer", sentences(found, homes, home_name, there), "bold")
    say_sentences(out, "Bounds", [bound_sentence(n, wish.content, wish.confidence)])
    label = loss_label(str(setting.loss), found.unit)
    with busy(out, "drawing"):
        save(transfer_figure(found, homes, (home_name, there), label=label), figure)
    say_paths(out, {"Journal": str(journal), "Figure": str(figure)})


def setting_elsewhere(file: StudyFile, source: str) -> Setting:
    """Return the setting of a study file with the data of another source, relative to here."""
    here = elsewhere(file, source)
    return setting_of(here, population_of(here))


def transfer_table(
    found: Comparison, homes: list[NDArray[np.float64]], home: str, there: str
) -> Table:
    """Return a table of the candidates at home and on the other data."""
    assert found.reference is not None
    unit = f" ({found.unit})" if found.unit else ""
    reference = found.names[found.reference]
    table = plain_table(
        "candidate", f"median on {home}{unit}", f"on {there}{unit}", "quartiles", "bound",
        f"beats {reference}",
    )  # fmt: skip
    first, third = found.quantiles(0.25)[:, 0], found.quantiles(0.75)[:, 0]
    for row, name in enumerate(found.names):
        chance = found.wins(row, found.reference, 0)
        words = f"{chance.estimate:.0%} ({chance.low:.0%} to {chance.high:.0%})"
        table.add_row(
            name,
            f"{np.median(homes[row]):.4g}" if homes[row].size else "",
            f"{found.medians[row, 0]:.4g}",
            f"{first[row]:.4g} – {third[row]:.4g}",
            f"{found.certificate(row, 0).bound.value:.4g}",
            "" if row == found.reference else words,
        )
    return table


def sentences(
    found: Comparison, homes: list[NDArray[np.float64]], home: str, there: str
) -> list[str]:
    """Return in words how the winner stands to the baseline at home and on the other data."""
    assert found.reference is not None
    own, base = found.medians[0, 0], found.medians[found.reference, 0]
    name, reference = found.names[0], found.names[found.reference]
    words = f"On {there} the median loss of {name} is {_against(own, base)} that of {reference}"
    if homes[0].size and homes[found.reference].size:
        at_home = _against(float(np.median(homes[0])), float(np.median(homes[found.reference])))
        words += f"; on {home} it is {at_home} it"
    chance = found.wins(0, found.reference, 0)
    lines = [
        words + ".",
        f"On the next retraining there it loses less with a probability of about "
        f"{chance.estimate:.0%} ({chance.low:.0%} to {chance.high:.0%}).",
    ]
    best = found.best(0)
    if best not in (0, found.reference):
        lines.append(f"The best of those retrained is {found.names[best]}.")
    return lines


def _against(value: float, other: float) -> str:
    """Return how a loss lies to another one.

    >>> _against(0.018, 0.02), _against(0.022, 0.02)
    ('10.0 % below', '10.0 % above')
    """
    if not (np.isfinite(value) and np.isfinite(other) and other > 0.0):
        return "not to be compared with"
    share = 100.0 * (value / other - 1.0)
    return f"{abs(share):.1f} % {'below' if share < 0.0 else 'above'}"


def _word(source: str) -> str:
    """Return a word for a file's name from a source.

    >>> _word("photons:B"), _word("photons:runs/b.root:photons")
    ('B', 'b')
    """
    parts = [part for part in source.split(":") if part]
    files = [part for part in parts if "." in part]
    return Path(files[0] if files else parts[-1]).stem
