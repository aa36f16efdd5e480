"""What the studies of one candidate share: whom they are about, where results go, progress."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from pydantic import ValidationError

from surefoot import registry
from surefoot.cli.reporting import INTERRUPTED
from surefoot.cli.show.console import busy, check_folder
from surefoot.errors import CandidateError, StudyFileError, nearest
from surefoot.report.figures import check_path
from surefoot.study_files.build import blaming, candidates_of, setting_of, space_of
from surefoot.study_files.read import StudyFile, read_study_file
from surefoot.study_files.schema import ConvNetTable
from surefoot.study_files.sources import population_of

if TYPE_CHECKING:
    from rich.console import Console

    from surefoot.candidates.base import Candidate
    from surefoot.cli.options import Common
    from surefoot.data.population import Population
    from surefoot.executors.local.executor import LocalExecutor
    from surefoot.instances import Instance, Outcome, Setting
    from surefoot.journal import Journal
    from surefoot.studies.base import Study


@dataclass(frozen=True)
class Asked:
    """A study of one candidate as asked for."""

    file: StudyFile
    setting: Setting
    candidate: Candidate
    journal: Path
    figure: Path
    engine: str
    workers: int | None

    @property
    def seed(self) -> int:
        """Seed of the study."""
        return self.file.tables.study.seed

    def headline(self, what: str) -> str:
        """Return the study in one line."""
        setting = self.setting
        return (
            f"{what}: {self.candidate.label}  (key {self.candidate.key}), {setting.loss} on "
            f"{setting.halves.population.name}"
        )

    @property
    def label(self) -> str:
        """Label of a loss axis."""
        from surefoot.report.figures import loss_label

        loss, population = self.setting.loss, self.setting.halves.population
        return loss_label(str(loss), loss.unit(population.target_unit))

    @property
    def title(self) -> str:
        """Title of a figure."""
        return f"{self.setting.halves.population.name}: {self.candidate.label}"


def asked_for(
    out: Console,
    word: str,
    common: Common,
) -> Asked:
    """Return what a command line asks for; ``word`` is part of the files' default names."""
    file = read_study_file(common.study)
    if common.figure is not None:
        check_path(common.figure)
    if common.journal is not None:
        check_folder(common.journal, "journal")
    with busy(out, f"loading {file.tables.population.source}"):
        population = population_of(file)
        setting = setting_of(file, population)
        chosen = choose_candidate(file, population, common.candidate, common.source)
    place = common.journal or Path(f"{common.study.stem}-{word}-{chosen.key[:8]}.db")
    return Asked(
        file,
        setting,
        chosen,
        place,
        common.figure or place.with_suffix(".png"),
        common.engine or file.tables.engine.name,
        common.workers or file.tables.engine.workers,
    )


def choose_candidate(
    file: StudyFile, population: Population, text: str | None, source: Path | None = None
) -> Candidate:
    """Return the candidate that a command line names.

    Parameters
    ----------
    text
        A preset such as ``model_2``; fields of a network in the short notation, such as
        ``channels = [8, 16], hidden = [9]``; a family that needs no field, such as ``scaled_sum``;
        a key, the start of one or a label, of the study file's candidates or of those of
        ``source``; None for the study file's only candidate.
    source
        A journal whose candidate it is; ``winner`` names its winner.

    Raises
    ------
    StudyFileError
        If it names none, or several.
    """
    from surefoot.candidates.convnet.presets import PRESETS

    if source is not None:
        return _from_journal(source, text or "winner")
    if text is not None and "=" in text:
        return _from_notation(file, population, text)
    if text in PRESETS:
        return _from_notation(file, population, f"preset = '{text}'")
    if text is not None and text in registry.names("candidates"):
        with blaming(file, f"--candidate {text}"):
            family: Candidate = registry.lookup("candidates", text).from_spec({})
            return family
    everyone = candidates_of(file, population)
    if text is None and len(everyone) == 1:
        return everyone[0]
    if text is None:
        raise StudyFileError(
            f"{file.path} describes {len(everyone):,} candidates: say which with --candidate, a "
            "preset such as model_2, a key or label, or fields such as 'channels = [8, 16], "
            "hidden = [9]'"
        )
    found = [c for c in everyone if text in (c.key, c.label) or c.key.startswith(text)]
    if len(found) == 1:
        return found[0]
    if found:
        raise StudyFileError(f"--candidate {text!r} names {len(found)} candidates of {file.path}")
    known = [*PRESETS, *registry.names("candidates")]
    raise StudyFileError(
        f"--candidate {text!r} is no key or label of a candidate of {file.path}, no preset and no "
        f"family: {nearest(text, known)}"
    )


@contextmanager
def resumable(journal: Path) -> Iterator[None]:
    """Turn Ctrl-C into a line that says that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(
            f"\nsurefoot: interrupted; every finished instance is kept in "
            f"{shlex.quote(str(journal))}: the same command goes on",
            err=True,
        )
        raise typer.Exit(INTERRUPTED) from None


@dataclass(frozen=True)
class Session:
    """What a study trains with; ``told`` is called with every new outcome."""

    record: Journal
    executor: LocalExecutor
    told: Callable[[Outcome], None]


@contextmanager
def training(
    out: Console, asked: Asked, study: Study, instances: Sequence[Instance]
) -> Iterator[Session]:
    """Open the journal, start the workers and show a bar while ``instances`` are trained."""
    from surefoot.executors.local.executor import LocalExecutor
    from surefoot.studies.extension import announcement
    from surefoot.studies.runner import missing

    with (
        LocalExecutor(asked.workers, asked.engine) as executor,
        resumable(asked.journal),
        study.open(asked.journal) as record,
    ):
        for line in announcement(record.extended):
            out.print(line, soft_wrap=True)
        total = len(instances)
        left = sum(1 for _ in missing(instances, study.setting, record))
        with counting(out, "instances", total - left, total) as advance:
            yield Session(record, executor, advance)


@contextmanager
def counting(out: Console, what: str, done: int, total: int) -> Iterator[Callable[[object], None]]:
    """Show a bar while ``total`` things get done, of which ``done`` are already.

    Yields a function to call after each; its argument is ignored. Without a terminal one line says
    how many there are.
    """
    if done >= total:
        yield lambda _: None
        return
    if not out.is_terminal:
        before = f" ({done:,} before)" if done else ""
        out.print(f"{what}: {total - done:,} to go{before}", soft_wrap=True)
        yield lambda _: None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=out, refresh_per_second=4) as progress:
        task = progress.add_task(what, total=total, completed=done)
        yield lambda _: progress.advance(task)


def say_dry(out: Console, asked: Asked, trainings: dict[Setting, int]) -> None:
    """Print how many trainings a study takes and about how long, without training any."""
    from surefoot.cli.show.time_left import mean_seconds, probe, words
    from surefoot.executors.local.executor import LocalExecutor

    with LocalExecutor(asked.workers, asked.engine) as executor:
        workers = executor.workers
    with busy(out, "measuring the engine's speed"):
        rates = probe([asked.candidate], asked.setting, asked.engine)
    seconds = sum(
        count
        * mean_seconds([asked.candidate], setting, rates, setting.stopping.max_epochs)
        / workers
        for setting, count in trainings.items()
    )
    total = sum(trainings.values())
    out.print(
        f"{total:,} trainings, about {words(seconds)} on {workers} "
        f"core{'s' if workers > 1 else ''} (speed measured just now, at most "
        f"{asked.setting.stopping.max_epochs} epochs each)",
        soft_wrap=True,
    )


def _from_journal(source: Path, text: str) -> Candidate:
    from surefoot.journal import Journal
    from surefoot.studies.description import rebuild_candidate
    from surefoot.studies.replay import find_candidate

    with Journal.read(source) as journal:
        return rebuild_candidate(journal.candidates()[find_candidate(journal, text)])


def _from_notation(file: StudyFile, population: Population, text: str) -> Candidate:
    """Return the network of an inline table's fields, completed by what the population settles."""
    with blaming(file, f"--candidate {text}"):
        try:
            fields = tomllib.loads(f"fields = {{ {text} }}")["fields"]
            table = ConvNetTable.model_validate(fields)
        except tomllib.TOMLDecodeError as error:
            raise CandidateError(f"cannot be read as fields 'name = value, …': {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            raise CandidateError(
                f"field {first['loc'][0]!r} cannot be used: {first['msg']}"
            ) from None
        space = space_of(table, population)
        if len(space.candidates) != 1:
            raise CandidateError(
                f"describes {len(space.candidates)} candidates: give one value of each field"
            )
        return space.candidates[0]
