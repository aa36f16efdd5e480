"""A study's run: it trains whatever of a list of instances the journal does not hold yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from surefoot.executors.base import Executor
from surefoot.instances import Instance, Outcome, Setting
from surefoot.journal import Identity, Journal, identity
from surefoot.studies.watch import Watcher


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
        """Say whether an instance is to be trained, for the first time or again."""
        what = identity_of(instance, self.setting)
        return what in self.retry or not self.journal.has(*what)

    def missing(self, instances: Iterable[Instance]) -> list[Instance]:
        """Return the instances that are to be trained."""
        return [instance for instance in instances if self.lacks(instance)]

    def train(self, instances: Iterable[Instance]) -> list[Outcome]:
        """Train what is missing and return the new outcomes; each is on the disk before it is told.

        Raises
        ------
        JournalError
            If an outcome cannot be recorded; those recorded before stay.
        KeyboardInterrupt
            On Ctrl-C, after everything finished is recorded.
        """
        todo = self.missing(instances)
        new: list[Outcome] = []
        if not todo:
            return new
        batches = self.executor.batches(todo, self.setting)
        try:
            for batch in batches:
                self.journal.add(*(o for o in batch if identity(o) not in self.retry))
                self.journal.add(*(o for o in batch if identity(o) in self.retry), retry=True)
                self.retry.difference_update(map(identity, batch))
                new.extend(batch)
                for outcome in batch:
                    self.watch.outcome(outcome)
        finally:
            close = getattr(batches, "close", None)
            if close is not None:
                close()
        return new
