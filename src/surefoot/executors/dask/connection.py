"""A connection to a cluster: its workers, what they are sent and what they answer."""

from __future__ import annotations

import logging
import os
import pickle
import queue
import site
import sys
import sysconfig
import uuid
from asyncio import CancelledError
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from surefoot.escaping import one_line
from surefoot.executors.dask.clusters import Cluster
from surefoot.executors.dask.data import SentSetting, pickled
from surefoot.executors.dask.worker import Lease, passport, run_lease
from surefoot.instances import Setting

if TYPE_CHECKING:
    from distributed import Future

ANSWER = 10.0
"""Seconds that the scheduler may take to answer."""
UNREACHABLE = (OSError, TimeoutError, RuntimeError, ValueError, CancelledError)
"""What Dask raises while a scheduler is away."""

_logger = logging.getLogger("surefoot")


class Connection:
    """What an executor has on a cluster, through all its calls and over lost connections.

    ``messages`` are those of the workers, as `surefoot.executors.dask.worker` sends them;
    ``refused`` why a worker gets no leases, by its address; ``workers`` how many instances run at
    once, one before any worker is there; ``resources`` what a worker must have of Dask's resources
    for each lease.
    """

    def __init__(self, cluster: Cluster, resources: Mapping[str, int]) -> None:
        self.cluster, self.resources = cluster, resources
        self.workers = cluster.asked or 1
        self.messages: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self.topic = f"surefoot-{uuid.uuid4().hex}"
        self.refused: dict[str, str] = {}
        self._sent: SentSetting | None = None
        self._data: Future | None = None
        self._said: set[str] = set()

    def close(self) -> None:
        """Listen no more; end workers that were started here."""
        if self.cluster.client.status == "running":
            self.cluster.client.unsubscribe_topic(self.topic)
        self.cluster.close()

    def roll_call(self) -> tuple[str, dict[str, dict[str, Any]]]:
        """Return the scheduler's identity and its workers by address, and listen to it.

        Raises `UNREACHABLE` while it is away.
        """
        if self.cluster.client.status in ("closed", "closing"):
            self.cluster.reconnect()
            self._data = None
        client = self.cluster.client
        found = client.sync(client.scheduler.identity, n_workers=-1, callback_timeout=ANSWER)
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

    def digest(self, setting: Setting) -> str:
        """Return that of a setting as it is sent; one with the same content is sent once."""
        if self._sent is None or self._sent.setting is not setting:
            sent, before = SentSetting.of(setting), self._sent
            if before is None or before.digest != sent.digest:
                self._data = None
            self._sent = sent
        return self._sent.digest

    def data(self, setting: Setting) -> Future:
        """Return a setting on the workers: sent to all there are, fetched by those that come.

        Raises `UNREACHABLE` while the scheduler is away.
        """
        self.digest(setting)
        assert self._sent is not None
        if self._data is None or self._data.status != "finished":
            parts = self._sent.parts
            (self._data,) = self.cluster.client.scatter(
                [parts], broadcast=True, hash=False, timeout=60
            )
        return self._data

    def submit(self, lease: Lease, worker: str, data: Future) -> Future:
        """Send a lease to a worker; raises `UNREACHABLE`, and `EngineError` if it cannot be."""
        return self.cluster.client.submit(
            run_lease,
            passport(),
            _folders(),
            pickled(lease, "a candidate"),
            data,
            key=f"{self.topic}-{lease.call}-{lease.number}",
            workers=[worker],
            allow_other_workers=False,
            resources=self.resources or None,
            pure=False,
        )

    def cancel(self, futures: list[Future]) -> None:
        """Have workers stop what they train; nothing happens while the scheduler is away."""
        if futures and self.cluster.client.status == "running":
            try:
                self.cluster.client.cancel(futures)
            except UNREACHABLE:
                return

    def say_once(self, words: str, about: str = "") -> None:
        """Log a warning, the first time that there is one ``about`` this."""
        if (about or words) not in self._said:
            self._said.add(about or words)
            _logger.warning("%s", one_line(words))

    def _heard(self, event: tuple[float, bytes]) -> None:
        self.messages.put(pickle.loads(event[1]))


def _folders() -> list[str]:
    """Return the folders that modules are imported from, but for those of Python itself."""
    return [os.path.abspath(one) for one in sys.path if not one.startswith(_pythons_own())]


@cache
def _pythons_own() -> tuple[str, ...]:
    return (*sysconfig.get_paths().values(), *site.getsitepackages())
