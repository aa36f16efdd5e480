"""Fitted estimators and functions as predictors: one matrix of outputs, whatever they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.population import Population
from surefoot.errors import CandidateError
from surefoot.learning.losses.classification import logits_of

Matrix = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fitted estimator, or a function of features, as a predictor.

    Parameters
    ----------
    model
        An object with ``predict`` or a function of features [n, F].
    outputs
        Number of outputs, or of classes.
    takes_side
        Whether side features follow the features as further columns.
    codes
        The class codes that its training sample held, in the order of what it calls 0, 1, 2, …;
        None for regression.
    probabilities
        Whether to ask ``predict_proba`` for class probabilities instead of ``predict`` for classes.
    """

    model: Any
    outputs: int
    takes_side: bool = False
    codes: NDArray[np.int64] | None = None
    probabilities: bool = False

    @property
    def weights(self) -> Mapping[str, Matrix]:
        """Return nothing: an estimator's arrays are its own."""
        return {}

    def predict(self, features: Matrix, side: Matrix | None) -> Matrix:
        """Return predictions [n, outputs] for features [n, F] and side features [n, S].

        Of a classifier, logits [n, classes]: logarithms of its probabilities, or of 1 for the
        class it predicts and of float32's ε for the others.

        Raises
        ------
        CandidateError
            If the model returns another shape.
        """
        x = inputs(features, side, self.takes_side)
        if self.codes is None:
            return self._matrix(self._call()(x))
        if self.probabilities:
            return self._spread(np.asarray(self.model.predict_proba(x), dtype=np.float64))
        predicted = np.asarray(self._call()(x))
        if predicted.ndim == 2 and predicted.shape[1] == self.outputs:
            return self._matrix(predicted)
        return self._one_hot(predicted.ravel(), len(x))

    def _call(self) -> Callable[[Doubles], Any]:
        call: Callable[[Doubles], Any] = getattr(self.model, "predict", self.model)
        return call

    def _matrix(self, predicted: Any) -> Matrix:
        with np.errstate(over="ignore"):
            values = np.asarray(predicted, dtype=np.float32)
        matrix = values[:, None] if values.ndim == 1 else values
        if matrix.ndim != 2 or matrix.shape[1] != self.outputs:
            raise CandidateError(
                f"predictions have shape {values.shape}; must be [n, {self.outputs}]"
            )
        return matrix

    def _spread(self, probabilities: Doubles) -> Matrix:
        """Return the logits of all classes; those absent from the sample have probability 0."""
        assert self.codes is not None
        if probabilities.shape[-1] != self.codes.size:
            raise CandidateError(
                f"probabilities have shape {probabilities.shape} for {self.codes.size} classes"
            )
        full = np.zeros((len(probabilities), self.outputs))
        full[:, self.codes] = probabilities
        return logits_of(full)

    def _one_hot(self, predicted: NDArray[Any], n: int) -> Matrix:
        assert self.codes is not None
        if predicted.shape != (n,):
            raise CandidateError(f"predicted classes have shape {predicted.shape}; must be ({n},)")
        full = np.zeros((n, self.outputs))
        full[np.arange(n), self.codes[predicted.astype(np.int64)]] = 1.0
        return logits_of(full)


def inputs(features: Matrix, side: Matrix | None, takes_side: bool) -> Doubles:
    """Return features [n, F], followed by side features if taken, as float64.

    Float64 is what estimators are given by hand; float32 would lose digits in linear algebra.
    """
    if not takes_side:
        return features.astype(np.float64)
    if side is None:
        raise CandidateError("the candidate takes side features but there are none")
    return np.concatenate([features, side], axis=1, dtype=np.float64)


def sample(
    population: Population, rows: NDArray[np.int32], takes_side: bool
) -> tuple[Doubles, Doubles]:
    """Return inputs and targets [n, outputs] of some rows, as float64."""
    side = None if population.side is None else population.side[rows]
    x = inputs(population.features[rows], side, takes_side)
    return x, population.target[rows].astype(np.float64)
