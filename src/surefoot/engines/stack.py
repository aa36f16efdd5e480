"""The seam of engines that train many instances at once: alike ones share a stack."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from surefoot.engines.base import Engine, Flag, Monitor
from surefoot.errors import EngineError
from surefoot.instances import Instance, Outcome, Predictor, Setting, Training


@dataclass(slots=True)
class Trained:
    """What one instance left in a stack; ``seconds`` is its share of the time."""

    instance: Instance
    monitor: Monitor
    seconds: float = 0.0
    predictor: Predictor | None = None
    failure: str = ""


class StackEngine(Engine):
    """Trains a stack of instances at once; those of equal `shape` may share one."""

    workers: ClassVar[Literal["threads", "processes"]] = "threads"

    @abstractmethod
    def shape(self, instance: Instance, setting: Setting) -> Hashable:
        """Return what instances must have in common to share a stack."""

    @abstractmethod
    def fit_stack(
        self, instances: Iterator[Instance], setting: Setting, stop: Flag
    ) -> Iterator[Trained]:
        """Train instances of one shape, taking the next when one ends; yield each as it ends.

        An instance leaves the same whatever shares its stack. Raises `Stopped` within two seconds
        of ``stop[0]`` being set.
        """

    def fit(self, instance: Instance, setting: Setting, monitor: Monitor) -> Predictor | None:
        """Train one instance in a stack of its own."""
        (trained,) = self.fit_stack(iter([instance]), setting, monitor.stop)
        if trained.failure:
            raise EngineError(trained.failure)
        monitor.losses, monitor.plain = trained.monitor.losses, trained.monitor.plain
        return trained.predictor

    def train_stack(
        self, instances: Iterator[Instance], setting: Setting, stop: Flag
    ) -> Iterator[Training]:
        """Yield what `fit_stack` leaves as outcomes."""
        for left in self.fit_stack(instances, setting, stop):
            outcome = Outcome.of(
                left.instance,
                setting,
                self.name,
                left.monitor.losses,
                left.seconds,
                left.failure,
                failed=bool(left.failure),
                plain=left.monitor.plain,
            )
            yield Training(outcome, left.predictor)
