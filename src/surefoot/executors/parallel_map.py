"""A map over processes, for pure functions that keep a core busy: the planner's simulations."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from surefoot.errors import EngineError

A = TypeVar("A")
B = TypeVar("B")


@contextmanager
def parallel_map(workers: int) -> Iterator[Callable[[Callable[[A], B], Iterable[A]], Iterable[B]]]:
    """Yield a map that calls a function in so many processes; `map` itself for one.

    Function, arguments and results travel, so they must be picklable. The results come in order;
    an exception of the function is raised. Ctrl-C reaches the parent alone, and what is not begun
    then never is. Raises `EngineError` if one of the processes is killed.
    """
    if workers < 2:
        yield map
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, signal.signal, (signal.SIGINT, signal.SIG_IGN))
    try:
        yield pool.map
    except BrokenProcessPool:
        raise EngineError(
            f"one of {workers} simulating processes was killed (out of memory, or from outside): "
            "start again, with fewer workers if memory is short"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
