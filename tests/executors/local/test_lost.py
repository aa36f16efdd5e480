"""Real workers are killed; what they trained counts against nobody and is trained again."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path

import pytest

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.errors import EngineError
from surefoot.executors.local import processes
from surefoot.executors.local.executor import LocalExecutor
from surefoot.executors.local.worker import IN_WORKER
from surefoot.executors.lost import TRIES
from surefoot.instances import Setting, Status
from tests.executors.processes import by_instance, children
from tests.fakes import Fake, FakeProcesses, befall, fake_loss, fake_setting, instances


def test_a_lost_instance_is_trained_again_with_the_same_seeds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    setting = fake_setting()
    todo = instances(Fake(fate=f"kill unless {tmp_path / 'marker'}", when=(1,)), 3)
    with LocalExecutor(1, "fake_processes") as executor, caplog.at_level(logging.WARNING):
        outcomes = by_instance(list(executor.run(todo, setting)))
    assert {i: o.loss for i, o in outcomes.items()} == {
        one.seed.instance: fake_loss(one, setting) for one in todo
    }
    (line,) = caplog.messages
    assert line.startswith("instance 1 of fake 1")
    assert "was lost (the worker process was killed by SIGKILL, from outside, or" in line


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_worker_killed_from_outside_is_replaced(number: signal.Signals) -> None:
    others, outcomes = children(os.getpid()), []
    with LocalExecutor(1, "fake_processes") as executor:
        for outcome in executor.run(instances(Fake(seconds=0.3), 3), fake_setting()):
            outcomes.append(outcome)
            if len(outcomes) == 1:
                (worker,) = set(children(os.getpid())) - set(others)
                os.kill(worker, number)
    assert [by_instance(outcomes)[i].status for i in range(3)] == [Status.FINISHED] * 3


def test_what_is_lost_again_and_again_ends_in_one_sentence() -> None:
    with LocalExecutor(2, "fake_processes") as executor:
        outcomes = executor.run(instances(Fake(fate="kill", when=(1,)), 2), fake_setting())
        assert next(outcomes).instance == 0
        with pytest.raises(EngineError, match=f"instance 1 of fake 1kill was lost {TRIES} times"):
            next(outcomes)
        assert len(list(executor.run(instances(Fake(), 2), fake_setting()))) == 2


def test_memory_that_never_suffices_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    kills = iter(range(1000))
    monkeypatch.setattr(processes, "memory_kills", lambda: next(kills))
    with LocalExecutor(1, "fake_processes") as executor:
        todo = instances(Fake(fate="kill", when=(1,)), 3)
        outcomes = by_instance(list(executor.run(todo, fake_setting())))
    assert outcomes[1].status is Status.FAILED
    assert outcomes[1].message.startswith("out of memory: the worker process was killed by SIGKILL")
    assert [outcomes[i].status for i in (0, 2)] == [Status.FINISHED] * 2


class Starting(FakeProcesses):
    """Meets its fate before it trains."""

    fate = ""

    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        if IN_WORKER in os.environ:
            befall(self.fate)
        return super().refusal(candidate, setting)


@pytest.mark.parametrize(
    ("fate", "words"),
    [
        ("kill unless marker", ""),
        ("kill", f"could not start, {TRIES} times in a row .*SIGKILL"),
        ("exit", "could not start .*status 7"),
    ],
)
def test_a_worker_killed_while_starting_is_started_again(
    fate: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    made = Starting()
    made.fate = fate
    monkeypatch.setattr(registry, "_added", dict(registry._added))
    registry.register("engines", "starting", lambda: made)
    with LocalExecutor(1, "starting") as executor:
        outcomes = executor.run(instances(Fake(), 2), fake_setting())
        if words:
            with pytest.raises(EngineError, match=words):
                list(outcomes)
        else:
            assert [one.status for one in outcomes] == [Status.FINISHED] * 2
            assert (tmp_path / "marker").exists()
