"""The engine of candidates fitted in one call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pytest

from surefoot.candidates.base import DirectCandidate
from surefoot.engines.base import Stopped
from surefoot.engines.direct import Direct, DirectPredictor
from surefoot.errors import CandidateError
from surefoot.instances import Status
from surefoot.testing import toy_instance, toy_population, toy_setting
from tests.engines.cases import Line


@dataclass(frozen=True)
class Odd(DirectCandidate):
    """Predicts something odd, or raises."""

    family: ClassVar[str] = "odd"
    what: str

    def spec(self) -> dict[str, Any]:
        return {"what": self.what}

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        return cls(**spec)

    @property
    def label(self) -> str:
        return self.what

    def fit(self, features, side, target, seed=0):
        assert (features.shape, side.shape, target.shape) == ((70, 225), (70, 1), (70, 1))
        if self.what == "raise":
            raise ArithmeticError("no such luck")
        if self.what == "flat":
            return lambda x, s: np.ones(len(x), dtype=np.float32)
        if self.what == "one nan":
            return lambda x, s: np.where(np.arange(len(x)) == 3, np.nan, 1.0)[:, None]
        if self.what == "big":
            return lambda x, s: np.full((len(x), 1), 1e30, dtype=np.float32)
        return lambda x, s: np.full((len(x), 1), target.mean())


def train(what: str):
    return Direct().train(toy_instance(Odd(what)), toy_setting())


def test_the_loss_is_that_of_the_fit() -> None:
    setting, instance = toy_setting(), toy_instance(Odd("mean"))
    draw, target = instance.draw(setting), setting.halves.population.target
    training = Direct().train(instance, setting)
    expected = np.sqrt(
        np.mean((target[draw.train].mean() / target[draw.test].astype(float) - 1) ** 2)
    )
    assert training.outcome.loss == pytest.approx(expected, rel=1e-6)
    assert training.outcome.epochs == 1


def test_an_exception_is_failed() -> None:
    training = train("raise")
    assert training.outcome.message == "ArithmeticError: no such luck"
    assert (training.outcome.status, training.predictor) == (Status.FAILED, None)


def test_predictions_of_another_shape_fail_and_are_never_broadcast() -> None:
    outcome = train("flat").outcome
    assert outcome.status is Status.FAILED
    assert "predictions have shape (50,); must be (50, 1)" in outcome.message


def test_a_prediction_that_is_nan_is_diverged() -> None:
    outcome = train("one nan").outcome
    assert (outcome.status, outcome.loss, outcome.epochs) == (Status.DIVERGED, float("inf"), 0)


def test_a_large_loss_is_still_finished() -> None:
    outcome = train("big").outcome
    assert outcome.status is Status.FINISHED
    assert 1e29 < outcome.loss < 1e31


def test_a_flag_set_while_it_fits_stops() -> None:
    stop = np.zeros(1, dtype=np.uint8)

    class Slow(Line):
        def fit(self, features, side, target, seed=0):
            stop[0] = 1
            return super().fit(features, side, target)

    with pytest.raises(Stopped):
        Direct().train(toy_instance(Slow()), toy_setting(), stop)


def test_a_fit_gets_the_luck_of_its_instance() -> None:
    seeds = []

    class Lucky(Line):
        def fit(self, features, side, target, seed=0):
            seeds.append(seed)
            return super().fit(features, side, target)

    for number in (3, 4, 3):
        Direct().train(toy_instance(Lucky(), number), toy_setting())
    assert seeds[0] == seeds[2] != seeds[1]
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_its_predictor_checks_the_shape_of_every_prediction() -> None:
    training = Direct().train(toy_instance(Line()), toy_setting())
    assert training.predictor is not None
    population = toy_population()
    assert training.predictor.predict(population.features, population.side).shape == (240, 1)
    assert training.predictor.weights == {}
    with pytest.raises(CandidateError, match=r"shape \(240, 225\); must be \(240, 1\)"):
        DirectPredictor(lambda x, s: x, outputs=1).predict(population.features, None)
