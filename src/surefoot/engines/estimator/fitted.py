"""Fitted estimators and functions as predictors: one matrix of outputs, whatever they return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.data.population import Matrix, Population, Rows
from surefoot.errors import CandidateError
from surefoot.instances import Predictor
from surefoot.learning.losses.classification import logits_of

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted(Predictor):
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
        if self.codes is not None and self.probabilities:
            return self._logits(np.asarray(self.model.predict_proba(x), dtype=np.float64))
        predicted = getattr(self.model, "predict", self.model)(x)
        if self.codes is None or np.shape(predicted)[1:] == (self.outputs,):
            return self._matrix(predicted)
        classes = np.ravel(predicted)
        if classes.shape != (len(x),):
            shape = f"shape {classes.shape}; must be ({len(x)},)"
            raise CandidateError(f"predicted classes have {shape}")
        return self._logits(np.eye(self.codes.size)[classes.astype(np.int64)])

    def _matrix(self, predicted: Any) -> Matrix:
        with np.errstate(over="ignore"):
            values = np.asarray(predicted, dtype=np.float32)
        matrix = values[:, None] if values.ndim == 1 else values
        if matrix.ndim != 2 or matrix.shape[1] != self.outputs:
            shape = f"shape {values.shape}; must be [n, {self.outputs}]"
            raise CandidateError(f"predictions have {shape}")
        return matrix

    def _logits(self, probabilities: Doubles) -> Matrix:
        """Return the logits of all classes; those absent from the sample have probability 0."""
        assert self.codes is not None
        if probabilities.shape[-1] != self.codes.size:
            raise CandidateError(
                f"probabilities have shape {probabilities.shape} for {self.codes.size} classes"
            )
        full = np.zeros((len(probabilities), self.outputs))
        full[:, self.codes] = probabilities
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


def sample(population: Population, rows: Rows, takes_side: bool) -> tuple[Doubles, Doubles]:
    """Return inputs and targets [n, outputs] of some rows, as float64."""
    features, side, target = population.at(rows)
    return inputs(features, side, takes_side), target.astype(np.float64)
