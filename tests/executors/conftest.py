from __future__ import annotations

from collections.abc import Iterator

import pytest
from distributed import Client

from surefoot.executors.dask.executor import DaskExecutor


@pytest.fixture(scope="session")
def cluster() -> Iterator[Client]:
    """A cluster of two worker processes; those that are killed are started again."""
    with DaskExecutor("local:2") as executor:
        yield executor.cluster.client


@pytest.fixture
def processes(cluster: Client) -> Iterator[DaskExecutor]:
    """An executor on two worker processes."""
    cluster.wait_for_workers(2, timeout=30)
    with DaskExecutor(cluster) as executor:
        yield executor
