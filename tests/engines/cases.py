"""Candidates of every family, small enough to be trained by any test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from surefoot.candidates.base import DirectCandidate
from surefoot.candidates.convnet.network import Conv, ConvNet, Pool
from surefoot.candidates.estimator.candidate import EstimatorCandidate
from surefoot.candidates.function import FunctionCandidate
from surefoot.candidates.module.candidate import ModuleCandidate
from surefoot.data.population import Population

if TYPE_CHECKING:
    from surefoot.candidates.base import Matrix, Prediction

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
DENSE = ConvNet(
    (),
    (9, 6),
    "elu",
    side=1,
    side_layer=0,
    dropout=0.1,
    scale=True,
    learning_rate=0.01,
    batch_size=20,
)
AVERAGED = replace(NOISY, average="ema(2 epochs)", clip=0.5, objective="root")
NETS = {"plain": PLAIN, "side": SIDE, "noisy": NOISY, "whole": WHOLE, "averaged": AVERAGED}
NETS["dense"] = DENSE
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
    "averaged": ModuleCandidate(
        "tests.engines.modules.Dense",
        learning_rate=0.01,
        average="ema(30 steps)",
        clip=1.0,
        objective="root",
        warmup=1,
    ),
}
IMAGES = {"input_shape": (1, 15, 15)}
STACKED_MODULES = {
    "averaged": MODULES["averaged"],
    "side": replace(
        MODULES["he"],
        optimizer="nadam",
        optimizer_parameters=None,
        schedule="step(2, 0.5)",
        schedule_parameters=None,
        decay=0.01,
    ),
    "normed": ModuleCandidate(
        "tests.engines.modules.Normed", optimizer="sgd", learning_rate=0.02, batch_size=23, **IMAGES
    ),
    "normed, averaged": ModuleCandidate(
        "tests.engines.modules.Normed", optimizer="sgd", average="ema(1 epoch)", **IMAGES
    ),
    "partly": ModuleCandidate("tests.engines.modules.Partly", decay=0.1, clip=0.5),
    "attentive": ModuleCandidate("tests.engines.modules.Attentive", average="last(0.5)", **IMAGES),
    "own loss": ModuleCandidate(
        "tests.engines.modules.dense",
        {"width": 5},
        loss="tests.engines.modules.log_cosh",
        loss_parameters={"scale": 0.5},
    ),
}
"""Modules that vmap takes."""
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


ESTIMATORS = {
    "ridge": EstimatorCandidate("sklearn.linear_model.Ridge", {"alpha": 0.5}),
    "tree": EstimatorCandidate(
        "sklearn.tree.ExtraTreeRegressor", steps=["sklearn.preprocessing.StandardScaler"], side=True
    ),
    "function": FunctionCandidate("tests.engines.estimators.line", {"shrink": 0.9}),
}
INFINITE = EstimatorCandidate("tests.engines.estimators.Constant", {"value": 1e300})


class Mean(DirectCandidate):
    """Predicts the mean."""

    family: ClassVar[str] = "mean"
    label = "mean"

    def spec(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        return cls()

    def fit(
        self, features: np.ndarray, side: np.ndarray | None, target: np.ndarray, seed: int = 0
    ) -> Any:
        mean = target.mean(axis=0)
        return lambda x, s: np.tile(mean, (len(x), 1))


def species(n: int = 200, classes: int = 3, seed: int = 2) -> Population:
    """Return overlapping clouds with text labels."""
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, classes, n)
    x = generator.standard_normal((n, 4)) + codes[:, None]
    return Population(x, np.array(["muon", "kaon", "pion", "tau"])[codes], name="species")
