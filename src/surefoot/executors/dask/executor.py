"""Instances on the workers of a Dask cluster, which starts and finds them and carries messages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import count
from typing import TYPE_CHECKING, ClassVar, Self

from surefoot import checks
from surefoot.candidates.base import Candidate
from surefoot.engines.choose import Chooser
from surefoot.engines.devices import AUTO, engine_and_device
from surefoot.engines.torch.stacked.engine import SIZES
from surefoot.errors import EngineError
from surefoot.executors.base import Executor
from surefoot.executors.dask.call import Call, Terms
from surefoot.executors.dask.clusters import open_cluster
from surefoot.executors.dask.connection import UNREACHABLE, Connection
from surefoot.executors.dask.data import check_candidate
from surefoot.executors.dask.leases import Leases, Pace
from surefoot.executors.interrupts import heeding_interrupts
from surefoot.instances import Instance, Outcome, Setting

if TYPE_CHECKING:
    from distributed import Client


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
        self.engine = engine
        self._terms = Terms(Chooser(engine, here=False), time_limit, memory_limit, patience)
        self.cluster = open_cluster(cluster)
        on_gpu = engine_and_device(engine)[1].startswith("cuda")
        self.connection = Connection(self.cluster, {"GPU": 1} if on_gpu else {})
        self._pace, self._calls = Pace(), count()
        try:
            self.connection.roll_call()
        except UNREACHABLE as error:
            self.cluster.close()
            raise EngineError(f"{self.cluster.name} does not answer: {error}") from None
        self.workers = self.connection.workers

    def batches(
        self, instances: Iterable[Instance], setting: Setting
    ) -> Iterator[tuple[Outcome, ...]]:
        """Yield outcomes as they come in; see `Executor.batches`."""
        least = SIZES["cuda"] if self.connection.resources else 1
        leases = Leases(instances, self._pace, least=least)
        call = Call(self.connection, next(self._calls), leases, setting, self._terms)
        with heeding_interrupts(call.stop):
            try:
                for batch in call.batches():
                    self.workers = self.connection.workers
                    yield batch
            finally:
                call.dismiss()

    def admit(self, candidate: Candidate) -> None:
        """Refuse what only this process can make."""
        check_candidate(candidate)

    def close(self) -> None:
        """End workers that were started here; a client that was given stays open."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
