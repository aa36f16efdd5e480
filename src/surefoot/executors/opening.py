"""Where a study's instances run: this machine's cores, an executor of the caller's, a cluster."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeAlias, Union

from surefoot.checks import short
from surefoot.engines.devices import AUTO
from surefoot.errors import ConfigurationError
from surefoot.executors.base import Executor
from surefoot.executors.local.executor import LocalExecutor

if TYPE_CHECKING:
    from distributed import Client

Where: TypeAlias = Union[Executor, "Client", str, "os.PathLike[str]", None]
"""An executor, a `distributed.Client`, what ``--cluster`` takes, or None for this machine."""


def open_executor(
    where: Where, workers: int | None = None, engine: str = AUTO
) -> AbstractContextManager[Executor]:
    """Return the executor of ``where``, to be closed by its context unless it was given.

    Raises
    ------
    ConfigurationError
        If it is nowhere, or ``workers`` are asked of what has its own.
    EngineError, MissingExtraError
        As of `DaskExecutor`.
    """
    if isinstance(where, Executor):
        return nullcontext(where)
    if where is None:
        return LocalExecutor(workers, engine)
    if not isinstance(where, str | os.PathLike) and not hasattr(where, "scheduler_info"):
        right = "an Executor, a distributed.Client, or a cluster's address or file"
        raise ConfigurationError(f"executor = {short(where)} must be {right}")
    if workers is not None:
        raise ConfigurationError(
            f"workers = {workers} are asked for, but {where} has workers of its own: leave one out"
        )
    from surefoot.executors.dask.executor import DaskExecutor

    return DaskExecutor(where, engine)


def workers_of(where: Where, workers: int | None = None) -> int:
    """Return how many instances run at once there; a batch system is not asked for any.

    Raises `ConfigurationError` and `EngineError` as `open_executor` does.
    """
    if isinstance(where, str | os.PathLike):
        from surefoot.executors.dask.clusters import workers_asked

        if (asked := workers_asked(where)) is not None:
            return asked
    with open_executor(where, workers) as executor:
        return executor.workers
