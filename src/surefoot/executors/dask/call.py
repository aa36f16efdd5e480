"""One call of the executor of clusters: who trains what is decided here, not by Dask.

Each lease is one task, pinned to a worker; its outcomes come back as events while it runs
(`surefoot.executors.dask.worker`), so its result is nothing. What a worker has not answered when it
goes is given to others (`Leases`).
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from surefoot.candidates.base import Candidate
from surefoot.engines.base import Engine
from surefoot.engines.choose import Chooser
from surefoot.errors import EngineError
from surefoot.executors.base import PACE
from surefoot.executors.dask.connection import ANSWER, UNREACHABLE, Connection
from surefoot.executors.dask.data import check_candidate
from surefoot.executors.dask.leases import Lease, Leases
from surefoot.executors.dask.worker import Lease as Sent
from surefoot.executors.lost import Lost, after
from surefoot.instances import Outcome, Setting

if TYPE_CHECKING:
    from distributed import Future

_LOOK = 1.0
"""Seconds after which the scheduler is asked for its workers again."""
_RENEW = 60.0
_WAITING = 30.0
"""Seconds without a worker before that is said; then from one time to the next."""
_GRACE = 1.0
"""Seconds in which workers that are told to stop send what they have."""
_SILENT = 1000
"""Leases in a row that may end without an outcome, as those of workers that close do."""
_FULL = 0.8
"""Share of a worker's memory limit above which its end is taken for want of memory."""

_logger = logging.getLogger("surefoot")


@dataclass(frozen=True)
class Terms:
    """Who trains in all calls of an executor, its limits, and its patience with the scheduler."""

    chooser: Chooser
    time_limit: float | None
    memory_limit: int | None
    patience: float


class Call:
    """One call of `DaskExecutor.batches`: leases given out, answers taken, workers looked after.

    Parameters
    ----------
    connection
        Where its workers are.
    number
        Its own among all calls with this connection.
    leases
        Who trains what.
    setting, terms
        What all its instances share.
    """

    def __init__(
        self, connection: Connection, number: int, leases: Leases, setting: Setting, terms: Terms
    ) -> None:
        self._connection, self._number, self._leases = connection, number, leases
        self._setting, self._terms = setting, terms
        self._futures: dict[int, Future] = {}
        self._losses: dict[int, list[Lost]] = {}
        self._arrivals: list[Outcome] = []
        self._engines: dict[Candidate, Engine] = {}
        self._memory: dict[str, float] = {}
        self._scheduler = ""
        self._stopping = False
        self._silent = 0
        self._look_at = self._answered_at = self._renewed_at = time.monotonic()
        self._manned_at = time.monotonic()

    def batches(self) -> Iterator[tuple[Outcome, ...]]:
        """Yield outcomes as they come in; see `Executor.batches`."""
        due = 0.0
        try:
            while not self._stopping:
                self._give()
                if self._leases.done:
                    break
                self._collect(due)
                if self._arrivals:
                    due = time.monotonic() + PACE
                    yield self._taken()
        except KeyboardInterrupt:
            self.stop()
            self._drain()
            yield self._taken()
            raise
        if self._stopping:
            self._drain()
        if self._arrivals:
            yield self._taken()

    def stop(self) -> None:
        """Ask to stop; may be called from a signal handler."""
        self._stopping = True
        self._connection.messages.put(("stop",))

    def dismiss(self) -> None:
        """Have workers stop what they still train for this call."""
        futures, self._futures = list(self._futures.values()), {}
        self._connection.cancel(futures)

    def _taken(self) -> tuple[Outcome, ...]:
        batch, self._arrivals = tuple(self._arrivals), []
        return batch

    def _drain(self) -> None:
        """Stop the workers and take what they have finished."""
        open_leases = set(self._futures)
        self.dismiss()
        deadline = time.monotonic() + _GRACE
        while open_leases and (left := deadline - time.monotonic()) > 0:
            try:
                message = self._connection.messages.get(timeout=left)
            except queue.Empty:
                return
            if message[0] == "outcomes":
                self._handle(message)

    def _collect(self, due: float) -> None:
        """Wait up to 0.2 s for a message, and for more until ``due`` if it brought outcomes."""
        deadline = time.monotonic() + 0.2
        while not self._stopping:
            now = time.monotonic()
            until = due if self._arrivals else deadline
            try:
                message = self._connection.messages.get(now < until, max(0.0, until - now))
            except queue.Empty:
                return
            self._handle(message)
            if not self._arrivals and time.monotonic() >= deadline:
                return
            self._give()
            if self._leases.done:
                return

    def _handle(self, message: tuple[Any, ...]) -> None:
        match message:
            case ("outcomes", call, lease, worker, answers) if call == self._number:
                for number, outcome in answers:
                    self._answer(number, outcome, lease, worker)
                ended = self._leases.ended()
                self._cancel(one.number for one in ended if one.twice)
                for one in ended:
                    self._futures.pop(one.number, None)
            case ("ended", call, lease, status) if call == self._number:
                self._ended(lease, status)
            case ("libraries", worker, other) if other:
                different = ", ".join(f"{name} {what}" for name, what in sorted(other.items()))
                self._connection.say_once(
                    f"worker {worker} has other libraries than here, so losses may differ in the "
                    f"last digits: {different}",
                    about=different,
                )

    def _answer(self, number: int, outcome: Outcome, lease: int | None, worker: str) -> None:
        """Take the first answer; compare a second."""
        if self._leases.answer(number, outcome, lease):
            self._losses.pop(number, None)
            self._silent = 0
            self._arrivals.append(outcome)
            return
        first = self._leases.first(number)
        if first is not None and _bits(first) != _bits(outcome):
            self._connection.say_once(
                f"instance {outcome.instance} of {outcome.candidate} was trained twice, and worker "
                f"{worker} got the loss {outcome.loss!r} where another got {first.loss!r}, which "
                "counts: their processors or libraries differ"
            )

    def _give(self) -> None:
        """Send the leases that workers should have, to those that are there."""
        if time.monotonic() >= self._look_at:
            self._look()
        if not self._leases.slots:
            list(self._leases.give())
            return
        try:
            data = self._connection.data(self._setting)
        except UNREACHABLE:
            self._look_at = time.monotonic() + 1.0
            return
        given = list(self._leases.give())
        self._cancel(self._leases.recalled())
        for lease in given:
            sent = self._sent(lease)
            try:
                future = self._connection.submit(sent, lease.worker, data)
            except UNREACHABLE:
                self._leases.end(lease.number)
                self._look_at = 0.0
                continue
            self._futures[lease.number] = future
            future.add_done_callback(partial(self._tell, lease.number))

    def _sent(self, lease: Lease) -> Sent:
        """Return a lease as it is sent: its instances, each with its engine."""
        chosen = [(self._engine(item[1].candidate), item) for item in lease.todo.items()]
        trainings = [
            (engine, [training for _, training in group])
            for engine, group in groupby(chosen, key=itemgetter(0))
        ]
        return Sent(
            self._number,
            lease.number,
            self._connection.topic,
            self._connection.digest(self._setting),
            self._setting.halves.population.fingerprint,
            trainings,
            self._terms.time_limit,
            self._terms.memory_limit,
        )

    def _engine(self, candidate: Candidate) -> Engine:
        if candidate not in self._engines:
            check_candidate(candidate)
            self._engines[candidate] = self._terms.chooser.choose(candidate, self._setting)
        return self._engines[candidate]

    def _tell(self, lease: int, future: Future) -> None:
        self._connection.messages.put(("ended", self._number, lease, future.status))

    def _ended(self, number: int, status: str) -> None:
        """Close a lease; a worker whose lease ended by an error gets no other."""
        future = self._futures.pop(number, None)
        if future is None:
            return
        worker = self._leases.holder(number)
        self._leases.end(number)
        if status == "finished":
            self._silent += 1
            if self._silent > _SILENT:
                raise EngineError(
                    f"the workers of {self._connection.cluster.name} train, but no outcome "
                    "arrives: see the scheduler's log"
                )
            return
        self._look_at = 0.0
        if status != "error" or worker is None:
            return
        error = future.exception(timeout=ANSWER)
        if type(error).__name__ == "KilledWorker":
            return
        said = str(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
        if not isinstance(error, EngineError):
            said = f"it cannot run surefoot ({said}): install the version there that is here"
        self._refuse(worker, f"worker {worker} is refused: {said}")

    def _refuse(self, worker: str, words: str) -> None:
        self._connection.refused[worker] = words
        self._connection.say_once(words)
        self._leases.leave(worker)

    def _look(self) -> None:
        """Take note of workers that came or went, and of a scheduler that is away."""
        connection, refused = self._connection, self._connection.refused
        now = time.monotonic()
        self._look_at = now + _LOOK
        try:
            scheduler, workers = connection.roll_call()
        except UNREACHABLE as error:
            away = now - self._answered_at
            name = connection.cluster.name
            if away > self._terms.patience:
                raise EngineError(
                    f"the scheduler {name} has been away for {away:.0f} s: everything finished is "
                    "recorded; start it again and go on as before"
                ) from None
            connection.say_once(f"the scheduler {name} is away ({error}): waiting for it")
            self._look_at = now + 1.0
            return
        self._answered_at = now
        restarted, self._scheduler = scheduler != self._scheduler, scheduler
        for worker in self._leases.workers - workers.keys():
            self._gone(worker, blame=not restarted)
        for name, one in workers.items():
            self._memory[name] = one["metrics"].get("memory", 0) / (one["memory_limit"] or 1e99)
            ready = name not in refused and one["status"] == "running"
            if ready and (slots := connection.slots(one)):
                self._leases.join(name, slots)
        if self._leases.slots:
            self._manned_at = now
        elif told := [refused[name] for name in workers if name in refused]:
            raise EngineError(told[-1])
        elif now - self._manned_at > _WAITING:
            self._manned_at = now
            kind = " with the resource GPU" if connection.resources else ""
            _logger.warning("waiting for workers%s: %s has none now", kind, connection.cluster.name)
        if now - self._renewed_at > _RENEW:
            self._renewed_at = now
            connection.cluster.renew()

    def _gone(self, worker: str, *, blame: bool) -> None:
        """Give out again what a worker had; what it was training is lost."""
        self._cancel(self._leases.held_by(worker))
        suspects = self._leases.leave(worker)
        if not blame:
            return
        memory = self._memory.get(worker, 0.0) > _FULL
        how = f"worker {worker} is gone" + (", for want of memory" if memory else "")
        for number, instance in suspects:
            losses = self._losses.setdefault(number, [])
            losses.append(Lost(how, memory=memory))
            engine = self._engine(instance.candidate).name
            outcome = after(losses, instance, self._setting, engine)
            if outcome is not None:
                self._answer(number, outcome, None, worker)

    def _cancel(self, leases: Iterable[int]) -> None:
        """Have workers stop what they still train of some leases."""
        found = [self._futures.pop(one) for one in leases if one in self._futures]
        self._connection.cancel(found)


def _bits(outcome: Outcome) -> tuple[Any, ...]:
    """Return what must not depend on where an instance was trained."""
    return outcome.status, repr(outcome.loss), outcome.curve.tobytes(), outcome.plain.tobytes()
