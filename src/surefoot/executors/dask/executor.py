"""Instances on the workers of a Dask cluster; who trains what is decided here, not by Dask.

Dask starts workers, finds them and carries messages. Each lease is one task, pinned to a worker;
its outcomes come back as events while it runs (`surefoot.executors.dask.worker`), so its result is
nothing. What a worker has not answered when it goes is given to others (`Leases`).
"""

from __future__ import annotations

import logging
import os
import pickle
import queue
import site
import sys
import sysconfig
import time
import uuid
from asyncio import CancelledError
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import count, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Self

from surefoot import checks
from surefoot.candidates.base import Candidate
from surefoot.engines.base import Engine
from surefoot.engines.choose import Chooser
from surefoot.engines.devices import AUTO, engine_and_device
from surefoot.engines.torch.stacked.engine import SIZES
from surefoot.errors import EngineError
from surefoot.escaping import one_line
from surefoot.executors.base import Executor
from surefoot.executors.dask.clusters import open_cluster
from surefoot.executors.dask.data import SentSetting, pickled
from surefoot.executors.dask.leases import Lease, Leases, Pace
from surefoot.executors.dask.worker import Lease as Sent
from surefoot.executors.dask.worker import passport, run_lease
from surefoot.executors.interrupts import heeding_interrupts
from surefoot.executors.local.processes import names_main
from surefoot.executors.lost import Lost, after
from surefoot.instances import Instance, Outcome, Setting

if TYPE_CHECKING:
    from distributed import Client, Future

_PACE = 0.25
"""Seconds from one batch to the next at least, as with a `LocalExecutor`."""
_LOOK = 1.0
"""Seconds after which the scheduler is asked for its workers again."""
_ANSWER = 10.0
"""Seconds that the scheduler may take to answer."""
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
_UNREACHABLE = (OSError, TimeoutError, RuntimeError, ValueError, CancelledError)
"""What Dask raises while a scheduler is away."""


class DaskExecutor(Executor):
    """Runs instances on a Dask cluster: machines by ssh, Slurm, HTCondor, Kubernetes, …

    An engine that is asked for on a GPU, ``torch_stacked(cuda)``, trains on the workers that were
    started with the resource ``GPU``, as many leases at once as they have of it.

    Parameters
    ----------
    cluster
        A `distributed.Client`, or what ``--cluster`` takes: an address such as
        ``tcp://host:8786``, ``local:N`` for so many worker processes here, the TOML file of a
        batch system, or a scheduler file.
    engine
        Engine to use, or ``auto`` for each candidate's fastest.
    time_limit, memory_limit
        As of a `LocalExecutor`, for each instance.
    patience
        Seconds that a scheduler may be away.

    Raises
    ------
    ConfigurationError
        If the cluster, the engine's name or a number is none.
    EngineError
        If no scheduler answers.
    MissingExtraError
        If Dask is not installed.
    """

    here: ClassVar[bool] = False

    def __init__(
        self,
        cluster: Client | str | os.PathLike[str],
        engine: str = AUTO,
        *,
        time_limit: float | None = None,
        memory_limit: int | None = None,
        patience: float = 300.0,
    ) -> None:
        checks.positive(time_limit=time_limit, patience=patience)
        checks.at_least(1, memory_limit=memory_limit)
        self.engine, self.chooser = engine, Chooser(engine, here=False)
        self.resources = {"GPU": 1} if engine_and_device(engine)[1].startswith("cuda") else {}
        self.time_limit, self.memory_limit, self.patience = time_limit, memory_limit, patience
        self.cluster = open_cluster(cluster)
        self.workers = self.cluster.asked or 1
        self.messages: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self.topic = f"surefoot-{uuid.uuid4().hex}"
        self.pace = Pace()
        self.refused: dict[str, str] = {}
        self.calls = count()
        self._sent: SentSetting | None = None
        self._data: Future | None = None
        self._said: set[str] = set()
        try:
            self.roll_call()
        except _UNREACHABLE as error:
            self.cluster.close()
            raise EngineError(f"{self.cluster.name} does not answer: {error}") from None

    def batches(
        self, instances: Iterable[Instance], setting: Setting
    ) -> Iterator[tuple[Outcome, ...]]:
        """Yield outcomes as they come in; see `Executor.batches`."""
        call = _Call(self, instances, setting)
        with heeding_interrupts(call.stop):
            try:
                yield from call.batches()
            finally:
                call.dismiss()

    def close(self) -> None:
        """End workers that were started here; a client that was given stays open."""
        if self.cluster.client.status == "running":
            self.cluster.client.unsubscribe_topic(self.topic)
        self.cluster.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def roll_call(self) -> tuple[str, dict[str, dict[str, Any]]]:
        """Return the scheduler's identity and its workers by address, and listen to it.

        Raises `_UNREACHABLE` while it is away.
        """
        if self.cluster.client.status in ("closed", "closing"):
            self.cluster.reconnect()
            self._data = None
        client = self.cluster.client
        found = client.sync(client.scheduler.identity, n_workers=-1, callback_timeout=_ANSWER)
        client.subscribe_topic(self.topic, self._heard)
        workers: dict[str, dict[str, Any]] = found["workers"]
        taken = sum(self.slots(one) for name, one in workers.items() if name not in self.refused)
        self.workers = max(1, self.cluster.asked, taken)
        return str(found["id"]), workers

    def slots(self, worker: Mapping[str, Any]) -> int:
        """Return how many leases a worker trains at once, as the scheduler describes it."""
        if not self.resources:
            return int(worker["nthreads"])
        return min(int(worker["resources"].get(name, 0)) for name in self.resources)

    def sent(self, setting: Setting) -> SentSetting:
        """Return a setting as it is sent."""
        if self._sent is None or self._sent.setting is not setting:
            self._sent, self._data = SentSetting.of(setting), None
        return self._sent

    def data(self, setting: Setting) -> Future:
        """Return a setting on the workers: sent to all there are, fetched by those that come."""
        sent = self.sent(setting)
        if self._data is None or self._data.status != "finished":
            client = self.cluster.client
            (self._data,) = client.scatter([sent.parts], broadcast=True, hash=False, timeout=60)
        return self._data

    def say_once(self, words: str, about: str = "") -> None:
        """Log a warning, the first time that there is one ``about`` this."""
        if (about or words) not in self._said:
            self._said.add(about or words)
            _logger.warning("%s", one_line(words))

    def _heard(self, event: tuple[float, bytes]) -> None:
        self.messages.put(pickle.loads(event[1]))


class _Call:
    """One call of `DaskExecutor.batches`."""

    def __init__(
        self, executor: DaskExecutor, instances: Iterable[Instance], setting: Setting
    ) -> None:
        self._executor, self._setting = executor, setting
        self._number = next(executor.calls)
        least = SIZES["cuda"] if executor.resources else 1
        self._leases = Leases(instances, executor.pace, least=least)
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
        self._folders = _folders()

    def batches(self) -> Iterator[tuple[Outcome, ...]]:
        due = 0.0
        try:
            while not self._stopping:
                self._give()
                if self._leases.done:
                    break
                self._collect(due)
                if self._arrivals:
                    due = time.monotonic() + _PACE
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
        self._executor.messages.put(("stop",))

    def dismiss(self) -> None:
        """Have workers stop what they still train for this call."""
        futures, self._futures = list(self._futures.values()), {}
        if futures and self._executor.cluster.client.status == "running":
            try:
                self._executor.cluster.client.cancel(futures)
            except _UNREACHABLE:
                return

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
                message = self._executor.messages.get(timeout=left)
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
                message = self._executor.messages.get(now < until, max(0.0, until - now))
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
                for ended in self._leases.ended():
                    future = self._futures.pop(ended.number, None)
                    if future is not None and ended.twice:
                        self._cancel(future)
            case ("ended", call, lease, status) if call == self._number:
                self._ended(lease, status)
            case ("libraries", worker, other) if other:
                different = ", ".join(f"{name} {what}" for name, what in sorted(other.items()))
                self._executor.say_once(
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
            self._executor.say_once(
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
            data = self._executor.data(self._setting)
        except _UNREACHABLE:
            self._look_at = time.monotonic() + 1.0
            return
        given = list(self._leases.give())
        for number in self._leases.recalled():
            if (future := self._futures.pop(number, None)) is not None:
                self._cancel(future)
        for lease in given:
            packed = self._packed(lease)
            try:
                self._send(lease, packed, data)
            except _UNREACHABLE:
                self._leases.end(lease.number)
                self._look_at = 0.0

    def _packed(self, lease: Lease) -> bytes:
        """Return a lease as it is sent: its instances, each with its engine."""
        executor = self._executor
        chosen = [(self._engine(item[1].candidate), item) for item in lease.todo.items()]
        trainings = [
            (engine, [training for _, training in group])
            for engine, group in groupby(chosen, key=itemgetter(0))
        ]
        sent = Sent(
            self._number,
            lease.number,
            executor.topic,
            executor.sent(self._setting).digest,
            self._setting.halves.population.fingerprint,
            trainings,
            executor.time_limit,
            executor.memory_limit,
        )
        return pickled(sent, "a candidate")

    def _send(self, lease: Lease, packed: bytes, data: Future) -> None:
        future = self._executor.cluster.client.submit(
            run_lease,
            passport(),
            self._folders,
            packed,
            data,
            key=f"{self._executor.topic}-{self._number}-{lease.number}",
            workers=[lease.worker],
            allow_other_workers=False,
            resources=self._executor.resources or None,
            pure=False,
        )
        self._futures[lease.number] = future
        future.add_done_callback(partial(self._tell, lease.number))

    def _engine(self, candidate: Candidate) -> Engine:
        """Return the engine that trains a candidate, which workers must be able to import."""
        if candidate not in self._engines:
            if names_main(candidate):
                raise EngineError(
                    f"{candidate.label} is defined in the main script or a notebook, which the "
                    "workers of a cluster do not run: put it into a module and import it"
                )
            self._engines[candidate] = self._executor.chooser.choose(candidate, self._setting)
        return self._engines[candidate]

    def _tell(self, lease: int, future: Future) -> None:
        self._executor.messages.put(("ended", self._number, lease, future.status))

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
                    f"the workers of {self._executor.cluster.name} train, but no outcome arrives: "
                    "see the scheduler's log"
                )
            return
        self._look_at = 0.0
        if status != "error" or worker is None:
            return
        error = future.exception(timeout=_ANSWER)
        if type(error).__name__ == "KilledWorker":
            return
        said = str(error) if isinstance(error, EngineError) else f"{type(error).__name__}: {error}"
        if not isinstance(error, EngineError):
            said = f"it cannot run surefoot ({said}): install the version there that is here"
        self._refuse(worker, f"worker {worker} is refused: {said}")

    def _refuse(self, worker: str, words: str) -> None:
        self._executor.refused[worker] = words
        self._executor.say_once(words)
        self._leases.leave(worker)

    def _look(self) -> None:
        """Take note of workers that came or went, and of a scheduler that is away."""
        executor, now = self._executor, time.monotonic()
        self._look_at = now + _LOOK
        try:
            scheduler, workers = executor.roll_call()
        except _UNREACHABLE as error:
            away = now - self._answered_at
            name = executor.cluster.name
            if away > executor.patience:
                raise EngineError(
                    f"the scheduler {name} has been away for {away:.0f} s: everything finished is "
                    "recorded; start it again and go on as before"
                ) from None
            executor.say_once(f"the scheduler {name} is away ({error}): waiting for it")
            self._look_at = now + 1.0
            return
        self._answered_at = now
        restarted, self._scheduler = scheduler != self._scheduler, scheduler
        for worker in self._leases.workers - workers.keys():
            self._gone(worker, blame=not restarted)
        for name, one in workers.items():
            self._memory[name] = one["metrics"].get("memory", 0) / (one["memory_limit"] or 1e99)
            ready = name not in executor.refused and one["status"] == "running"
            if ready and (slots := executor.slots(one)):
                self._leases.join(name, slots)
        if self._leases.slots:
            self._manned_at = now
        elif refused := [executor.refused[name] for name in workers if name in executor.refused]:
            raise EngineError(refused[-1])
        elif now - self._manned_at > _WAITING:
            self._manned_at = now
            kind = " with the resource GPU" if executor.resources else ""
            _logger.warning("waiting for workers%s: %s has none now", kind, executor.cluster.name)
        if now - self._renewed_at > _RENEW:
            self._renewed_at = now
            executor.cluster.renew()

    def _gone(self, worker: str, *, blame: bool) -> None:
        """Give out again what a worker had; what it was training is lost."""
        for lease in self._leases.held_by(worker):
            if (future := self._futures.pop(lease, None)) is not None:
                self._cancel(future)
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

    def _cancel(self, future: Future) -> None:
        try:
            future.cancel()
        except _UNREACHABLE:
            self._look_at = 0.0


def _bits(outcome: Outcome) -> tuple[Any, ...]:
    """Return what must not depend on where an instance was trained."""
    return outcome.status, repr(outcome.loss), outcome.curve.tobytes(), outcome.plain.tobytes()


def _folders() -> list[str]:
    """Return the folders that modules are imported from, but for those of Python itself."""
    own = (*sysconfig.get_paths().values(), *site.getsitepackages())
    return [os.path.abspath(one) for one in sys.path if not one.startswith(own)]
