"""What a worker process does: it trains one instance after the other, as its parent sends them.

It talks over one pipe. A thread of its own listens, so that the process ends as soon as the parent
does, whatever is being trained.
"""

from __future__ import annotations

import os
import pickle
import queue
import runpy
import signal
import sys
import threading
import types
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from surefoot.executors.local.shared_memory import mapped

IN_WORKER = "SUREFOOT_WORKER"
"""Environment variable set in worker processes."""
IMPORTED = (
    "a worker process was made to train by importing the main script: start the script's work "
    'under if __name__ == "__main__":'
)
"""What is said where a worker process would start a study of its own."""


def main(pipe: int, shared: int, script: str, memory_limit: int) -> None:
    """Serve until the parent is gone.

    Parameters
    ----------
    pipe, shared
        Descriptors of the pipe to the parent and of the file of the shared setting.
    script
        The parent's main script, run once if a candidate or a loss is defined in it; or "".
    memory_limit
        Bytes that may be allocated beyond what the process holds before it first trains; 0 for no
        limit.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ[IN_WORKER] = "1"
    channel = Connection(pipe)
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(channel, tasks), daemon=True).start()
    main_script = _Script(script)
    head, arrays = mapped(shared)
    try:
        main_script.needed_by(head)
        setting = pickle.loads(head, buffers=arrays)
    except Exception as error:
        channel.send(("unusable", f"{type(error).__name__}: {error}"))
        return
    never = np.zeros(1, dtype=np.uint8)
    never.setflags(write=False)
    channel.send(("ready", None))
    while True:
        task = tasks.get()
        try:
            main_script.needed_by(task)
            engine, instance, prepare = pickle.loads(task)
            if prepare:
                engine.refusal(instance.candidate, setting)
                channel.send(("ready", None))
                continue
        except Exception as error:
            channel.send(("unusable", f"{type(error).__name__}: {error}"))
            continue
        if memory_limit:
            _limit_memory(memory_limit)
            memory_limit = 0
        channel.send(("outcome", engine.train(instance, setting, never).outcome))


def _listen(channel: Connection, tasks: queue.SimpleQueue[bytes]) -> None:
    while True:
        try:
            tasks.put(channel.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)


class _Script:
    """The parent's main script, run here the first time something defined in it is needed."""

    def __init__(self, path: str) -> None:
        self._path = path

    def needed_by(self, pickled: bytes) -> None:
        """Run the script if a pickle names its module; raises whatever the script does."""
        if self._path and b"__main__" in pickled:
            path, self._path = self._path, ""
            module = types.ModuleType("__mp_main__")
            sys.path.insert(0, str(Path(path).parent))
            module.__dict__.update(runpy.run_path(path, run_name="__mp_main__"))
            sys.modules["__main__"] = sys.modules["__mp_main__"] = module


def _limit_memory(limit: int) -> None:
    """Let the process allocate ``limit`` bytes more than it has; further ones raise or kill it."""
    import resource

    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmData"))
        limit += int(line.split()[1]) * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, hard))
