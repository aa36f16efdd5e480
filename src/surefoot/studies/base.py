"""What every study is: a question asked of candidates, with its data, its seed and its journal.

Its run trains whatever of its instances the journal does not hold yet.
"""

from __future__ import annotations

import logging
import os
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from types import NoneType
from typing import Any, ClassVar, Generic, TypeVar

from surefoot.candidates.base import Candidate
from surefoot.checkpoints import CheckpointStore
from surefoot.checks import of_kind
from surefoot.engines.choose import Chooser
from surefoot.engines.devices import AUTO
from surefoot.errors import ConfigurationError, JournalMismatchError, StatisticsError
from surefoot.escaping import one_line
from surefoot.executors.base import Executor
from surefoot.executors.opening import Where, open_executor
from surefoot.instances import Instance, Outcome, Setting, Status
from surefoot.journal import MEMORY, Identity, Journal, identity
from surefoot.journal.descriptions import canonical, mismatches
from surefoot.seeds.ledger import Role, check_study_seed
from surefoot.studies.description import DescribedSetting, Description
from surefoot.studies.extension import extension_or_why_not
from surefoot.studies.printing import NotebookProgress, in_notebook
from surefoot.studies.provenance import machine
from surefoot.studies.troubles import explained
from surefoot.studies.watch import Failures, OutcomeCallback, Watch, Watcher

_logger = logging.getLogger("surefoot")

Answer = TypeVar("Answer")

_JOURNALS = (str, os.PathLike, Journal, NoneType)
_logger = logging.getLogger("surefoot")
Described = TypeVar("Described", bound=Description)

CHECKPOINTS = ".checkpoints"
"""What the name of the folder of checkpoints adds to its journal's."""
TRIM_EVERY = 10.0
"""Seconds from one look at the size of all checkpoints to the next."""


def identity_of(instance: Instance, setting: Setting) -> Identity:
    """Return what identifies an instance in a journal."""
    seed = instance.seed
    return instance.candidate.key, seed.role, seed.instance, instance.train_size(setting)


@dataclass(frozen=True, eq=False)
class Run:
    """Where a study's instances are trained, what keeps their outcomes, and who is told of them.

    ``retry`` are failed instances to be trained again, once: they are taken out of the set.
    """

    setting: Setting
    journal: Journal
    executor: Executor
    watch: Watcher = field(default_factory=Watcher)
    retry: set[Identity] = field(default_factory=set)

    def lacks(self, instance: Instance) -> bool:
        """Say whether an instance is to be trained, or trained on: for the first time or again."""
        what = identity_of(instance, self.setting)
        if what in self.retry:
            return True
        if instance.until is not None and self.journal.epochs_put_aside(*what) >= instance.until:
            return False
        return not self.journal.has(*what)

    def missing(self, instances: Iterable[Instance]) -> list[Instance]:
        """Return the instances that are to be trained."""
        return [instance for instance in instances if self.lacks(instance)]

    def train(self, instances: Iterable[Instance]) -> list[Outcome]:
        """Train what is missing and return the new outcomes; each is on the disk before it is told.

        Raises `JournalError` if an outcome cannot be recorded (those recorded before stay), and
        ``KeyboardInterrupt`` on Ctrl-C, after everything finished is recorded.
        """
        todo = self.missing(instances)
        new: list[Outcome] = []
        if not todo:
            return new
        self.watch.training(len(todo))
        batches, due = self.executor.batches(todo, self.setting), 0.0
        try:
            for batch in batches:
                self.journal.add(*(o for o in batch if identity(o) not in self.retry))
                self.journal.add(*(o for o in batch if identity(o) in self.retry), retry=True)
                ended = (outcome for outcome in batch if outcome.status is not Status.PAUSED)
                self.retry.difference_update(map(identity, ended))
                self._note_processors(batch)
                new.extend(batch)
                for outcome in batch:
                    self.watch.outcome(outcome)
                if self.setting.checkpoints is not None and time.monotonic() > due:
                    self.setting.checkpoints.trim()
                    due = time.monotonic() + TRIM_EVERY
        finally:
            close = getattr(batches, "close", None)
            if close is not None:
                close()
        return new

    @cached_property
    def _processors(self) -> dict[str, list[str]]:
        """Kinds of processors by engine, as the journal notes them."""
        noted: dict[str, list[str]] = self.journal.notes().get("processors", {})
        return noted

    def _note_processors(self, outcomes: Iterable[Outcome]) -> None:
        """Note kinds of processors that are new to the journal; warn where there was another."""
        new = {(one.engine, one.processor) for one in outcomes if one.processor}
        new -= {(name, kind) for name, kinds in self._processors.items() for kind in kinds}
        for engine, processor in sorted(new):
            kinds = self._processors.setdefault(engine, [])
            if kinds:
                _logger.warning(
                    "%s trains on %s, and what is recorded was trained on %s: losses may differ in "
                    "the last digits between them",
                    *map(one_line, (engine, processor, " and ".join(kinds))),
                )
            kinds.append(processor)
        if new:
            self.journal.note({"processors": self._processors})


@contextmanager
def checkpointing(run: Run, study: Study[Any]) -> Iterator[Run]:
    """Give a run that keeps checkpoints of trainings put aside, beside its journal's file if it has
    one.

    They are deleted when all goes well, and kept for the next time otherwise.
    """
    with ExitStack() as stack:
        file = run.journal.place.file
        if file is None:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="surefoot-")))
        else:
            folder = file.with_name(file.name + CHECKPOINTS)
        described = canonical({"seed": study.seed, **DescribedSetting.of(study.setting).json()})
        folder.mkdir(exist_ok=True)
        store = CheckpointStore(folder, described)
        yield replace(run, setting=replace(run.setting, checkpoints=store))
        store.remove()


@dataclass(frozen=True, kw_only=True, eq=False)
class Study(ABC, Generic[Answer]):
    """What every study shares; its own fields are the parameters of the question in one call.

    Parameters
    ----------
    setting
        Data, sampling, loss and stopping rule of all instances.
    seed
        Seed of the study, 0 … 2⁶⁴ − 1.
    engine
        Engine asked for; a journal holds the outcomes of one choice only.
    name
        What tables and reports call it; decides nothing.
    """

    renamed: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Former names of options, each with what to give today."""

    setting: Setting
    seed: int = 0
    engine: str = AUTO
    name: str = ""

    def __post_init__(self) -> None:
        check_study_seed(self.seed)
        self.setting.halves.check(self.setting.sampling)

    def cautions(self) -> list[str]:
        """Return what can be known to be too little for an answer before anything is trained."""
        return []

    @property
    @abstractmethod
    def everyone(self) -> tuple[Candidate, ...]:
        """Every candidate that may be trained, each once."""

    @cached_property
    @abstractmethod
    def description(self) -> Description:
        """Everything that decides results."""

    def described(
        self,
        form: type[Described],
        kind: str,
        candidates: Iterable[Candidate] | None = None,
        **others: Any,
    ) -> Described:
        """Return a description whose fields are this study's of the same names.

        ``candidates`` are those asked about, `everyone` unless given; ``others`` are the fields
        that the study does not have or has otherwise.
        """
        asked = self.everyone if candidates is None else candidates
        known = vars(self) | DescribedSetting.of(self.setting).parts()
        if (baseline := known.get("baseline")) is not None:
            known["baseline"] = baseline.key
        keys = tuple(candidate.key for candidate in asked)
        known |= {"kind": kind, "candidates": keys, **others}
        return form(**{one.name: known[one.name] for one in fields(form) if one.name in known})

    @cached_property
    def known(self) -> dict[str, Candidate]:
        """`everyone` by key."""
        return {candidate.key: candidate for candidate in self.everyone}

    def instance(self, key: str, role: Role, number: int) -> Instance:
        """Return an instance of a candidate, with the luck that the study's seed gives it."""
        return Instance(self.known[key], self.description.instance_seed(key, role, number))

    def asked(self) -> dict[str, Any]:
        """Return what of the question decides no instance, as plain JSON values, for reports."""
        return {}

    def open(self, path: str | os.PathLike[str], notes: Mapping[str, Any] | None = None) -> Journal:
        """Create or resume the study's journal, also that of a study which this one extends.

        Errors are those of `Journal.open`. Noted are the study's name, where the population came
        from, if that is known, what of the question its description does not hold, on which machine
        it is, and ``notes``.
        """
        described, noted = self.description.json(), {**self.notes(), **(notes or {})}
        return Journal.open(path, described, self.everyone, noted, extension_or_why_not)

    def notes(self) -> dict[str, Any]:
        """Return what its journal is to note that decides no result."""
        origin = self.setting.halves.population.origin
        known: dict[str, Any] = {} if origin is None else {"population": dict(origin)}
        known |= {"study": {"name": self.name}} if self.name else {}
        known |= {"asked": asked} if (asked := self.asked()) else {}
        return known | {"machine": machine()}

    def run(
        self,
        journal: Journal | str | os.PathLike[str] | None = None,
        *,
        workers: int | None = None,
        executor: Where = None,
        watch: Watch = None,
        retry_failed: bool = False,
    ) -> Answer:
        """Run or resume the study and return its answer.

        Parameters
        ----------
        journal
            The file that keeps every outcome, or the open journal of this study; None for memory
            only.
        workers, executor
            How many instances are trained at once, None for one per core; or where they run: an
            `Executor`, a `distributed.Client`, or what ``--cluster`` takes, as ``local:4``.
        watch
            Told of everything once it is recorded: a `Watcher`, such as a `ProgressPrinter`, or a
            function that is called with every outcome. Unless given, the first failures are
            logged, and a notebook shows how far it is.
        retry_failed
            Train instances again that are recorded as failed, once, where the answer needs them.

        Raises
        ------
        JournalMismatchError
            If the journal is of another study.
        EngineError
            If no engine trains a candidate.
        ConfigurationError
            If the executor was made for another engine.
        KeyboardInterrupt
            On Ctrl-C, once everything finished is recorded.
        """
        of_kind("a file's path, an open journal or None", *_JOURNALS, journal=journal)
        if callable(watch) and not isinstance(watch, type | Watcher):
            watch = OutcomeCallback(watch)
        of_kind("a Watcher, a function of an outcome or None", Watcher, NoneType, watch=watch)
        of_kind("true or false", bool, retry_failed=retry_failed)
        if watch is None:
            for caution in self.cautions():
                _logger.warning(caution)
        with ExitStack() as stack:
            if not isinstance(journal, Journal):
                journal = stack.enter_context(self.open(MEMORY if journal is None else journal))
            opened = stack.enter_context(open_executor(executor, workers, self.engine))
            self._check(journal, opened)
            retry = journal.failed() if retry_failed else set()
            usual = NotebookProgress if in_notebook() else Failures
            told = watch if isinstance(watch, Watcher) else usual(self.everyone)
            return self.answer(Run(self.setting, journal, opened, told, retry))

    @abstractmethod
    def answer(self, run: Run) -> Answer:
        """Train what the journal of a run lacks for the answer, and return it."""

    def _check(self, journal: Journal, executor: Executor) -> None:
        if executor.engine != self.engine:
            raise ConfigurationError(
                f"the study asks for engine {self.engine!r} but its executor for "
                f"{executor.engine!r}: make them agree"
            )
        found = mismatches(journal.study, self.description.json())
        if found:
            raise JournalMismatchError(
                "the journal given belongs to another study (journal -> now): "
                + "; ".join(found[:8])
            )
        chooser = Chooser(self.engine, here=executor.here)
        for candidate in self.everyone:
            executor.admit(candidate)
            chooser.choose(candidate, self.setting)


def with_baseline(
    candidates: tuple[Candidate, ...], baseline: Candidate | None
) -> tuple[Candidate, ...]:
    """Return the candidates, and the baseline unless it is one of them."""
    if baseline is None or baseline in candidates:
        return candidates
    return (*candidates, baseline)


def check_different(candidates: Iterable[Candidate], what: str) -> None:
    """Raise `ConfigurationError` if a candidate is given twice; ``what`` is done with different."""
    for candidate, times in Counter(candidates).items():
        if times > 1:
            raise ConfigurationError(
                f"{candidate.label} is given twice: {what} different candidates"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class FixedStudy(Study[Answer]):
    """A study whose instances are fixed beforehand: all are trained, then the answer is read."""

    @abstractmethod
    def instances(self) -> list[Instance]:
        """Return its instances, in the order in which they are to be trained."""

    @abstractmethod
    def result(self, journal: Journal) -> Answer:
        """Return what a journal says that holds all of its instances."""

    def notes(self) -> dict[str, Any]:
        """Return what its journal is to note: also how many instances there are to be."""
        return {**super().notes(), "instances": len(self.instances())}

    def answer(self, run: Run) -> Answer:
        """Train the instances and return the result.

        Raises `StatisticsError` if every one of them failed; the message says with what error.
        """
        instances = self.instances()
        run.train(instances)
        with explained(run.journal):
            if {identity_of(one, run.setting) for one in instances} <= run.journal.failed():
                raise StatisticsError(f"there is no loss of {len(instances)} instances")
            return self.result(run.journal)


@dataclass(frozen=True, kw_only=True, eq=False)
class CandidateStudy(FixedStudy[Answer]):
    """A study of one candidate."""

    candidate: Candidate

    @property
    def everyone(self) -> tuple[Candidate, ...]:
        """The candidate."""
        return (self.candidate,)
