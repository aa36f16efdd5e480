"""What the conformance suite trains: a small population and, for each engine, its candidates.

A new engine joins the suite with one `Case` in `CASES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from surefoot import registry
from surefoot.candidates.base import Candidate, DirectCandidate
from surefoot.candidates.convnet.network import Conv, ConvNet, Pool
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.candidates.function import FunctionCandidate
from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.data.population import Population, Sampling
from surefoot.engines.base import Engine
from surefoot.instances import Instance, Setting, Training
from surefoot.learning.losses.base import Loss
from surefoot.learning.stopping import Stopping
from surefoot.seeds.ledger import InstanceSeed, Role

if TYPE_CHECKING:
    from surefoot.candidates.base import Matrix, Prediction

RUN = np.zeros(1, dtype=np.uint8)
"""A stop flag that is never set."""


def blobs(n: int = 240, seed: int = 5, outputs: int = 1) -> Population:
    """Return n images [15, 15] of a blob, its energy (and x) as target, the sum as side feature."""
    generator = np.random.default_rng(seed)
    energy = generator.uniform(1.0, 5.0, n)
    x, y = generator.uniform(-2.0, 2.0, (2, n))
    cells = np.arange(15) - 7.0
    profile = np.exp(
        -0.5 * (cells[:, None] - y[:, None, None]) ** 2 - 0.5 * (cells - x[:, None, None]) ** 2
    )
    images = energy[:, None, None] * profile * generator.normal(1.0, 0.1, (n, 15, 15)) / 6.0
    target = np.stack([energy, x + 4.0], axis=1)[:, :outputs]
    side = images.sum(axis=(1, 2))[:, None]
    return Population(images, target, side, groups=np.arange(n) // 2, name="blobs")


def setting_of(population: Population | None = None, **changes: Any) -> Setting:
    """Return a setting of three epochs on 70 bootstrapped examples, tested on 50."""
    fields: dict[str, Any] = {
        "halves": (population or blobs()).split(11),
        "sampling": Sampling(70, test_size=50),
        "loss": Loss("relative_rmse"),
        "stopping": Stopping(max_epochs=3, reading="none"),
    }
    return Setting(**{**fields, **changes})


def instance_of(
    candidate: Candidate, number: int = 0, *, salt: int = 0, **overrides: int
) -> Instance:
    """Return the instance with this number of a race with study seed 1."""
    return Instance(candidate, InstanceSeed(1, Role.RACE, number, salt, **overrides))


PLAIN = ConvNet((Conv(4, bias=False, pool=Pool()),), (5,), learning_rate=0.01)
SIDE = ConvNet(
    (Conv(3, kernel=4, padding="same", pool=Pool("average", 3, stride=2)),),
    (6, 4),
    "prelu",
    side=1,
    side_layer=2,
    optimizer="nadam",
    batch_size=16,
)
NOISY = ConvNet(
    (Conv(4, kernel=2), Conv(5, kernel=1, pool=Pool("max", 2, stride=3))),
    (7,),
    "gelu",
    batch_norm=True,
    dropout=0.3,
    optimizer="adamw",
    learning_rate=0.003,
    decay=0.05,
    batch_size=23,
)
WHOLE = ConvNet(
    (Conv(6, kernel=5, pool=Pool("average", 4)),),
    activation="tanh",
    optimizer="sgd",
    learning_rate=0.02,
    batch_size=512,
)
NETS = {"plain": PLAIN, "side": SIDE, "noisy": NOISY, "whole": WHOLE}
EXPLODING = ConvNet((Conv(4),), (4,), optimizer="sgd", learning_rate=1e30)


MODULES = {
    "dense": ModuleCandidate("tests.engines.modules.Dense", {"dropout": 0.2}, learning_rate=0.01),
    "he": ModuleCandidate(
        "tests.engines.modules.WithSide",
        {"channels": 4},
        optimizer="torch.optim.SGD",
        optimizer_parameters={"momentum": 0.9},
        learning_rate=0.02,
        batch_size=23,
        schedule="torch.optim.lr_scheduler.StepLR",
        schedule_parameters={"step_size": 5, "gamma": 0.7},
        initialization="he",
        input_shape=(1, 15, 15),
        side=True,
    ),
}
WILD = ModuleCandidate("tests.engines.modules.Dense", optimizer="sgd", learning_rate=1e30)


@dataclass(frozen=True)
class Line(DirectCandidate):
    """A straight line through the sum of features, by least squares."""

    family: ClassVar[str] = "line"
    slope: float = 1.0

    def spec(self) -> dict[str, Any]:
        return {"slope": self.slope}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        return cls(**spec)

    @property
    def label(self) -> str:
        return f"line × {self.slope:g}"

    def fit(
        self, features: Matrix, side: Matrix | None, target: Matrix, seed: int = 0
    ) -> Prediction:
        design = np.stack([features.sum(axis=1), np.ones(len(features))], axis=1)
        solution = np.linalg.lstsq(design, target, rcond=None)[0] * self.slope

        def predict(features: Matrix, side: Matrix | None) -> Matrix:
            sums = np.stack([features.sum(axis=1), np.ones(len(features))], axis=1)
            return (sums @ solution).astype(np.float32)

        return predict


@dataclass(frozen=True)
class Case:
    """An engine, candidates it trains, and one whose loss becomes infinite or NaN.

    ``seeded`` names candidates without epochs that have luck beside their draw.
    """

    engine: str
    candidates: Mapping[str, Candidate]
    diverging: Candidate
    trains_epochs: bool = True
    seeded: tuple[str, ...] = ()

    def make(self) -> Engine:
        engine: Engine = registry.lookup("engines", self.engine)()
        return engine

    def train(self, instance: Instance, setting: Setting) -> Training:
        return self.make().train(instance, setting, RUN)


ESTIMATORS = {
    "ridge": EstimatorCandidate("sklearn.linear_model.Ridge", {"alpha": 0.5}),
    "tree": EstimatorCandidate(
        "sklearn.tree.ExtraTreeRegressor", steps=["sklearn.preprocessing.StandardScaler"], side=True
    ),
    "function": FunctionCandidate("tests.engines.estimators.line", {"shrink": 0.9}),
}
INFINITE = EstimatorCandidate("tests.engines.estimators.Constant", {"value": 1e300})

CASES = (
    Case("fused_cpu", NETS, EXPLODING),
    Case("torch_eager", NETS, EXPLODING),
    Case("torch_eager", MODULES, WILD),
    Case("direct", {"line": Line(), "double": Line(2.0)}, Line(float(2**127) * 2), False),
    Case("estimator", ESTIMATORS, INFINITE, False, ("tree",)),
)

Pick = Callable[[Case], bool]


def pairs(pick: Pick = lambda case: True) -> list[Any]:
    """Return pytest parameters: every case with each of its candidates."""
    import pytest

    return [
        pytest.param(case, candidate, id=f"{case.engine}-{name}")
        for case in CASES
        if pick(case)
        for name, candidate in case.candidates.items()
    ]


def cases(pick: Pick = lambda case: True) -> list[Any]:
    """Return pytest parameters: every case."""
    import pytest

    return [
        pytest.param(case, id=f"{case.engine}-{next(iter(case.candidates.values())).family}")
        for case in CASES
        if pick(case)
    ]


def species(n: int = 200, classes: int = 3, seed: int = 2) -> Population:
    """Return overlapping clouds with text labels."""
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, classes, n)
    x = generator.standard_normal((n, 4)) + codes[:, None]
    return Population(x, np.array(["muon", "kaon", "pion", "tau"])[codes], name="species")
