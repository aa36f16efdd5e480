"""Training whatever of a list of instances a journal does not hold yet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from surefoot.executors.base import Executor
from surefoot.instances import Instance, Outcome, Setting
from surefoot.journal import Identity, Journal, identity
from surefoot.studies.base import Study


def identity_of(instance: Instance, setting: Setting) -> Identity:
    """Return what identifies an instance in a journal."""
    seed = instance.seed
    return instance.candidate.key, seed.role, seed.instance, instance.train_size(setting)


def missing(
    instances: Iterable[Instance],
    setting: Setting,
    journal: Journal,
    retry: Collection[Identity] = (),
) -> Iterator[Instance]:
    """Yield the instances the journal lacks, and those to be tried again."""
    for instance in instances:
        what = identity_of(instance, setting)
        if what in retry or not journal.has(*what):
            yield instance


def train(
    study: Study,
    instances: Iterable[Instance],
    journal: Journal,
    executor: Executor,
    each: Callable[[Outcome], None] | None = None,
    *,
    retry_failed: bool = False,
) -> None:
    """Train what the journal lacks of a study's instances; ``each`` is told of every new outcome.

    ``retry_failed`` trains those again that are recorded as failed.

    Raises
    ------
    JournalMismatchError
        If the journal is of another study.
    EngineError
        If no engine trains a candidate, or the executor was made for another one.
    KeyboardInterrupt
        On Ctrl-C, once everything finished is recorded.
    """
    study.check(journal, executor.engine)
    retry = journal.failed() if retry_failed else set()
    train_missing(instances, study.setting, journal, executor, retry=retry, each=each)


def train_missing(
    instances: Iterable[Instance],
    setting: Setting,
    journal: Journal,
    executor: Executor,
    *,
    retry: set[Identity] | None = None,
    each: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Train what the journal lacks and return the new outcomes.

    Each outcome is on the disk before ``each`` sees it. Failed instances in ``retry`` are trained
    again, once: they are taken out of the set.

    Raises
    ------
    JournalError
        If an outcome cannot be recorded; those recorded before stay.
    KeyboardInterrupt
        On Ctrl-C, after everything finished is recorded.
    """
    again = set() if retry is None else retry
    todo = list(missing(instances, setting, journal, again))
    new: list[Outcome] = []
    if not todo:
        return new
    batches = executor.batches(todo, setting)
    try:
        for batch in batches:
            journal.add(*(o for o in batch if identity(o) not in again))
            journal.add(*(o for o in batch if identity(o) in again), retry=True)
            again.difference_update(identity(o) for o in batch)
            new.extend(batch)
            if each is not None:
                for outcome in batch:
                    each(outcome)
    finally:
        close = getattr(batches, "close", None)
        if close is not None:
            close()
    return new
