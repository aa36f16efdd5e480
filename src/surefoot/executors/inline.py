"""Instances one after the other in the calling thread: no processes to start, none to crash."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from surefoot.engines.choose import Chooser
from surefoot.engines.devices import AUTO
from surefoot.executors.base import Executor
from surefoot.instances import Instance, Outcome, Setting


class InlineExecutor(Executor):
    """For small data, where starting a worker process would cost more than all trainings.

    Ctrl-C ends the instance in training at once, without an outcome; a crash ends this process.
    """

    def __init__(self, engine: str = AUTO) -> None:
        self.engine, self.workers = engine, 1
        self._chooser = Chooser(engine)

    def batches(
        self, instances: Iterable[Instance], setting: Setting
    ) -> Iterator[tuple[Outcome, ...]]:
        """Yield every outcome by itself."""
        for instance in instances:
            engine = self._chooser.choose(instance.candidate, setting)
            yield (engine.train(instance, setting).outcome,)
