"""On a cluster, an engine that is asked for on a GPU trains where workers have one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from distributed import Client, LocalCluster

from surefoot import registry
from surefoot.engines.torch.stacked.engine import TorchStacked
from surefoot.errors import EngineError
from surefoot.executors.dask.executor import DaskExecutor
from surefoot.executors.local.executor import LocalExecutor
from surefoot.studies.assess.study import AssessStudy
from surefoot.testing import toy_instance, toy_setting
from surefoot.testing.toys import content
from tests.engines.cases import PLAIN
from tests.gpus import with_gpus

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class Pretended(TorchStacked):
    """Trains on the CPU what it is asked for on a GPU."""

    name = "pretended"

    def fit_stack(self, instances, setting, stop):  # type: ignore[no-untyped-def]
        assert self.device == "cuda:0", "each worker has the GPU that it can see"
        return TorchStacked("cpu", 2).fit_stack(instances, setting, stop)


@pytest.fixture(autouse=True)
def pretending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._added, ("engines", "pretended"), Pretended)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Fake 9000")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """One worker with two threads and one GPU."""
    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            processes=False,
            dashboard_address=":0",
            resources={"GPU": 1},
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def test_leases_ask_for_a_gpu(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, submit = [], client.submit

    def noted(*given: Any, **by: Any) -> Any:
        asked.append(by["resources"])
        return submit(*given, **by)

    monkeypatch.setattr(client, "submit", noted)
    setting, instances = toy_setting(), [toy_instance(PLAIN, number) for number in range(7)]
    with DaskExecutor(client, "pretended(cuda)") as executor:
        assert executor.workers == 1, "so many as GPUs, not threads"
        with_gpus(monkeypatch, 1)
        found = sorted(executor.run(instances, setting), key=lambda one: one.instance)
    with LocalExecutor(1, "pretended(cuda)") as local:
        expected = sorted(local.run(instances, setting), key=lambda one: one.instance)
    assert list(map(content, found)) == list(map(content, expected))
    assert {one.processor for one in found} == {"Fake 9000"}
    assert asked
    assert all(one == {"GPU": 1} for one in asked)


def test_workers_without_a_gpu_take_no_part(threads: Client) -> None:
    with DaskExecutor(threads, "pretended(cuda)") as executor:
        assert executor.connection.slots({"nthreads": 4, "resources": {}}) == 0
        assert executor.connection.slots({"nthreads": 4, "resources": {"GPU": 2.0}}) == 2
        _, workers = executor.connection.roll_call()
        assert [executor.connection.slots(one) for one in workers.values()] == [0, 0]


def test_the_machine_of_the_study_needs_no_gpu(client: Client) -> None:
    """The worker, which is this process, has none either: it says so."""
    study = AssessStudy(candidate=PLAIN, n=2, setting=toy_setting(), engine="pretended(cuda)")
    with (
        DaskExecutor(client, "pretended(cuda)") as executor,
        pytest.raises(EngineError, match=r"worker .* no device 'cuda'"),
    ):
        study.run(executor=executor)
    with pytest.raises(EngineError, match="no device 'cuda'"):
        study.run(workers=1)
