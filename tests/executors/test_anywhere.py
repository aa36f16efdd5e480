"""The same losses, bit for bit, and the same winner, wherever and by however many it is trained."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster

import surefoot
from surefoot.executors.base import Executor
from surefoot.executors.dask.executor import DaskExecutor
from surefoot.executors.inline import InlineExecutor
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Outcome
from surefoot.journal import MEMORY, Journal
from surefoot.racing import Halving
from surefoot.studies.watch import Watcher
from surefoot.testing import toy_function, toy_population
from tests.executors.networks import NETWORKS, trained
from tests.executors.processes import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
CANDIDATES = [*NETWORKS, toy_function.candidate(shrink=0.9), toy_function.candidate(shrink=0.5)]


@contextmanager
def executor_of(kind: str) -> Iterator[Executor]:
    """Open an executor: inline, local, a number of Dask workers in this process, or processes."""
    with ExitStack() as stack:
        if kind == "inline":
            yield InlineExecutor()
        elif kind == "local":
            yield stack.enter_context(LocalExecutor(2))
        elif kind == "processes":
            yield stack.enter_context(DaskExecutor("local:2"))
        else:
            cluster = stack.enter_context(
                LocalCluster(
                    n_workers=int(kind),
                    threads_per_worker=1,
                    processes=False,
                    dashboard_address=":0",
                )
            )
            client = stack.enter_context(Client(cluster, set_as_default=False))
            yield stack.enter_context(DaskExecutor(client))


class Enough(Watcher):
    """Stops a study after some outcomes."""

    def __init__(self, count: int) -> None:
        self.left = count

    def outcome(self, outcome: Outcome) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def race(executor: Executor, journal: Any, watch: Watcher | None = None) -> surefoot.Selection:
    return surefoot.select(
        CANDIDATES,
        toy_population(),
        loss="relative_rmse",
        sampling=surefoot.Sampling(40, test_size=40),
        stopping=surefoot.Stopping(max_epochs=2, reading="none"),
        schedule=Halving(warmup=2),
        certify=6,
        executor=executor,
        journal=journal,
        watch=watch,
        seed=7,
    )


def found(selection: surefoot.Selection, journal: Path) -> tuple[Any, ...]:
    """Return the winner and every loss and curve, in an order that is no matter of chance."""
    with Journal.read(journal) as read:
        told = [
            (o.candidate, o.role, o.instance, o.sample, o.status, repr(o.loss), o.curve.tobytes())
            for o in read.outcomes()
        ]
    assert len(set(told)) == len(told)
    return selection.winner.key, sorted(told)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    journal = tmp_path_factory.mktemp("inline") / "race.db"
    with executor_of("inline") as executor:
        return found(race(executor, journal), journal)


@pytest.mark.parametrize("kind", ["local", pytest.param("1", marks=pytest.mark.slow), "2", "4"])
def test_a_race_ends_alike_wherever_it_runs(
    kind: str, expected: tuple[Any, ...], tmp_path: Path
) -> None:
    with executor_of(kind) as executor:
        assert found(race(executor, tmp_path / "race.db"), tmp_path / "race.db") == expected


@pytest.mark.parametrize(
    "kinds",
    [
        ("local", "2", "inline", "4"),
        pytest.param(("processes", "local", "processes", "1"), marks=pytest.mark.slow),
    ],
    ids="-".join,
)
def test_a_race_that_moves_from_place_to_place_ends_alike(
    kinds: tuple[str, ...], expected: tuple[Any, ...], tmp_path: Path
) -> None:
    journal = tmp_path / "race.db"
    for kind, count in zip(kinds, (3, 5, 4), strict=False):
        with executor_of(kind) as executor, pytest.raises(KeyboardInterrupt):
            race(executor, journal, Enough(count))
    with executor_of(kinds[-1]) as executor:
        assert found(race(executor, journal), journal) == expected


def test_python_takes_a_client_as_the_executor(threads: Client) -> None:
    ridge = surefoot.assess(toy_function.candidate(), toy_population(), n=4, executor=threads)
    alone = surefoot.assess(toy_function.candidate(), toy_population(), n=4, journal=MEMORY)
    assert ridge.losses.tolist() == alone.losses.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["haswell", "x86-64"])
def test_the_fused_engine_gives_the_same_bits_on_every_processor(name: str) -> None:
    """AVX2 and plain SSE2 with fused multiply-adds in software, against what is here."""
    done = subprocess.run(
        [sys.executable, "-c", COMPILED],
        cwd=ROOT,
        env=os.environ | {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    target, _, losses = done.stdout.strip().partition("\n")
    assert target == f"{name} ''"
    assert losses == trained()


COMPILED = """
from numba.core.registry import cpu_target
from tests.executors.networks import trained

_, name, features = cpu_target.target_context.codegen().magic_tuple()
print(name, repr(features))
print(trained())
"""
