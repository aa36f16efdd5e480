"""Who trains what: instances given out in leases, and what comes back. Pure bookkeeping.

A lease is a batch of instances for one worker. Leases start small and grow to `TARGET` seconds of
work by the durations measured, and shrink again where little is left. Every worker has one more
than it can train at once, so that none waits for the network. When nothing is left to give out,
leases that others have not begun are recalled for idle workers; then these get a copy of what
others have begun, from its end, and of what takes too long: the first answer counts, and a second
one must have the same bits.
"""

from __future__ import annotations

import operator
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from statistics import fmean

from surefoot.instances import Instance, Outcome

TARGET = 20.0
"""Seconds of work in a lease."""
LARGEST = 1000
"""Instances in a lease at most, however short they are."""
_SHORT = 0.5
"""Seconds of work in a lease at least, unless a worker's share of what is left is less."""
_LATEST = 200
"""Outcomes by whose durations leases are sized."""
_PATIENCE = 2.0
"""Seconds, and times the longest duration, after which what trains on another worker is late."""


@dataclass(eq=False, slots=True)
class Pace:
    """How many instances were trained, and the seconds of the latest."""

    answers: int = 0
    latest: deque[float] = field(default_factory=lambda: deque(maxlen=_LATEST))


@dataclass(eq=False, slots=True)
class Lease:
    """Instances given to a worker, by number; ``todo`` are those without an answer.

    ``since`` is when its worker last showed that it lives; ``twice`` if another lease has or had
    some of its instances.
    """

    number: int
    worker: str
    todo: dict[int, Instance]
    since: float
    twice: bool = False


@dataclass(eq=False, slots=True)
class _Worker:
    """A worker that trains ``slots`` leases at once, the first of those it has."""

    name: str
    slots: int
    leases: dict[int, Lease] = field(default_factory=dict)

    @property
    def running(self) -> list[Lease]:
        return list(islice(self.leases.values(), self.slots))


class Leases:
    """All leases of one call, for workers that come and go.

    Parameters
    ----------
    instances
        Taken only as they are given out.
    pace
        What earlier calls measured.
    clock
        Returns seconds; for tests.
    least
        Instances in a lease at least, where there are so many: those that are trained at once.
    """

    def __init__(
        self,
        instances: Iterable[Instance],
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        least: int = 1,
    ) -> None:
        self._coming, self._clock = iter(instances), clock
        self._pace = Pace() if pace is None else pace
        self._least, self._exhausted = least, False
        self._numbers, self._lease_numbers = count(), count()
        self._workers: dict[str, _Worker] = {}
        self._open: dict[int, Lease] = {}
        self._returned: dict[int, Instance] = {}
        self._holders: dict[int, set[int]] = {}
        self._twice: dict[int, Outcome] = {}
        self._recalled: list[int] = []

    @property
    def done(self) -> bool:
        """Whether there is nothing to give out and every answer is here."""
        return self._exhausted and not self._holders

    @property
    def slots(self) -> int:
        """How many leases the workers train at once."""
        return sum(worker.slots for worker in self._workers.values())

    @property
    def workers(self) -> set[str]:
        """The workers that take part."""
        return set(self._workers)

    def holder(self, lease: int) -> str | None:
        """Return the worker that has an open lease."""
        return self._open[lease].worker if lease in self._open else None

    def held_by(self, worker: str) -> list[int]:
        """Return the open leases of a worker, in the order in which it trains them."""
        return list(self._workers[worker].leases) if worker in self._workers else []

    def join(self, worker: str, slots: int) -> None:
        """Let a worker take part that trains so many leases at once."""
        self._workers.setdefault(worker, _Worker(worker, slots))

    def leave(self, worker: str) -> list[tuple[int, Instance]]:
        """Take back what a worker has; return the instances it was training, by number."""
        gone = self._workers.pop(worker, None)
        if gone is None:
            return []
        suspects = [next(iter(lease.todo.items())) for lease in gone.running if lease.todo]
        for lease in list(gone.leases.values()):
            self.end(lease.number)
        return [(number, one) for number, one in suspects if number in self._holders]

    def give(self) -> Iterator[Lease]:
        """Yield the leases that workers should have now."""
        if not self._workers and not self._holders:
            self._returned.update(islice(self._next(), 1))
        while self._workers:
            worker = min(self._workers.values(), key=lambda one: len(one.leases) / one.slots)
            if len(worker.leases) > worker.slots:
                return
            todo = dict(islice(self._next(), self._size()))
            copied = None if todo else self._late(worker)
            if copied is not None and not self._is_running(copied):
                self.end(copied.number)
                self._recalled.append(copied.number)
                continue
            if copied is not None:
                todo, copied.twice = dict(reversed(self._spare(copied).items())), True
            if not todo:
                return
            lease = Lease(next(self._lease_numbers), worker.name, todo, self._clock())
            lease.twice = copied is not None
            self._open[lease.number] = worker.leases[lease.number] = lease
            for number in todo:
                self._holders.setdefault(number, set()).add(lease.number)
            yield lease

    def answer(self, number: int, outcome: Outcome, lease: int | None = None) -> bool:
        """Note an outcome of a lease; return whether it is the first of its instance.

        An answer counts whatever has become of its lease.
        """
        if lease in self._open:
            self._open[lease].since = self._clock()
        if number not in self._holders:
            return False
        self._pace.answers += 1
        self._pace.latest.append(outcome.seconds)
        holders = self._holders.pop(number)
        self._returned.pop(number, None)
        for held in (self._open[one] for one in holders):
            del held.todo[number]
            if held.twice:
                self._twice[number] = outcome
        return True

    def first(self, number: int) -> Outcome | None:
        """Return the first answer of an instance that was given out twice."""
        return self._twice.get(number)

    def ended(self) -> list[Lease]:
        """Return, once, the leases that have all answers."""
        ended = [lease for lease in self._open.values() if not lease.todo]
        for lease in ended:
            self.end(lease.number)
        return ended

    def recalled(self) -> list[int]:
        """Return, once, the leases that `give` took back from workers that had not begun them."""
        recalled, self._recalled = self._recalled, []
        return recalled

    def end(self, lease: int) -> None:
        """Close a lease: what it has not answered and no other holds is given out again."""
        closed = self._open.pop(lease, None)
        if closed is None:
            return
        for number, instance in closed.todo.items():
            self._holders[number].discard(lease)
            for other in self._holders[number]:
                self._open[other].twice = False
            if not self._holders[number]:
                self._returned[number] = instance
        worker = self._workers.get(closed.worker)
        if worker is not None:
            del worker.leases[lease]
            for waiting in worker.leases.values():
                waiting.since = self._clock()

    def _next(self) -> Iterator[tuple[int, Instance]]:
        """Yield what is to be given out: first what came back."""
        while self._returned:
            number = next(iter(self._returned))
            yield number, self._returned.pop(number)
        for instance in self._coming:
            number = next(self._numbers)
            self._holders[number] = set()
            yield number, instance
        self._exhausted = True

    def _size(self) -> int:
        """Return how many instances the next lease has."""
        size, few = min(LARGEST, self._pace.answers // self.slots), 1
        if self._pace.latest:
            usual = max(fmean(self._pace.latest), 1e-9)
            size, few = min(size, int(TARGET / usual)), int(_SHORT / usual)
        left = len(self._returned) + operator.length_hint(self._coming)
        share = max(left // (2 * self.slots), min(few, -(-left // self.slots)))
        return max(self._least, min(size, share) if left else size)

    def _late(self, worker: _Worker) -> Lease | None:
        """Return the lease that an idle worker should have in part, or a copy of its end."""
        if len(worker.leases) >= worker.slots:
            return None
        others = [one for one in self._open.values() if not one.twice and one.worker != worker.name]
        late = [one for one in others if self._spare(one)]
        return min(
            late, key=lambda one: (self._is_running(one), -len(self._spare(one))), default=None
        )

    def _is_running(self, lease: Lease) -> bool:
        return lease in self._workers[lease.worker].running

    def _spare(self, lease: Lease) -> dict[int, Instance]:
        """Return what another worker may train of a lease: all but what trains there in time."""
        usual = max(self._pace.latest, default=float("inf"))
        late = self._clock() - lease.since > _PATIENCE * (1.0 + usual)
        begun = self._is_running(lease) and not late
        return dict(islice(lease.todo.items(), self._least if begun else 0, None))
