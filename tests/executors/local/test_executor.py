from __future__ import annotations

import itertools
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.errors import ConfigurationError, EngineError
from surefoot.executors.local import executor as local
from surefoot.executors.local.executor import LocalExecutor
from surefoot.executors.local.worker import IN_WORKER
from surefoot.instances import Instance, Setting, Status
from surefoot.seeds.ledger import InstanceSeed, Role
from surefoot.testing import ExecutorSuite, toy_function
from tests.engines.cases import Line
from tests.executors.processes import ROOT, alive, by_instance, children, start_script
from tests.fakes import Fake, FakeProcesses, fake_loss, fake_setting, instances


@pytest.fixture(params=["fake", "fake_processes"])
def executor(request: pytest.FixtureRequest) -> Iterator[LocalExecutor]:
    with LocalExecutor(2, request.param) as local:
        yield local


class TestConformance(ExecutorSuite):
    @pytest.fixture
    def executor(self) -> Iterator[LocalExecutor]:
        with LocalExecutor(2) as local:
            yield local

    @pytest.fixture(params=[Line(), toy_function.candidate()], ids=["threads", "processes"])
    def candidate(self, request: pytest.FixtureRequest) -> Candidate:
        return request.param


def test_every_instance_gives_the_engines_own_outcome(executor: LocalExecutor) -> None:
    setting = fake_setting()
    todo = instances(Fake(), 20)
    outcomes = by_instance(list(executor.run(todo, setting)))
    for instance in todo:
        outcome = outcomes[instance.seed.instance]
        assert outcome.status is Status.FINISHED
        assert outcome.loss == fake_loss(instance, setting)
        assert outcome.engine == executor.engine
        assert outcome.curve.dtype == np.float32
        assert outcome.candidate == instance.candidate.key


def test_the_number_of_workers_changes_nothing() -> None:
    setting = fake_setting()
    todo = instances(Fake(), 12)
    one, four = (by_instance(list(LocalExecutor(n, "fake").run(todo, setting))) for n in (1, 4))
    assert {i: o.loss for i, o in one.items()} == {i: o.loss for i, o in four.items()}


def test_instances_run_at_once() -> None:
    start = time.perf_counter()
    list(LocalExecutor(4, "fake").run(instances(Fake(seconds=0.2), 8), fake_setting()))
    assert 0.4 <= time.perf_counter() - start < 1.2


def test_short_trainings_come_in_few_batches() -> None:
    start = time.perf_counter()
    todo = instances(Fake(seconds=0.01), 80)
    batches = list(LocalExecutor(2, "fake").batches(todo, fake_setting()))
    assert sum(map(len, batches)) == 80
    assert len(batches) <= 2 + (time.perf_counter() - start) / local.PACE


def test_neither_the_first_nor_the_last_waits_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "PACE", 30.0)
    start = time.perf_counter()
    batches = list(LocalExecutor(2, "fake").batches(instances(Fake(), 9), fake_setting()))
    assert sum(map(len, batches)) == 9
    assert time.perf_counter() - start < 10.0


def test_a_diverged_outcome_passes_unchanged(executor: LocalExecutor) -> None:
    setting, (todo,) = fake_setting(), instances(Fake(fate="diverge", when=(0,)), 1)
    (outcome,) = executor.run([todo], setting)
    assert outcome.status is Status.DIVERGED
    assert outcome.loss == np.inf
    assert outcome.curve.tolist() == [np.float32(2 * fake_loss(todo, setting))]


@pytest.mark.parametrize(
    ("fate", "words"),
    [("segfault", "SIGSEGV"), ("exit", "status 7")],
)
def test_a_dead_worker_costs_exactly_its_instance(fate: str, words: str) -> None:
    with LocalExecutor(2, "fake_processes") as executor:
        todo = instances(Fake(fate=fate, when=(1,)), 5)
        outcomes = by_instance(list(executor.run(todo, fake_setting())))
    assert len(outcomes) == 5
    victim = outcomes.pop(1)
    assert victim.status is Status.FAILED
    assert victim.loss == np.inf
    assert words in victim.message
    assert {o.status for o in outcomes.values()} == {Status.FINISHED}


@pytest.mark.parametrize("engine", ["fake", "fake_processes"])
def test_the_time_limit_fails_an_instance(engine: str) -> None:
    with LocalExecutor(2, engine, time_limit=0.7) as executor:
        todo = instances(Fake(fate="hang", when=(0,)), 3)
        outcomes = by_instance(list(executor.run(todo, fake_setting())))
    assert outcomes[0].status is Status.FAILED
    assert outcomes[0].message == "exceeded the time limit of 0.7 s"
    assert [outcomes[i].status for i in (1, 2)] == [Status.FINISHED] * 2


def test_the_memory_limit_fails_an_instance() -> None:
    with LocalExecutor(1, "fake_processes", memory_limit=1 << 29) as executor:
        todo = instances(Fake(fate="gorge slowly", when=(0,)), 2)
        outcomes = by_instance(list(executor.run(todo, fake_setting())))
    assert outcomes[0].status is Status.FAILED
    assert "allocate" in outcomes[0].message
    assert outcomes[1].status is Status.FINISHED


def test_instances_are_taken_only_as_they_can_start() -> None:
    taken = 0

    def endless() -> Iterator[Instance]:
        nonlocal taken
        for number in itertools.count():
            taken += 1
            yield Instance(Fake(), InstanceSeed(3, Role.RACE, number))

    stream = LocalExecutor(2, "fake").run(endless(), fake_setting())
    next(stream)
    time.sleep(0.3)
    assert taken < 60
    stream.close()


def test_closing_the_iterator_stops_training(executor: LocalExecutor) -> None:
    stream = executor.run(instances(Fake(fate="hang", when=(1,)), 30), fake_setting())
    next(stream)
    start = time.perf_counter()
    stream.close()
    assert time.perf_counter() - start < 2.5
    assert not [t for t in threading.enumerate() if t.name == "surefoot-worker"]


class Unsendable(Fake):
    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "function", lambda: None)


def test_what_cannot_reach_a_process_is_named() -> None:
    with LocalExecutor(1, "fake_processes") as executor:
        with pytest.raises(EngineError, match="a candidate cannot be sent to a worker process"):
            list(executor.run(instances(Unsendable(), 1), fake_setting()))
        assert len(list(executor.run(instances(Fake(), 2), fake_setting()))) == 2


class Slow(FakeProcesses):
    """Takes longer to be imported than any instance may take."""

    name = "slow"

    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        if IN_WORKER in os.environ:
            time.sleep(0.8)
        return None


def test_starting_a_process_is_not_an_instances_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_added", dict(registry._added))
    registry.register("engines", "slow", Slow)
    with LocalExecutor(1, "slow", time_limit=0.5) as executor:
        outcomes = list(executor.run(instances(Fake(), 2), fake_setting()))
    assert {outcome.status for outcome in outcomes} == {Status.FINISHED}


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ConfigurationError, match="workers = -1 must be at least 1"):
        LocalExecutor(-1)
    with pytest.raises(ConfigurationError, match="'fak' is unknown: did you mean 'fake'"):
        LocalExecutor(engine="fak")


SCRIPT = """
    import sys
    from surefoot.executors.local.executor import LocalExecutor
    from tests.fakes import Fake, fake_setting, instances

    executor = LocalExecutor(2, sys.argv[1])
    try:
        for outcome in executor.run(instances(Fake(seconds=0.1, fate="hang", when=(4,)), 500),
                                    fake_setting()):
            print(outcome.instance, flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.parametrize("engine", ["fake", "fake_processes"])
def test_an_interrupt_yields_what_is_finished_and_stops_in_time(engine: str) -> None:
    process = start_script(SCRIPT, engine)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    start = time.perf_counter()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=10)
    assert time.perf_counter() - start < 3.0
    assert all(line.strip().isdigit() for line in lines)
    assert rest.splitlines()[-1] == "interrupted"
    assert process.returncode == 0


def test_workers_die_with_their_parent() -> None:
    process = start_script(SCRIPT, "fake_processes")
    assert process.stdout is not None
    process.stdout.readline()
    workers = children(process.pid)
    assert len(workers) == 2
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 5
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in workers)


def test_a_script_without_a_main_guard_may_define_candidates(tmp_path: Path) -> None:
    script = tmp_path / "study.py"
    script.write_text(
        textwrap.dedent("""
        from dataclasses import dataclass
        from surefoot.executors.local.executor import LocalExecutor
        from tests.fakes import Fake, fake_setting, instances

        @dataclass(frozen=True)
        class Mine(Fake):
            pass

        if GUARD:
            executor = LocalExecutor(1, "fake_processes")
            print([o.loss for o in executor.run(instances(Mine(), 2), fake_setting())])
        """)
    )
    text = script.read_text()
    for guard, good in (('__name__ == "__main__"', True), ("True", False)):
        script.write_text(text.replace("GUARD", guard))
        done = subprocess.run(
            [sys.executable, str(script)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=30,
        )
        if good:
            setting = fake_setting()
            assert done.returncode == 0, done.stderr
            expected = [fake_loss(i, setting) for i in instances(Fake(), 2)]
            assert done.stdout.strip() == str(expected)
        else:
            assert 'if __name__ == "__main__":' in done.stderr.splitlines()[-1]


def settings_are_equal(one: Setting, other: Setting) -> bool:
    return np.array_equal(one.halves.population.features, other.halves.population.features)


def test_shared_settings_are_mapped_without_a_copy_and_privately() -> None:
    from surefoot.executors.local.shared_memory import mapped, packed, shared

    setting = fake_setting()
    with shared(*packed(setting, "the setting")) as file:
        found = [mapped(file.fileno()) for _ in range(2)]
    one, other = (pickle.loads(head, buffers=arrays) for head, arrays in found)
    assert settings_are_equal(one, setting)
    assert one.halves.population.fingerprint == setting.halves.population.fingerprint
    assert not one.halves.population.features.flags.owndata
    one.halves.population.features[0] = 0
    assert settings_are_equal(other, setting)
