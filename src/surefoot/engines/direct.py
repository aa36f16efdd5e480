"""The engine of candidates that are fitted in one call: formulas, plain functions."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from surefoot.candidates.base import Candidate, DirectCandidate
from surefoot.engines.base import Engine, Stopped, outcome_of
from surefoot.errors import CandidateError
from surefoot.instances import Instance, Setting, Status, Training
from surefoot.seeds.ledger import Stream

if TYPE_CHECKING:
    from surefoot.candidates.base import Matrix, Prediction


@dataclass(frozen=True, slots=True, eq=False)
class DirectPredictor:
    """What a `DirectCandidate` returned from its fit."""

    prediction: Prediction
    outputs: int

    @property
    def weights(self) -> dict[str, Matrix]:
        """Return nothing: a function's parameters are its own."""
        return {}

    def predict(self, features: Matrix, side: Matrix | None) -> Matrix:
        """Return predictions [n, outputs] for features [n, F] and side features [n, S].

        Raises
        ------
        CandidateError
            If the function returns another shape.
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
            return None
        return f"direct fits candidates that have a fit method, not {candidate.family}"

    def train(self, instance: Instance, setting: Setting, stop: NDArray[np.uint8]) -> Training:
        """Fit one instance; see `Engine.train`. The stop flag is read before and after the fit."""
        began = time.perf_counter()
        curve = np.empty(0, dtype=np.float32)
        predictor, message = None, ""
        try:
            predictor, loss = _fit(instance, setting, stop)
            status = Status.FINISHED if np.isfinite(loss) else Status.DIVERGED
            if status is Status.FINISHED:
                curve = np.array([loss], dtype=np.float32)
        except Stopped:
            raise
        except Exception as error:
            status, message = Status.FAILED, f"{type(error).__name__}: {error}"
        seconds = time.perf_counter() - began
        outcome = outcome_of(instance, setting, self.name, status, curve, seconds, message)
        return Training(outcome, predictor)


def _fit(
    instance: Instance, setting: Setting, stop: NDArray[np.uint8]
) -> tuple[DirectPredictor, np.float32]:
    """Return the fitted predictor and its test loss."""
    if not isinstance(instance.candidate, DirectCandidate):
        raise TypeError(f"{instance.candidate.label} has no fit method")
    if stop[0]:
        raise Stopped
    draw, population = instance.draw(setting), setting.halves.population

    def rows(index: NDArray[np.int32]) -> tuple[Matrix, Matrix | None, Matrix]:
        side = None if population.side is None else population.side[index]
        return population.features[index], side, population.target[index]

    seed = int(instance.seed.generator(Stream.NOISE).integers(0, 2**32))
    prediction = instance.candidate.fit(*rows(draw.train), seed)
    predictor = DirectPredictor(prediction, population.outputs)
    if stop[0]:
        raise Stopped
    features, side, target = rows(draw.test)
    with np.errstate(over="ignore"):
        loss = np.float32(setting.loss.value(predictor.predict(features, side), target))
    return predictor, loss
