"""A study file as a command works on it: read, trained for under a bar, drawn."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from surefoot.cli.options import CandidateOptions, TrainingOptions
from surefoot.cli.show.console import (
    HEARTBEAT,
    bar,
    busy,
    console,
    every,
    manner,
    say_json,
    say_paths,
    telling_of_compilation,
)
from surefoot.errors import ConfigurationError, JournalError
from surefoot.executors.opening import open_executor, workers_of
from surefoot.journal import Journal
from surefoot.places import Place, without_passwords
from surefoot.replacing import check_folder
from surefoot.reports.files import check_path, save
from surefoot.reports.views.chart import loss_label
from surefoot.studies.base import Answer, FixedStudy, Study, identity_of
from surefoot.studies.duration import duration_words, estimate
from surefoot.studies.extension import announcement
from surefoot.studies.watch import Failures, Watcher
from surefoot.study_files.build import choose_candidate, population_of, setting_of
from surefoot.study_files.read import StudyFile, read_study_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

    from surefoot.candidates.base import Candidate
    from surefoot.data.population import Population
    from surefoot.executors.base import Executor
    from surefoot.instances import Outcome, Setting
    from surefoot.studies.search.result import Search
    from surefoot.studies.search.study import SearchStudy


class Bar(Watcher):
    """Moves a bar on with every outcome, and says why the first instances fail."""

    def __init__(
        self,
        advance: Callable[[], None],
        candidates: Iterable[Candidate] = (),
        say: Callable[[str], None] = print,
    ) -> None:
        self._advance, self._failures = advance, Failures(candidates, say)

    def outcome(self, outcome: Outcome) -> None:
        """Move on by one."""
        self._advance()
        self._failures.outcome(outcome)


class Session:
    """A study file opened by a command, where its results go, and who trains.

    Raises `SurefootError` if the study file or its data cannot be used, or a result not be written.

    Parameters
    ----------
    study
        The study file.
    options
        Where results go, by default under names of their own (see `name_files`), and who trains,
        by default as the study file says; and on which data.
    """

    def __init__(self, study: Path, options: TrainingOptions | None = None) -> None:
        self.options = asked = options or TrainingOptions()
        self.out = console()
        self.file = read_study_file(study)
        if asked.source is not None:
            table = self.file.tables.population.model_copy(update={"source": asked.source})
            tables = self.file.tables.model_copy(update={"population": table})
            self.file = StudyFile(Path(self.file.path.name), tables)
        self.stem = study.stem
        self.tables = self.file.tables
        self.name = self.tables.study.name or self.stem
        self.engine = asked.engine or self.tables.engine.asked
        self.workers = asked.workers
        if asked.cluster is None and asked.workers is None:
            self.workers = self.tables.engine.workers
        if asked.journal is not None and (file := asked.journal.named().file) is not None:
            check_folder(file, "journal ")

    @cached_property
    def population(self) -> Population:
        """The study file's data."""
        with busy(self.out, f"loading {self.tables.population.source}"):
            return population_of(self.file)

    @cached_property
    def setting(self) -> Setting:
        """What all instances share."""
        return setting_of(self.file, self.population)

    def candidate(self, options: CandidateOptions, question: str) -> Candidate:
        """Return the candidate of ``--candidate`` and ``--from``; files are named after both."""
        setting = self.setting
        with busy(self.out, "choosing the candidate"):
            chosen = choose_candidate(
                self.file, setting.halves.population, options.candidate, options.selected
            )
        self.name_files(f"{self.stem}-{question}-{chosen.key[:8]}")
        return chosen

    def name_files(self, stem: str) -> None:
        """Settle where results go unless told: ``stem`` with .db, and the journal's name.

        Other data than the study file's are named too, since their journal is another.
        """
        if self.options.source is not None:
            stem += f"-{word_of(self.options.source)}"
        self.journal = self.options.journal or Place(Path(f"{stem}.db"))
        self.figure = self.options.figure or self.journal.beside(".png")
        check_path(self.figure)

    def headline(self, text: str) -> None:
        """Print what the command is about."""
        self.out.print(text, style="bold", soft_wrap=True)

    def about(self, candidate: Candidate) -> str:
        """Return which candidate is asked about, measured how and on what."""
        label, data = candidate.label, self.population.name
        return f"{label}  (key {candidate.key}), {self.setting.loss} on {data}"

    @property
    def shared(self) -> dict[str, Any]:
        """Fields of every study: its setting, seed, engine and name."""
        asked = self.tables.study
        return {
            "setting": self.setting,
            "seed": asked.seed,
            "engine": self.engine,
            "name": asked.name,
        }

    @property
    def loss_label(self) -> str:
        """Label of a loss axis."""
        loss = self.setting.loss
        return loss_label(str(loss), loss.unit(self.population.target_unit))

    @cached_property
    def cores(self) -> int:
        """Instances that run at once."""
        return workers_of(self.options.cluster, self.workers)

    def ask(
        self, study: FixedStudy[Answer], what: str = "instances", *, costs: Sequence[str] = ()
    ) -> Answer:
        """Run a study in its journal and return its answer; show a bar while it trains.

        With ``--dry-run``, what trainings would cost is printed instead, and ``costs`` after it,
        and the command ends.
        """
        instances = study.instances()
        for caution in study.cautions():
            self.out.print(f"Caution: {caution}", soft_wrap=True)
        if self.options.dry_run:
            with busy(self.out, "measuring the engine's speed"):
                cost = estimate(instances, study.setting, study.engine, self.cores)
            self.out.print("\n".join([cost, *costs]), soft_wrap=True)
            raise typer.Exit
        with self.opened(study) as (record, executor):
            done = sum(record.has(*identity_of(one, study.setting)) for one in instances)
            return self._run(study, record, executor, what, done, len(instances))

    def search(self, study: SearchStudy) -> Search:
        """Run a search as `ask` runs a study, whose instances depend on what they come to."""
        if self.options.dry_run:
            with busy(self.out, "measuring the engine's speed"):
                cost = estimate(study.likely(), study.setting, study.engine, self.cores)
            self.out.print(cost, soft_wrap=True)
            raise typer.Exit
        with self.opened(study) as (record, executor):
            done = min(record.count(), study.cost)
            return self._run(study, record, executor, "instances", done, study.cost)

    def _run(
        self,
        study: Study[Answer],
        record: Journal,
        executor: Executor,
        what: str,
        done: int,
        total: int,
    ) -> Answer:
        """Run a study under a bar, ``done`` of its ``total`` instances recorded."""
        with counting(self.out, what, done, total) as advance:
            say = partial(self.out.print, soft_wrap=True)
            retry, watch = self.options.retry_failed, Bar(advance, study.everyone, say)
            return study.run(record, executor=executor, watch=watch, retry_failed=retry)

    def confirm(self, study: FixedStudy[Any], limit: int, yes: bool) -> None:
        """Ask before more than ``limit`` trainings, unless ``yes``; a refusal ends the command.

        Raises `ConfigurationError` where nobody can be asked.
        """
        if yes or self.options.dry_run or (todo := self._left(study)) <= limit:
            return
        if not (self.out.is_terminal and sys.stdin.isatty()) or self.out.quiet:
            raise ConfigurationError(
                f"{todo:,} trainings are more than {limit:,}: say that you mean it with --yes, "
                "or see with --dry-run what they cost"
            )
        typer.confirm(f"{todo:,} trainings (--dry-run says what they cost): go on?", abort=True)

    def _left(self, study: FixedStudy[Any]) -> int:
        """Return how many of a study's instances its journal does not hold."""
        instances = study.instances()
        try:
            with Journal.read(self.journal) as record:
                known = sum(record.has(*identity_of(one, study.setting)) for one in instances)
        except JournalError:
            known = 0
        return len(instances) - known

    @contextmanager
    def opened(
        self, study: Study[Any], go_on: str = ": the same command goes on"
    ) -> Iterator[tuple[Journal, Executor]]:
        """Open a study's journal and its executor; say what it was extended by, and how to go on.

        ``go_on`` is said on Ctrl-C. The command is noted in the journal, for its report.
        """
        asked = shlex.join(["surefoot", *map(without_passwords, sys.argv[1:])])
        notes = {"command": asked} if _is_command() else {}
        with (
            self._executor(study.engine) as executor,
            resumable(self.journal, go_on),
            study.open(self.journal, notes) as record,
        ):
            for line in announcement(record.extended):
                self.out.print(line, soft_wrap=True)
            with telling_of_compilation(self.out):
                yield record, executor

    def _executor(self, engine: str) -> AbstractContextManager[Executor]:
        """Return what trains; of a cluster it is said how many workers it has."""
        cluster = self.options.cluster
        if cluster is None:
            return open_executor(None, self.workers, engine)
        with busy(self.out, f"opening the cluster {cluster}"):
            executor = open_executor(cluster, self.workers, engine)
        return executor

    def finish(self, draw: Callable[[], Figure], *, journal: bool = True, **more: str) -> None:
        """Draw the figure; print where it and the ``journal`` are, and ``more`` of the kind."""
        with busy(self.out, "drawing"):
            save(draw(), self.figure)
        paths, figure = dict[str, str](), {"Figure": str(self.figure)}
        if journal:
            paths["Journal"] = str(self.journal)
            more["Report"] = f"surefoot report {shlex.quote(str(self.journal))}"
        say_paths(self.out, paths | figure | more)
        if manner().json:
            from surefoot.exports.summary import summary

            say_json((summary(self.journal) if journal else {}) | {"figure": str(self.figure)})


def word_of(source: str) -> str:
    """Return a word for a file's name from a source.

    >>> word_of("photons:B"), word_of("photons:runs/b.root:photons")
    ('B', 'b')
    """
    parts = [part for part in source.split(":") if part]
    files = [part for part in parts if "." in part]
    return Path(files[0] if files else parts[-1]).stem


def _is_command() -> bool:
    """Say whether the process is the command itself, so that its arguments are what was asked."""
    return Path(sys.argv[0]).stem in ("surefoot", "__main__")


@contextmanager
def resumable(journal: Place, go_on: str = ": the same command goes on") -> Iterator[None]:
    """Say on Ctrl-C that nothing is lost, and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        kept = f"every finished instance is kept in {shlex.quote(str(journal))}"
        raise KeyboardInterrupt(kept + go_on) from None


@contextmanager
def counting(out: Console, what: str, done: int, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar while ``total`` things get done, of which ``done`` are already.

    Yields a function to call after each. Without a terminal a line says how many there are, and
    then one every half minute how far it is.
    """
    if done >= total:
        yield lambda: None
        return
    if not out.is_terminal:
        before = f" ({done:,} before)" if done else ""
        out.print(f"{what}: {total - done:,} to go{before}", soft_wrap=True)
        began, now = time.monotonic(), done

        def count() -> None:
            nonlocal now
            now += 1

        def tell() -> None:
            rest = ""
            if done < now < total:
                pace = (time.monotonic() - began) / (now - done)
                rest = f", about {duration_words(pace * (total - now))} left"
            out.print(f"{what}: {now:,} of {total:,}{rest}", soft_wrap=True)

        with every(HEARTBEAT, tell):
            yield count
        return
    with bar(out, what, total, done) as advance:
        yield lambda: advance(1)
