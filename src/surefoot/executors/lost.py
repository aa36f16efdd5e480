"""Instances whose worker was killed from outside: no fault of theirs, so they are trained again.

A signal that a process sends itself by a mistake of its own (a segmentation fault) is the *failed*
outcome of what it trained. Any other came from outside: from a batch system, an operator, or the
system itself when memory runs out. The instance it trained is *lost*: it has no outcome and is
trained again with the same seeds, a bounded number of times.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Sequence
from pathlib import Path

from surefoot.errors import EngineError
from surefoot.escaping import one_line
from surefoot.instances import Instance, Outcome, Setting

TRIES = 5
"""How often an instance may be lost in a row."""
_OWN = {"SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGPIPE", "SIGSEGV", "SIGSYS", "SIGTRAP"}
"""Signals that a process owes to what it does."""

_logger = logging.getLogger("surefoot")


class Lost(Exception):
    """Raised where a worker was killed from outside; the message says how.

    ``starting`` if it had not begun to train, ``memory`` if the system killed it for want of it.
    """

    def __init__(self, how: str, *, starting: bool = False, memory: bool = False) -> None:
        super().__init__(how)
        self.starting, self.memory = starting, memory


def signal_name(code: int) -> str:
    """Return the name of the signal that ended a process with this negative exit code."""
    return signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"


def from_outside(code: int) -> bool:
    """Return whether a process with this exit code was killed by somebody else."""
    return code < 0 and signal_name(code) not in _OWN


def memory_kills() -> int:
    """Return how many processes the system has killed for want of memory, 0 if it does not say.

    Those of this process's control group, of which its workers are part, or else of the machine.
    """
    group = _read(Path("/proc/self/cgroup")).rpartition("0::")[2].strip().lstrip("/")
    for source in (Path("/sys/fs/cgroup", group, "memory.events"), Path("/proc/vmstat")):
        for line in _read(source).splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def after(
    losses: Sequence[Lost], instance: Instance, setting: Setting, engine: str
) -> Outcome | None:
    """Return None if an instance that was lost is to be trained again, which is logged.

    Where memory ran out every time, return its *failed* outcome in the end.

    Raises
    ------
    EngineError
        If it was lost `TRIES` times in a row; nothing of it is recorded.
    """
    last, what = losses[-1], f"instance {instance.seed.instance} of {instance.candidate.label}"
    if len(losses) < TRIES:
        _logger.warning("%s was lost (%s) and is trained again", one_line(what), last)
        return None
    if all(lost.memory for lost in losses):
        message = f"out of memory: {last}, {TRIES} times"
        return Outcome.of(instance, setting, engine, (), 0.0, message, failed=True)
    if last.starting:
        raise EngineError(f"a worker process could not start, {TRIES} times in a row ({last})")
    raise EngineError(
        f"{what} was lost {TRIES} times in a row ({last}) and is not recorded: find out who kills "
        "its workers, or give each more memory by fewer workers at once; then go on as before"
    )
