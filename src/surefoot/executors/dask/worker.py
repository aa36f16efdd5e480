"""What a Dask worker does: it trains the instances of a lease as a machine of its own would.

It is pure transport over `LocalExecutor`: crashes, limits and kills of what it trains end there as
they do without a cluster. What is finished goes back at once, as an event, so that a worker that
dies takes with it only what it was training. A worker never sees the journal.

Only the standard library is imported before it is known that this worker runs the same surefoot.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import pickle
import platform
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot.errors import EngineError

if TYPE_CHECKING:
    from surefoot.engines.base import Engine
    from surefoot.executors.dask.lending import Held
    from surefoot.executors.local.executor import LocalExecutor
    from surefoot.instances import Instance, Setting

LIBRARIES = ("numpy", "scipy", "numba", "torch", "scikit-learn", "xgboost", "lightgbm", "catboost")
"""Packages whose versions may decide the last digits of a loss."""
_KEPT = 2
"""Settings that stay loaded while nothing trains on them."""


@dataclass(frozen=True)
class Lease:
    """What a worker is sent: instances by number, each with its engine, and what they share.

    ``setting`` is the digest of the data and settings, ``fingerprint`` that of the population;
    ``topic`` is where outcomes go, marked with ``call`` and ``number``. ``folders`` are those that
    modules are imported from where the study runs.
    """

    call: int
    number: int
    topic: str
    setting: str
    fingerprint: str
    trainings: Sequence[tuple[Engine, Sequence[tuple[int, Instance]]]]
    time_limit: float | None
    memory_limit: int | None


@cache
def passport() -> dict[str, Any]:
    """Return what must agree between a study and its workers, and what they are called."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[2]
    for source in sorted(package.rglob("*.py")):
        digest.update(str(source.relative_to(package)).encode() + source.read_bytes())
    return {
        "surefoot": f"{version('surefoot')} ({digest.hexdigest()[:8]})",
        "host": socket.gethostname(),
        "libraries": {"Python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = "none"
    return found


def run_lease(
    study: Mapping[str, Any], folders: Sequence[str], lease: bytes, data: list[Any]
) -> None:
    """Train the instances of a lease, on a Dask worker.

    Parameters
    ----------
    study
        The `passport` of where the study runs.
    folders
        Where modules are imported from there; those that exist here are added.
    lease
        A pickled `Lease`.
    data
        The pickled setting and its arrays, as `surefoot.executors.dask.data` sends them.

    Raises
    ------
    EngineError
        If this worker runs another surefoot, has got other data or cannot use what it was sent.
    """
    from distributed import get_worker

    own = passport()
    if own["surefoot"] != study["surefoot"]:
        raise EngineError(
            f"it runs surefoot {own['surefoot']}, the study {study['surefoot']}: install the same "
            "on both"
        )
    if own["host"] != study["host"]:
        _keep_compiled_code_here()
    sys.path += [one for one in folders if one not in sys.path and Path(one).is_dir()]
    worker: Any = get_worker()
    key = worker.get_current_task()

    def stopped() -> bool:
        task = worker.state.tasks.get(key)
        ending = worker.status.name in ("closing", "closing_gracefully", "closed", "failed")
        return ending or task is None or task.state == "cancelled"

    with _usable():
        asked: Lease = pickle.loads(lease)
    with _place(asked, data) as place:
        if place.new:
            place.new = False
            theirs, ours = study["libraries"], own["libraries"]
            other = {name: ours[name] for name in ours if ours[name] != theirs.get(name)}
            worker.log_event(asked.topic, pickle.dumps(("libraries", worker.address, other)))
        for engine, instances in asked.trainings:
            executor = place.executor(engine, asked)
            for answers in _trained(executor, instances, place.setting, stopped):
                message = ("outcomes", asked.call, asked.number, worker.address, answers)
                worker.log_event(asked.topic, pickle.dumps(message))


def _trained(
    executor: LocalExecutor,
    instances: Sequence[tuple[int, Instance]],
    setting: Setting,
    stopped: Callable[[], bool],
) -> Iterator[list[tuple[int, Any]]]:
    """Yield outcomes with the numbers of their instances, as they come in."""
    numbers: dict[tuple[Any, ...], list[int]] = {}
    for number, one in instances:
        what = one.candidate.key, one.seed.role, one.seed.instance, one.train_size(setting)
        numbers.setdefault(what, []).append(number)
    for batch in executor.batches([one for _, one in instances], setting, stopped):
        yield [
            (numbers[one.candidate, one.role, one.instance, one.sample].pop(0), one)
            for one in batch
        ]


@dataclass(eq=False)
class _Place:
    """A setting on this worker, what holds its arrays, and the executors that train on it."""

    setting: Setting
    held: Held
    executors: dict[str, LocalExecutor] = field(default_factory=dict)
    users: int = 0
    new: bool = True

    def executor(self, engine: Engine, lease: Lease) -> LocalExecutor:
        """Return the executor of an engine; one that is not installed here came along."""
        from surefoot import registry
        from surefoot.executors.local.executor import LocalExecutor

        with _places_lock:
            if engine.name not in registry.names("engines"):
                registry.register("engines", engine.name, partial(_itself, engine))
            if engine.asked not in self.executors:
                self.executors[engine.asked] = LocalExecutor(
                    1, engine.asked, time_limit=lease.time_limit, memory_limit=lease.memory_limit
                )
            executor = self.executors[engine.asked]
            executor.pool(self.setting)
            return executor

    def close(self) -> None:
        """End the processes of all executors, and lend no more."""
        for executor in self.executors.values():
            executor.close()
        self.held.close()


_places: dict[tuple[Any, ...], _Place] = {}
_places_lock = threading.Lock()


@atexit.register
def _close_places() -> None:
    """End the processes of all executors: where workers are threads, this one lives on."""
    for place in _places.values():
        place.close()
    _places.clear()


def _itself(engine: Engine) -> Engine:
    return engine


@contextmanager
def _place(lease: Lease, data: list[Any]) -> Iterator[_Place]:
    """Lend the place of a lease's setting, loaded once per process."""
    what = lease.setting, lease.time_limit, lease.memory_limit
    with _places_lock:
        if what not in _places:
            _places[what] = _loaded(lease, data)
        place = _places[what] = _places.pop(what)
        place.users += 1
        for old in [one for one, kept in _places.items() if not kept.users][:-_KEPT]:
            _places.pop(old).close()
    try:
        yield place
    finally:
        with _places_lock:
            place.users -= 1


def _loaded(lease: Lease, data: list[Any]) -> _Place:
    """Load a setting; its arrays take the place of those that Dask has brought."""
    from surefoot.executors.dask.data import as_bytes
    from surefoot.executors.dask.lending import hold

    held = hold(lease.setting, data[0], data[1:])
    try:
        with _usable():
            setting: Setting = pickle.loads(held.head, buffers=held.arrays)
        if setting.checkpoints is not None and not setting.checkpoints.folder.parent.is_dir():
            setting = replace(setting, checkpoints=None)
        population = setting.halves.population
        vars(population).pop("fingerprint", None)
        if population.fingerprint != lease.fingerprint:
            raise EngineError(
                f"it has other data than the study (fingerprint {population.fingerprint}, not "
                f"{lease.fingerprint}): restart it"
            )
    except EngineError:
        held.close()
        raise
    data[:] = [held.head, *map(as_bytes, held.arrays)]
    return _Place(setting, held)


@contextmanager
def _usable() -> Iterator[None]:
    """Say in one sentence that what was sent cannot be read here."""
    try:
        yield
    except Exception as error:
        raise EngineError(
            f"it cannot use what it was sent ({type(error).__name__}: {error}): install the "
            "module there, or define candidates in one that it can import"
        ) from None


def _keep_compiled_code_here() -> None:
    """Have compiled code kept on this machine: network file systems mix up what many write."""
    if "NUMBA_CACHE_DIR" in os.environ or "numba" in sys.modules:
        return
    folder = Path(tempfile.gettempdir(), f"surefoot-numba-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid == os.getuid():
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
