from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from distributed import Client

from surefoot.candidates.base import Candidate
from surefoot.executors.dask.executor import DaskExecutor
from surefoot.testing import ExecutorSuite, toy_function
from tests.engines.cases import Line
from tests.executors.processes import by_instance
from tests.fakes import Fake, fake_loss, fake_setting, instances

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""Dask leaves sockets to the garbage collector."""


class TestConformance(ExecutorSuite):
    @pytest.fixture
    def executor(self, threads: Client) -> Iterator[DaskExecutor]:
        with DaskExecutor(threads) as executor:
            yield executor

    @pytest.fixture(params=[Line(), toy_function.candidate()], ids=["threads", "processes"])
    def candidate(self, request: pytest.FixtureRequest) -> Candidate:
        return request.param


class TestConformanceOfProcesses(ExecutorSuite):
    @pytest.fixture
    def executor(self, processes: DaskExecutor) -> DaskExecutor:
        return processes

    @pytest.fixture
    def candidate(self) -> Candidate:
        return Line()


def test_every_instance_gives_the_engines_own_outcome(threads: Client) -> None:
    setting, todo = fake_setting(), instances(Fake(), 60)
    with DaskExecutor(threads, "fake") as executor:
        outcomes = by_instance(list(executor.run(todo, setting)))
    assert {i: o.loss for i, o in outcomes.items()} == {
        one.seed.instance: fake_loss(one, setting) for one in todo
    }
    assert executor.workers == 2


def test_workers_work_at_once(threads: Client) -> None:
    with DaskExecutor(threads, "fake") as executor:
        start = time.perf_counter()
        list(executor.run(instances(Fake(seconds=0.2), 8), fake_setting()))
        assert 0.8 <= time.perf_counter() - start < 2.0
