"""Clusters by what the command line calls them: an address, workers here, a batch system."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import tomllib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot.errors import ConfigurationError, EngineError, nearest, require
from surefoot.executors.local.worker import IMPORTED

if TYPE_CHECKING:
    from distributed import Client

_CONNECT = 10.0
"""Seconds that a scheduler may take to answer at first."""
_QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "2s",
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.nanny.pre-spawn-environ.NUMBA_NUM_THREADS": 1,
    "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical",
}
"""Settings of workers started here: nothing but trainings uses their time, and what befalls them
is said by the executor."""
_SCHEMES = ("tcp://", "tls://", "ucx://", "ws://", "wss://", "inproc://")
_MOST_WORKERS = 1024
"""Worker processes on this machine at most."""
_KEYS = {"class", "jobs", "options"}
WAYS = "an address such as tcp://host:8786, local:4, slurm.toml or scheduler.json"


@dataclass(eq=False)
class Cluster:
    """A client of a Dask cluster, and how to get another when it is lost.

    ``name`` is what messages call it; ``asked`` the number of workers it should have, 0 if that is
    not known. ``owner`` is what was started with it and ends with it; ``jobs`` those that a batch
    system is to run for it.
    """

    name: str
    client: Client
    asked: int = 0
    owner: Any = None
    jobs: int = 0
    reconnect_by: dict[str, Any] = field(default_factory=dict)

    def reconnect(self) -> None:
        """Make a new client in place of a closed one.

        Raises `OSError` if the scheduler does not answer, `EngineError` if the client was given.
        """
        if not self.reconnect_by:
            raise EngineError(
                f"the client of {self.name} was closed: everything finished is recorded; go on "
                "with a new one"
            )
        self.client = require("distributed", extra="dask").Client(**self.reconnect_by)

    def renew(self) -> None:
        """Start as many workers as are missing, where a batch system starts them."""
        if self.jobs:
            self.owner.scale(jobs=self.jobs)

    def close(self) -> None:
        """End what was started here; a client that was given stays open."""
        if self.reconnect_by or self.owner is not None:
            with suppress(OSError, TimeoutError):
                self.client.close(timeout=2)
        if self.owner is not None:
            with suppress(OSError, TimeoutError):
                self.owner.close(timeout=5)


def open_cluster(where: Client | str | os.PathLike[str]) -> Cluster:
    """Return the cluster of a client, or of what ``--cluster`` says.

    Parameters
    ----------
    where
        A `distributed.Client`; the address of a scheduler; ``local:N`` for so many worker processes
        here; a TOML file that describes a cluster of dask-jobqueue; or the JSON file that
        ``dask scheduler --scheduler-file`` writes.

    Raises
    ------
    ConfigurationError
        If it is none of these, or its file cannot be used.
    EngineError
        If no scheduler answers there.
    MissingExtraError
        If Dask is not installed.
    """
    distributed = require("distributed", extra="dask")
    if isinstance(where, distributed.Client):
        if where.asynchronous:
            raise ConfigurationError("an asynchronous Client cannot train: give an ordinary one")
        return Cluster(_name(where), where)
    text = os.fspath(where)
    if text.startswith("local:"):
        return _local(distributed, text)
    if text.endswith(".toml"):
        return _batch_system(distributed, Path(text))
    if text.endswith(".json"):
        if not Path(text).is_file():
            raise ConfigurationError(
                f"there is no scheduler file {text}: start the scheduler first"
            )
        return _running(distributed, text, scheduler_file=text)
    if text.startswith(_SCHEMES):
        return _running(distributed, text, address=text)
    raise ConfigurationError(f"cluster {text!r} is not known: give {WAYS}")


def _name(client: Client) -> str:
    return str(getattr(client.scheduler, "address", "a client"))


def _running(distributed: Any, name: str, **by: Any) -> Cluster:
    by |= {"timeout": _CONNECT, "set_as_default": False}
    try:
        return Cluster(name, distributed.Client(**by), reconnect_by=by)
    except (OSError, ValueError, TypeError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EngineError(
            f"no scheduler answers at {name} ({said}): start one with 'dask scheduler', or give "
            "its address as it prints it"
        ) from None


def workers_asked(where: str | os.PathLike[str]) -> int | None:
    """Return how many workers a cluster is to have, None if only its scheduler knows.

    Raises `ConfigurationError` if it is described by a file that cannot be used.
    """
    text = os.fspath(where)
    if text.startswith("local:"):
        return _count(text)
    if text.endswith(".toml"):
        _, jobs, options = _described(Path(text))
        return jobs * int(options["processes"])
    return None


def _count(text: str) -> int:
    count = text.removeprefix("local:")
    if not count.isdecimal() or not 1 <= int(count) <= _MOST_WORKERS:
        raise ConfigurationError(
            f"cluster {text!r} has no number of workers from 1 to {_MOST_WORKERS}: give local:4"
        )
    return int(count)


def _local(distributed: Any, text: str) -> Cluster:
    count = _count(text)
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise EngineError(IMPORTED)
    import dask

    _silence()
    try:
        with dask.config.set(_QUIET):
            cluster = distributed.LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                silence_logs=False,
            )
    except (RuntimeError, OSError) as error:
        raise EngineError(
            f"{count} workers could not be started here ({str(error).splitlines()[0]}): in a "
            'script, start the work under if __name__ == "__main__":'
        ) from None
    client = distributed.Client(cluster, set_as_default=False)
    return Cluster(text, client, count, cluster)


def _silence() -> None:
    """Leave it to the executor to say what befalls workers that were started here."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)


def _batch_system(distributed: Any, path: Path) -> Cluster:
    """Return a cluster of dask-jobqueue that a file describes."""
    kind, jobs, options = _described(path)
    import dask

    _silence()
    with dask.config.set(_QUIET):
        try:
            cluster = kind(**options)
        except (TypeError, ValueError, OSError, RuntimeError) as error:
            said = str(error).splitlines()[0]
            raise ConfigurationError(
                f"{path}: {kind.__name__} refuses its options: {said}"
            ) from None
    cluster.scale(jobs=jobs)
    client = distributed.Client(cluster, set_as_default=False)
    return Cluster(str(path), client, jobs * int(options["processes"]), cluster, jobs)


def _jobqueue() -> Any:
    """Import dask-jobqueue; on being imported it makes Ctrl-C end the process, which is undone."""
    before = signal.getsignal(signal.SIGINT)
    try:
        return require("dask_jobqueue", extra="dask")
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


def _described(path: Path) -> tuple[Any, int, dict[str, Any]]:
    """Return a file's class of dask-jobqueue, its number of jobs and its options."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from None
    for key in table.keys() - _KEYS:
        raise ConfigurationError(f"{path}: {key!r} is not known: {nearest(key, _KEYS)}")
    jobqueue = _jobqueue()
    name, jobs = str(table.get("class", "")), table.get("jobs")
    classes = {one.lower(): one for one in vars(jobqueue) if one.endswith("Cluster")}
    del classes["jobqueuecluster"]
    if name.lower() not in classes:
        raise ConfigurationError(
            f"{path}: class = {name!r} is no cluster of dask-jobqueue: "
            f"known are {', '.join(sorted(classes.values()))}"
        )
    if not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1:
        raise ConfigurationError(f"{path}: jobs = {jobs!r} must be the number of jobs, 1 or more")
    options = {"cores": 1, "processes": 1, **table.get("options", {})}
    return getattr(jobqueue, classes[name.lower()]), jobs, options
