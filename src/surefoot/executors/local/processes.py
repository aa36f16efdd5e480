"""Worker processes, seen from the parent: one instance each at a time, replaced when they die."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from surefoot.candidates.base import Candidate
from surefoot.engines.base import Engine
from surefoot.errors import EngineError
from surefoot.executors.local.shared_memory import packed, pickled, shared
from surefoot.executors.lost import Lost, from_outside, memory_kills, signal_name
from surefoot.instances import Instance, Outcome, Setting

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from surefoot.executors.local.worker import main; "
    "main(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))"
)
_LIBRARIES = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA")
_THREADS = (*(f"{library}_NUM_THREADS" for library in _LIBRARIES), "VECLIB_MAXIMUM_THREADS")
_POLL = 0.1
_END_WAIT = 5.0
TOO_LATE = "exceeded the time limit of {:g} s"


class Worker:
    """One worker process; ``stopped`` says whether what it trains is to be stopped."""

    stopped: Callable[[], bool]

    def __init__(
        self, setting: Setting, data: IO[bytes], memory_limit: int | None, threads: int
    ) -> None:
        self._setting = setting
        self._channel, theirs = multiprocessing.Pipe()
        pipes = theirs.fileno(), data.fileno()
        arguments = (json.dumps(sys.path), *pipes, _main_script(), memory_limit or 0)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *map(str, arguments)],
            pass_fds=pipes,
            env=os.environ | dict.fromkeys(_THREADS, str(threads)),
            stdin=subprocess.DEVNULL,
            process_group=0,
        )
        theirs.close()
        self._ready: set[str] = set()
        self._memory_kills = 0

    def train(self, engine: Engine, instance: Instance, limit: float | None) -> Outcome | None:
        """Train one instance there; None when ``stopped()`` became true, which ends the process.

        A process that dies or exceeds the time limit leaves a *failed* outcome and is `dead`.
        Raises `Lost` when it was killed from outside, and `EngineError` when it cannot be started
        or cannot use what it is sent.
        """
        self._memory_kills = memory_kills()
        if not self._prepared(engine, instance):
            return None
        start = time.perf_counter()
        kind, outcome = self._ask((engine, instance, False), limit)
        seconds = time.perf_counter() - start
        if kind in ("died", "late"):
            message = TOO_LATE.format(limit) if kind == "late" else self._ending()
            outcome = Outcome.of(instance, self._setting, engine.name, (), seconds, message)
        result: Outcome | None = outcome
        return result

    @property
    def dead(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        self._channel.close()

    def _prepared(self, engine: Engine, instance: Instance) -> bool:
        """Have the process started, and an engine and its libraries imported there.

        This is not the instance's time. False when it was stopped.
        """
        kind = "ready" if self._ready else self._receive()[0]
        if kind == "ready" and engine.name not in self._ready:
            kind, _ = self._ask((engine, instance, True))
        if kind == "died":
            ending = self._ending(starting=True)
            raise EngineError(
                f"a worker process could not start ({ending}): see its messages above, "
                "or train with an engine that runs in threads"
            )
        self._ready.add(engine.name)
        return kind == "ready"

    def _ask(self, task: tuple[Any, ...], limit: float | None = None) -> tuple[str, Any]:
        """Send a task and wait for its answer."""
        try:
            self._channel.send_bytes(pickled(task, "a candidate"))
        except OSError:
            return "died", None
        return self._receive(limit)

    def _receive(self, limit: float | None = None) -> tuple[str, Any]:
        """Wait for a message; its kind may also be stopped, late or died."""
        deadline = None if limit is None else time.monotonic() + limit
        try:
            while not self._channel.poll(_POLL):
                if self.stopped():
                    self.kill()
                    return "stopped", None
                if deadline is not None and time.monotonic() > deadline:
                    self.kill()
                    return "late", None
            kind, content = self._channel.recv()
        except (EOFError, OSError):
            return "died", None
        if kind == "unusable":
            self.kill()
            raise EngineError(
                f"a worker process cannot use what it was sent ({content}): define candidates and "
                "losses in an importable module, or start the script's work under "
                'if __name__ == "__main__":'
            )
        return kind, content

    def _ending(self, *, starting: bool = False) -> str:
        """Return how the process ended, in words; raise `Lost` if somebody else ended it."""
        self._channel.close()
        try:
            code = self._process.wait(timeout=_END_WAIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if code >= 0:
            return f"the worker process ended with status {code}"
        ending = f"the worker process was killed by {signal_name(code)}"
        if not from_outside(code):
            return ending
        memory = memory_kills() > self._memory_kills
        reason = "for want of memory" if memory else "from outside, or for want of memory"
        raise Lost(f"{ending}, {reason}", starting=starting, memory=memory)


class WorkerPool:
    """Workers of one setting, started when needed; safe to use from several threads."""

    def __init__(self, setting: Setting, memory_limit: int | None, threads: int) -> None:
        self.setting = setting
        self._memory_limit, self._threads = memory_limit, threads
        self._data: IO[bytes] | None = None
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._lock = threading.Lock()

    @contextmanager
    def worker(self, stopped: Callable[[], bool]) -> Iterator[Worker]:
        """Lend an idle worker, or a new one, until ``stopped()``; a dead one is forgotten."""
        with self._lock:
            worker = self._taken()
        worker.stopped = stopped
        try:
            yield worker
        finally:
            with self._lock:
                if worker.dead:
                    self._all.discard(worker)
                else:
                    self._idle.append(worker)

    def _taken(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if not worker.dead:
                return worker
            self._all.discard(worker)
            worker.kill()
        if self._data is None:
            self._data = shared(*packed(self.setting, "the setting"))
        worker = Worker(self.setting, self._data, self._memory_limit, self._threads)
        self._all.add(worker)
        return worker

    def close(self) -> None:
        """End all workers, busy ones too."""
        with self._lock:
            for worker in self._all:
                worker.kill()
            self._all.clear()
            self._idle.clear()
            if self._data is not None:
                self._data.close()
                self._data = None


def only_here(candidate: Candidate) -> bool:
    """Say whether only this process can make what a candidate names.

    That is what stands in ``__main__`` where no script file defines it, as in a notebook.
    """
    return not _main_script() and names_main(candidate)


def names_main(candidate: Candidate) -> bool:
    """Say whether a candidate names what stands in ``__main__``, a script or a notebook."""
    return '"__main__.' in json.dumps(candidate.spec())


def _main_script() -> str:
    """Return the path of the script this process runs, in which candidates may be defined."""
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    return str(Path(path).resolve()) if path and Path(path).is_file() else ""
