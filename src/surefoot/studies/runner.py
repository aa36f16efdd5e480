"""Training whatever of a list of instances a journal does not hold yet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from surefoot.executors.base import Executor
from surefoot.instances import Instance, Outcome, Setting
from surefoot.journal import Identity, Journal, identity


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
