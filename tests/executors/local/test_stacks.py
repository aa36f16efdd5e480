"""An engine of stacks is given all instances alike, and every instance ends exactly once."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from surefoot import registry
from surefoot.candidates.convnet.network import Conv, ConvNet
from surefoot.engines.torch.stacked.engine import TorchStacked
from surefoot.executors.local.executor import LocalExecutor
from surefoot.instances import Instance, Setting
from surefoot.testing import toy_instance, toy_setting

SMALL, OTHER = ConvNet((Conv(2),)), ConvNet((Conv(3),), hidden=(2,))


class Counted(TorchStacked):
    """Three instances in a stack on the CPU; keeps what each stack was given."""

    name = "counted"
    stacks: list[list[Instance]]

    def __init__(self) -> None:
        super().__init__("cpu", size=3)
        self.stacks = []

    @property
    def sizes(self) -> list[int]:
        return sorted(map(len, self.stacks))

    def fit_stack(self, instances, setting, stop):  # type: ignore[no-untyped-def]
        stack: list[Instance] = []
        self.stacks.append(stack)

        def counted() -> Iterator[Instance]:
            for instance in instances:
                stack.append(instance)
                yield instance

        return super().fit_stack(counted(), setting, stop)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Counted:
    made = Counted()
    monkeypatch.setitem(registry._added, ("engines", "counted"), lambda: made)
    return made


def instances() -> list[Instance]:
    mixed = [net for rate in (1e-3, 2e-3) for net in (SMALL, replace(OTHER, learning_rate=rate))]
    return [toy_instance(net, number) for number in range(5) for net in mixed]


def test_all_alike_share_a_stack(engine: Counted) -> None:
    setting, asked = toy_setting(), instances()
    with LocalExecutor(2, "counted") as executor:
        found = list(executor.run(iter(asked), setting))
    assert sorted((o.candidate, o.instance) for o in found) == sorted(
        (one.candidate.key, one.seed.instance) for one in asked
    )
    assert engine.sizes == [10, 10]
    alone = {(o.candidate, o.instance): o for o in alone_of(asked, setting)}
    for outcome in found:
        curve = alone[outcome.candidate, outcome.instance].curve
        np.testing.assert_allclose(outcome.curve, curve, rtol=1e-3)


def test_with_a_time_limit_each_trains_alone(engine: Counted) -> None:
    with LocalExecutor(2, "counted", time_limit=60.0) as executor:
        assert len(list(executor.run(iter(instances()), toy_setting()))) == 20
    assert engine.sizes == [1] * 20


class OnTwo(Counted):
    """On two devices, which both begin before either goes on."""

    name = "on_two"

    def __init__(self) -> None:
        super().__init__()
        self.used: set[str] = set()
        self.begin = threading.Barrier(2, timeout=20)

    def processor(self) -> str:
        return self.device

    def places(self):  # type: ignore[no-untyped-def]
        return [self.on("cuda:0"), self.on("cuda:1")]

    def fit_stack(self, instances, setting, stop):  # type: ignore[no-untyped-def]
        if self.device not in self.used:
            self.used.add(self.device)
            self.begin.wait()
        return TorchStacked.fit_stack(self.on("cpu"), instances, setting, stop)


def test_every_device_has_a_stack_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made, setting, asked = OnTwo(), toy_setting(), instances()
    monkeypatch.setitem(registry._added, ("engines", "on_two"), lambda: made)
    with LocalExecutor(3, "on_two") as executor:
        found = list(executor.run(iter(asked), setting))
        assert executor.places(made).qsize() == 2, "both are free again"
    assert made.used == {"cuda:0", "cuda:1"} == {one.processor for one in found}
    assert sorted((o.candidate, o.instance) for o in found) == sorted(
        (one.candidate.key, one.seed.instance) for one in asked
    )


def test_closing_stops_a_stack(engine: Counted) -> None:
    with LocalExecutor(1, "counted") as executor:
        outcomes = executor.run(iter(instances()), toy_setting())
        next(outcomes)
        outcomes.close()


def alone_of(asked: list[Instance], setting: Setting) -> list:
    return [TorchStacked("cpu").train(one, setting).outcome for one in asked]
