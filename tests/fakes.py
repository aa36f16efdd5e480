"""A candidate and two engines whose losses are known in closed form, for everything above them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np

from surefoot import registry
from surefoot.candidates.base import Candidate
from surefoot.data.population import Population, Sampling
from surefoot.engines.base import Engine, Monitor
from surefoot.instances import Instance, Outcome, Setting, Training
from surefoot.learning.losses import Loss
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import InstanceSeed, Role, Stream
from surefoot.studies.watch import Watcher


@dataclass(frozen=True)
class Fake(Candidate):
    """Loses ``quality`` times log-normal luck; ``fate`` befalls it at the instances ``when``."""

    family: ClassVar[str] = "fake"
    quality: float = 1.0
    noise: float = 0.1
    seconds: float = 0.0
    fate: str = ""
    when: tuple[int, ...] = ()
    side: int = 0

    def spec(self) -> dict[str, Any]:
        return asdict(self) | {"when": list(self.when)}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        return cls(**{**spec, "when": tuple(spec["when"])})

    @property
    def label(self) -> str:
        return f"fake {self.quality:g}{self.fate}"

    @property
    def flops(self) -> int:
        return 1000


@dataclass(frozen=True)
class FakePredictor:
    bias: float

    @property
    def weights(self) -> dict[str, np.ndarray]:
        return {"bias": np.array([self.bias], np.float32)}

    def predict(self, features: np.ndarray, side: np.ndarray | None) -> np.ndarray:
        return np.full((len(features), 1), self.bias, np.float32)


def fake_loss(instance: Instance, setting: Setting) -> float:
    """The loss every fake engine gives this instance."""
    draw = instance.draw(setting)
    luck = 0.5 * instance.seed.generator(Stream.INIT).standard_normal()
    luck += 0.5 * float(setting.halves.population.target[draw.train].mean())
    return float(np.float32(instance.candidate.quality * np.exp(instance.candidate.noise * luck)))


class FakeThreads(Engine):
    """Trains in threads, sleeping without the GIL."""

    name: ClassVar[str] = "fake"
    workers: ClassVar[Literal["threads", "processes"]] = "threads"

    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        return None if isinstance(candidate, Fake) else "it trains fakes only"

    def fit(self, instance: Instance, setting: Setting, monitor: Monitor) -> FakePredictor:
        candidate = instance.candidate
        end = time.perf_counter() + candidate.seconds
        fate = candidate.fate if instance.seed.instance in candidate.when else ""
        if fate == "hang":
            end += 60
        while time.perf_counter() < end:
            monitor.check()
            time.sleep(0.005)
        befall(fate)
        loss = fake_loss(instance, setting)
        monitor.tell(2 * loss, np.nan if fate == "diverge" else loss)
        return FakePredictor(loss)

    def train(self, instance: Instance, setting: Setting, stop: Any = None) -> Training:
        training = super().train(instance, setting, stop)
        outcome = replace(training.outcome, seconds=instance.candidate.seconds)
        return replace(training, outcome=outcome)


class FakeProcesses(FakeThreads):
    """The same in worker processes."""

    name: ClassVar[str] = "fake_processes"
    workers: ClassVar[Literal["threads", "processes"]] = "processes"


def befall(fate: str) -> None:
    if fate.startswith("raise unless "):
        fate = "" if Path(fate.removeprefix("raise unless ")).exists() else "raise"
    if fate.startswith("note "):
        with Path(fate.removeprefix("note ")).open("a") as file:
            file.write("begun\n")
    if fate.startswith("kill unless "):
        marker = Path(fate.removeprefix("kill unless "))
        fate = "" if marker.exists() else "kill"
        marker.touch()
    if fate == "raise":
        raise ValueError("this fake was told to fail")
    if fate == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if fate == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if fate == "exit":
        os._exit(7)
    if fate == "gorge":
        np.ones((1 << 40,), np.uint8)
    if fate == "gorge slowly":
        hoard = [np.ones(1 << 24) for _ in range(100)]
        assert len(hoard) == 100


def instances(candidate: Fake, count: int, first: int = 0) -> list[Instance]:
    """Return instances of a race, numbered from ``first`` on."""
    return [Instance(candidate, InstanceSeed(3, Role.RACE, first + i)) for i in range(count)]


def register_fakes() -> None:
    registry.register("engines", "fake", FakeThreads)
    registry.register("engines", "fake_processes", FakeProcesses)
    registry.register("candidates", "fake", Fake)


def fake_setting(examples: int = 200, size: int | None = 20) -> Setting:
    generator = np.random.default_rng(5)
    population = Population(
        generator.normal(size=(examples, 3)), generator.normal(size=examples), name="toys"
    )
    return Setting(
        population.split(1),
        Sampling(size),
        Loss("rmse"),
        Stopping(max_epochs=2, min_epochs=1, reading="none"),
    )


register_fakes()


class Seen(Watcher):
    """Keeps the outcomes it is told of."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def outcome(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
