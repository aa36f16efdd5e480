"""Workers die, are slow or not what they should be: nothing is lost, nothing counts twice."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from distributed import Client

import surefoot
from surefoot.candidates.function import FunctionCandidate
from surefoot.engines.choose import Chooser
from surefoot.errors import EngineError
from surefoot.executors.dask import call as dask_call
from surefoot.executors.dask import worker as dask_worker
from surefoot.executors.dask.data import SentSetting
from surefoot.executors.dask.executor import DaskExecutor
from surefoot.executors.dask.leases import Leases
from surefoot.executors.dask.worker import Lease, passport
from surefoot.executors.lost import TRIES
from surefoot.instances import Instance, Outcome, Setting, Status
from surefoot.testing import toy_function, toy_population
from tests.executors.processes import alive, by_instance, children, start_script
from tests.fakes import Fake, fake_loss, fake_setting, instances

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def expected(todo: list[Instance], setting: Setting) -> dict[int, float]:
    return {one.seed.instance: fake_loss(one, setting) for one in todo}


def losses(outcomes: list[Outcome]) -> dict[int, float]:
    return {number: one.loss for number, one in by_instance(outcomes).items()}


def pids(client: Client) -> dict[str, int]:
    found: dict[str, int] = client.run(os.getpid)
    return found


def fake_processes(client: Client) -> DaskExecutor:
    client.wait_for_workers(2, timeout=30)
    return DaskExecutor(client, "fake")


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_worker_that_is_killed_takes_only_what_it_was_training(
    cluster: Client, number: signal.Signals, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    setting = fake_setting()
    todo = instances(Fake(seconds=0.05, fate=f"note {tmp_path / 'begun'}", when=range(80)), 80)
    with fake_processes(cluster) as executor:
        outcomes: list[Outcome] = []
        for outcome in executor.run(todo, setting):
            outcomes.append(outcome)
            if len(outcomes) == 20:
                os.kill(next(iter(pids(cluster).values())), number)
    assert losses(outcomes) == expected(todo, setting)
    again = len((tmp_path / "begun").read_text().split()) - 80
    assert again <= 10, "what was finished came back before the worker died"
    assert any("was lost (worker tcp" in line for line in caplog.messages) or again == 0


def test_what_kills_every_worker_ends_in_one_sentence(processes: DaskExecutor) -> None:
    executor = processes
    lost = [dask_call.Lost("worker w is gone")] * TRIES
    with pytest.raises(EngineError, match=f"instance 0 of fake 1 was lost {TRIES} times"):
        dask_call.after(lost, instances(Fake(), 1)[0], fake_setting(), executor.engine)


@contextmanager
def changed(client: Client, name: str, value: object, *workers: str) -> Iterator[None]:
    """Replace what the module of workers holds, on some of them."""
    client.run(change, name, value, workers=list(workers))
    try:
        yield
    finally:
        client.run(change, name, None, workers=list(workers))


def change(name: str, value: object) -> None:
    kept = vars(dask_worker).setdefault("kept", {})
    own = kept.setdefault(name, getattr(dask_worker, name))
    setattr(dask_worker, name, own if value is None else value)


class Other:
    """The passport of another version."""

    def __call__(self) -> dict[str, object]:
        return passport() | {"surefoot": "9.9.9 (00000000)"}


def test_a_worker_with_another_version_is_refused_and_named(
    cluster: Client, caplog: pytest.LogCaptureFixture
) -> None:
    setting, todo = fake_setting(), instances(Fake(seconds=0.01), 20)
    with fake_processes(cluster) as executor:
        one, other = pids(cluster)
        own = cluster.run(dask_worker.passport, workers=[one])[one]
        with changed(cluster, "passport", Other(), one):
            assert losses(list(executor.run(todo, setting))) == expected(todo, setting)
        (line,) = caplog.messages
        assert line == (
            f"worker {one} is refused: it runs surefoot 9.9.9 (00000000), the study "
            f"{own['surefoot']}: install the same on both"
        )
        with (
            changed(cluster, "passport", Other(), other),
            pytest.raises(EngineError, match=r"is refused: it runs surefoot 9\.9\.9"),
        ):
            list(executor.run(todo, setting))


def lease_of(setting: Setting, **changes: object) -> Lease:
    sent = SentSetting.of(setting)
    population = setting.halves.population.fingerprint
    lease = Lease(0, 0, "topic", sent.digest, population, [], None, None)
    return replace(lease, **changes)


def test_other_data_are_refused() -> None:
    setting, other = fake_setting(), fake_setting(examples=300)
    parts = SentSetting.of(setting).parts
    place = dask_worker._loaded(lease_of(setting), parts)
    place.close()
    assert place.setting.halves.population.fingerprint == setting.halves.population.fingerprint
    with pytest.raises(EngineError, match="it has other data than the study"):
        dask_worker._loaded(lease_of(other), parts)
    with pytest.raises(EngineError, match=r"cannot use what it was sent \(UnpicklingError"):
        dask_worker._loaded(lease_of(setting), [b"no pickle"])


def test_what_is_sent_shares_its_arrays() -> None:
    setting = fake_setting()
    sent, again = SentSetting.of(setting), SentSetting.of(fake_setting())
    features = setting.halves.population.features
    assert any(part.ctypes.data == features.ctypes.data for part in sent.parts[1:])
    assert sent.digest == again.digest != SentSetting.of(fake_setting(size=21)).digest
    assert len(pickle.dumps(sent.parts[0])) < 10_000


class Sluggish:
    """Trains nothing for long."""

    def __call__(self, *arguments: object) -> object:
        until = time.monotonic() + 20.0
        while time.monotonic() < until and not arguments[-1]():
            time.sleep(0.05)
        return iter(())


def test_the_last_lease_of_a_slow_worker_is_given_out_twice(cluster: Client) -> None:
    setting, todo = fake_setting(), instances(Fake(seconds=0.02), 30)
    with fake_processes(cluster) as executor:
        slow = next(iter(pids(cluster)))
        with changed(cluster, "_trained", Sluggish(), slow):
            start = time.monotonic()
            assert losses(list(executor.run(todo, setting))) == expected(todo, setting)
            assert time.monotonic() - start < 15.0


def test_two_answers_are_compared(
    processes: DaskExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    setting, (todo,) = fake_setting(), instances(Fake(), 1)
    terms = dask_call.Terms(Chooser("fake"), None, None, 1.0)
    call = dask_call.Call(processes.connection, 0, Leases([todo]), setting, terms)
    call._leases.join("a", 1)
    (lease,) = call._leases.give()
    lease.twice = True
    outcome = Outcome.of(todo, setting, "fake", [1.0], 0.1)
    call._answer(0, outcome, lease.number, "a")
    call._answer(0, replace(outcome, seconds=0.3), lease.number, "b")
    assert caplog.messages == []
    call._answer(0, replace(outcome, loss=2.0), lease.number, "b")
    (line,) = caplog.messages
    assert "was trained twice, and worker b got the loss 2.0 where another got 1.0" in line
    assert [one.loss for one in call._taken()] == [1.0]


def test_a_crash_is_a_failure_and_a_kill_is_not(cluster: Client, tmp_path: Path) -> None:
    """What an engine's process dies of is told apart on a cluster as it is without one."""
    with DaskExecutor(cluster, "fake_processes") as executor:
        todo = instances(Fake(fate="segfault", when=(1,)), 3)
        todo += instances(Fake(fate=f"kill unless {tmp_path / 'marker'}", when=(3,)), 1, first=3)
        outcomes = by_instance(list(executor.run(todo, fake_setting())))
    assert outcomes.pop(1).status is Status.FAILED
    assert {one.status for one in outcomes.values()} == {Status.FINISHED}
    assert (tmp_path / "marker").exists()


def test_what_the_main_script_defines_is_refused(threads: Client) -> None:
    with (
        DaskExecutor(threads, "fake") as executor,
        pytest.raises(EngineError, match="is defined in the main script or a notebook"),
    ):
        list(executor.run(instances(Fake(fate="__main__.x"), 1), fake_setting()))


def test_what_a_notebook_defines_is_refused_before_anything_trains(threads: Client) -> None:
    told: list[Outcome] = []
    with pytest.raises(EngineError, match="mine is defined in the main script or a notebook"):
        surefoot.select(
            [toy_function.candidate(), FunctionCandidate("__main__.mine")],
            toy_population(),
            executor=threads,
            watch=told.append,
        )
    assert told == []


def test_an_interrupt_yields_what_is_finished(threads: Client) -> None:
    setting, todo = fake_setting(), instances(Fake(seconds=0.05), 400)
    outcomes: list[Outcome] = []
    with DaskExecutor(threads, "fake") as executor:
        threading.Timer(1.0, signal.raise_signal, [signal.SIGINT]).start()
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            outcomes.extend(executor.run(todo, setting))
        assert time.monotonic() - start < 4.0
        assert 18 <= len(outcomes) < 100
        assert losses(outcomes).items() <= expected(todo, setting).items()
        assert losses(list(executor.run(todo[-5:], setting))) == expected(todo[-5:], setting)


SCRIPT = """
    import os, sys
    from surefoot.executors.dask.executor import DaskExecutor
    from tests.fakes import Fake, fake_setting, instances

    def main():
        with DaskExecutor("local:2", "fake") as executor:
            try:
                todo = instances(Fake(seconds=0.1, fate="hang", when=(4,)), 500)
                for outcome in executor.run(todo, fake_setting()):
                    print(outcome.instance, flush=True)
            except KeyboardInterrupt:
                print("interrupted", flush=True)

    if __name__ == "__main__":
        main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("kill", [False, True], ids=["interrupt", "kill"])
def test_an_interrupt_yields_what_is_finished_and_nobody_outlives_the_study(
    kill: bool, tmp_path: Path
) -> None:
    process = start_script(SCRIPT, file=tmp_path / "study.py")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(8)]
    workers = [pid for pid in children(process.pid) if children(pid) or alive(pid)]
    assert len(workers) >= 2
    start = time.monotonic()
    if kill:
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=20)
    assert all(line.strip().isdigit() for line in lines)
    if not kill:
        assert time.monotonic() - start < 6.0
        assert rest.splitlines()[-1] == "interrupted"
        assert process.returncode == 0
    deadline = time.monotonic() + 10
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))
