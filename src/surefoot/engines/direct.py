"""The engine of candidates that are fitted in one call: formulas, plain functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from surefoot.candidates.base import Candidate, DirectCandidate
from surefoot.data.population import Matrix
from surefoot.engines.base import Engine, Monitor, table_refusal
from surefoot.errors import CandidateError
from surefoot.instances import Instance, Predictor, Setting
from surefoot.seeds.ledger import Stream

if TYPE_CHECKING:
    from surefoot.candidates.base import Prediction


@dataclass(frozen=True, slots=True, eq=False)
class DirectPredictor(Predictor):
    """What a `DirectCandidate` returned from its fit."""

    prediction: Prediction
    outputs: int

    def predict(self, features: Matrix, side: Matrix | None) -> Matrix:
        """Return predictions [n, outputs] for features [n, F] and side features [n, S].

        Raises `CandidateError` if the function returns another shape.
        """
        predicted = np.asarray(self.prediction(features, side), dtype=np.float32)
        expected = (len(features), self.outputs)
        if predicted.shape != expected:
            raise CandidateError(f"predictions have shape {predicted.shape}; must be {expected}")
        return predicted


class Direct(Engine):
    """Fits a `DirectCandidate` to the draw's training rows; its curve is one test loss."""

    name: ClassVar[str] = "direct"
    workers: ClassVar[Literal["threads", "processes"]] = "threads"

    def refusal(self, candidate: Candidate, setting: Setting) -> str | None:
        """Refuse what is not a `DirectCandidate`."""
        if isinstance(candidate, DirectCandidate):
            return table_refusal(candidate, setting)
        return f"direct fits candidates that have a fit method, not {candidate.family}"

    def fit(self, instance: Instance, setting: Setting, monitor: Monitor) -> DirectPredictor:
        """Fit one instance; the stop flag is read once more before the test."""
        candidate, draw = instance.candidate, instance.draw(setting)
        assert isinstance(candidate, DirectCandidate)
        population = setting.halves.population
        seed = int(instance.seed.generator(Stream.NOISE).integers(0, 2**32))
        prediction = candidate.fit(*population.at(draw.train), seed)
        monitor.check()
        predictor = DirectPredictor(prediction, population.outputs)
        monitor.tell(setting.test_loss(predictor, draw.test))
        return predictor
