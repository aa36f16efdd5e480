"""Instances on this machine: compiled engines in threads, all others in worker processes.

As many threads as workers take instances from one queue. An engine that releases the GIL trains in
the thread itself; for any other engine the thread has a worker process train, so that a crash there
costs one instance and nothing else. What a notebook defines no other process can make: it trains
here, one instance at a time. A mixed race shares the same workers. An engine of stacks is
given all instances alike that are to come, by one thread for each of its devices.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Self

import numpy as np

from surefoot import checks
from surefoot.engines.base import Engine, Flag, StackEngine, Stopped
from surefoot.engines.choose import Chooser
from surefoot.engines.devices import AUTO
from surefoot.errors import EngineError
from surefoot.executors.base import PACE, Executor
from surefoot.executors.interrupts import heeding_interrupts
from surefoot.executors.local.processes import TOO_LATE, WorkerPool, only_here
from surefoot.executors.local.worker import IMPORTED, IN_WORKER
from surefoot.executors.lost import Lost, after
from surefoot.instances import Instance, Outcome, Setting

_LOOKED_AT = 4096
"""Instances that wait at most while a stack looks for its like."""
_MOST_WORKERS = 4096
_GRACE = 2.0
"""Seconds an engine has to notice its stop flag."""


class LocalExecutor(Executor):
    """Runs instances on this machine's cores.

    Parameters
    ----------
    workers
        Instances that run at once; None for one per core this process may use.
    engine
        Engine to use, or ``auto`` for each candidate's fastest.
    time_limit
        Seconds after which an instance fails. It makes results depend on the machine.
    memory_limit
        Bytes a worker process may allocate while it trains; no effect on engines in threads.
    threads_per_worker
        Threads of the numerical libraries within a worker process.

    Raises
    ------
    ConfigurationError
        If the engine's name is unknown or a number is not positive.
    """

    def __init__(
        self,
        workers: int | None = None,
        engine: str = AUTO,
        *,
        time_limit: float | None = None,
        memory_limit: int | None = None,
        threads_per_worker: int = 1,
    ) -> None:
        checks.at_least(1, most=_MOST_WORKERS, workers=workers)
        checks.positive(time_limit=time_limit)
        checks.at_least(1, memory_limit=memory_limit)
        checks.count(1, most=_MOST_WORKERS, threads_per_worker=threads_per_worker)
        self.engine, self.workers = engine, workers or _cores()
        self.chooser, self.time_limit = Chooser(engine), time_limit
        self._memory_limit, self._threads_per_worker = memory_limit, threads_per_worker
        self._pool: WorkerPool | None = None
        self._places: dict[StackEngine, queue.SimpleQueue[StackEngine]] = {}
        self._placing = threading.Lock()

    def batches(
        self,
        instances: Iterable[Instance],
        setting: Setting,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Iterator[tuple[Outcome, ...]]:
        """Yield outcomes as they come in; see `Executor.batches`.

        When ``stopped()`` becomes true, training stops, what is finished is yielded and no more.
        """
        if os.environ.get(IN_WORKER):
            raise EngineError(IMPORTED)
        threads = _Threads(self, instances, setting, stopped)
        with heeding_interrupts(threads.stop):
            try:
                yield from threads.batches()
            finally:
                threads.dismiss()

    def pool(self, setting: Setting) -> WorkerPool:
        """Return the worker processes of a setting, ending those of another."""
        if self._pool is None or self._pool.setting is not setting:
            self.close()
            self._pool = WorkerPool(setting, self._memory_limit, self._threads_per_worker)
        return self._pool

    def places(self, engine: StackEngine) -> queue.SimpleQueue[StackEngine]:
        """Return an engine on those of its devices that are free; put it back when done."""
        with self._placing:
            if engine not in self._places:
                self._places[engine] = queue.SimpleQueue()
                for placed in engine.places():
                    self._places[engine].put(placed)
            return self._places[engine]

    def close(self) -> None:
        """End all worker processes; they also end with this process."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Threads:
    """The threads of one call of `LocalExecutor.batches`."""

    def __init__(
        self,
        executor: LocalExecutor,
        instances: Iterable[Instance],
        setting: Setting,
        stopped: Callable[[], bool],
    ) -> None:
        self._executor, self._setting, self._stopped = executor, setting, stopped
        self._pool = executor.pool(setting)
        self._instances = iter(instances)
        self._waiting: deque[Instance] = deque()
        self._alone = threading.Lock()
        self._roomless: set[str] = set()
        self._taking = threading.Lock()
        self._stopping = threading.Event()
        self._flags = [np.zeros(1, dtype=np.uint8) for _ in range(executor.workers)]
        self._room = threading.Semaphore(2 * executor.workers + 16)
        self._results: queue.SimpleQueue[Outcome | BaseException | None] = queue.SimpleQueue()
        self._arrivals: list[Outcome] = []
        self._working = executor.workers
        self._error: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._work, args=(flag,), name="surefoot-worker", daemon=True)
            for flag in self._flags
        ]

    def batches(self) -> Iterator[tuple[Outcome, ...]]:
        for thread in self._threads:
            thread.start()
        deadline, due = float("inf"), 0.0
        try:
            while self._working and time.monotonic() < deadline:
                if self._stopped():
                    self.stop()
                if self._stopping.is_set():
                    deadline = min(deadline, time.monotonic() + _GRACE)
                if batch := self._arrived(due):
                    due = time.monotonic() + PACE
                    yield batch
        except KeyboardInterrupt:
            self.dismiss()
            if batch := self._arrived():
                yield batch
            raise
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Ask everything to stop; may be called from a signal handler."""
        self._stopping.set()
        for flag in self._flags:
            flag[0] = 1

    def dismiss(self) -> None:
        """Stop what still runs, and wait for it as long as an engine may take to notice."""
        self.stop()
        deadline = time.monotonic() + _GRACE
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _arrived(self, due: float = 0.0) -> tuple[Outcome, ...]:
        """Wait up to 0.2 s for an outcome; return it with all others that come until ``due``."""
        try:
            result = self._results.get(timeout=0.2)
            while True:
                if result is None:
                    self._working -= 1
                elif isinstance(result, BaseException):
                    self._error = self._error or result
                else:
                    if result.engine not in self._roomless:
                        self._room.release()
                    self._arrivals.append(result)
                left = due - time.monotonic()
                wait = self._working > 0 and left > 0.0 and not self._stopping.is_set()
                result = self._results.get(wait, max(0.0, left))
        except queue.Empty:
            batch, self._arrivals = tuple(self._arrivals), []
            return batch

    def _work(self, flag: Flag) -> None:
        try:
            while (instance := self._next()) is not None:
                engine = self._executor.chooser.choose(instance.candidate, self._setting)
                if isinstance(engine, StackEngine) and self._executor.time_limit is None:
                    self._train_stack(engine, instance, flag)
                elif (outcome := self._train(engine, instance, flag)) is not None:
                    self._results.put(outcome)
        except BaseException as error:
            self._results.put(error)
            self.stop()
        finally:
            self._results.put(None)

    def _next(self) -> Instance | None:
        """Return the next instance, None when there is none or all is to stop."""
        while not self._stopping.is_set():
            if self._room.acquire(timeout=0.1):
                with self._taking:
                    if self._waiting:
                        return self._waiting.popleft()
                    return next(self._instances, None)
        return None

    def _train_stack(self, engine: StackEngine, first: Instance, flag: Flag) -> None:
        """Train an instance and all alike; what a stack leaves does not wait for room.

        While other threads fill a stack on each device, the instance goes back to those that they
        may take.
        """
        self._roomless.add(engine.name)
        self._room.release()
        places = self._executor.places(engine)
        try:
            placed = places.get_nowait()
        except queue.Empty:
            with self._taking:
                self._waiting.appendleft(first)
            places.put(places.get())
            return
        try:
            for training in placed.train_stack(self._alike(engine, first), self._setting, flag):
                self._results.put(training.outcome)
        except Stopped:
            return
        finally:
            places.put(placed)

    def _alike(self, engine: StackEngine, first: Instance) -> Iterator[Instance]:
        """Yield an instance and those to come that may share its stack; the others wait."""
        shape = engine.shape(first, self._setting)

        def fits(one: Instance) -> bool:
            chosen = self._executor.chooser.choose(one.candidate, self._setting)
            return chosen is engine and engine.shape(one, self._setting) == shape

        yield first
        while not self._stopping.is_set():
            with self._taking:
                found = next(filter(fits, self._waiting), None)
                if found is not None:
                    self._waiting.remove(found)
                while found is None and len(self._waiting) < _LOOKED_AT:
                    another = next(self._instances, None)
                    if another is None:
                        return
                    if fits(another):
                        found = another
                    else:
                        self._waiting.append(another)
            if found is None:
                return
            yield found

    def _train(self, engine: Engine, instance: Instance, flag: Flag) -> Outcome | None:
        limit = self._executor.time_limit
        if engine.workers == "threads":
            return self._train_here(engine, instance, flag, limit)
        if only_here(instance.candidate):
            with self._alone:
                return self._train_here(engine, instance, flag, limit)
        losses: list[Lost] = []
        while True:
            try:
                with self._pool.worker(self._stopping.is_set) as worker:
                    return worker.train(engine, instance, limit)
            except Lost as lost:
                losses.append(lost)
            outcome = after(losses, instance, self._setting, engine.name)
            if outcome is not None or self._stopping.is_set():
                return outcome

    def _train_here(
        self, engine: Engine, instance: Instance, flag: Flag, limit: float | None
    ) -> Outcome | None:
        late = threading.Event()

        def ring() -> None:
            late.set()
            flag[0] = 1

        start = time.perf_counter()
        alarm = threading.Timer(limit or 0.0, ring)
        if limit is not None:
            alarm.start()
        try:
            return engine.train(instance, self._setting, flag).outcome
        except Stopped:
            if not late.is_set() or self._stopping.is_set():
                return None
            seconds, message = time.perf_counter() - start, TOO_LATE.format(limit)
            return Outcome.of(instance, self._setting, engine.name, (), seconds, message)
        finally:
            alarm.cancel()
            if limit is not None:
                alarm.join()
            if late.is_set():
                flag[0] = 0


def _cores() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
