"""Estimators and functions that misbehave, for the tests of their engine: importable by name."""

from __future__ import annotations

import os
import signal
import time
import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

import surefoot


class Constant(RegressorMixin, BaseEstimator):
    """Predicts one value whatever it is given."""

    def __init__(self, value: float = 1.0) -> None:
        self.value = value

    def fit(self, X: Any, y: Any) -> Constant:
        self.fitted_ = True
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.value)


class Moody(Constant):
    """Fails in ``fit``, warns, sleeps or kills its process, as told."""

    def __init__(self, value: float = 1.0, mood: str = "raises") -> None:
        super().__init__(value)
        self.mood = mood

    def fit(self, X: Any, y: Any) -> Moody:
        if self.mood == "raises":
            raise ArithmeticError("no solution today")
        if self.mood == "warns":
            warnings.warn("it did not converge", RuntimeWarning, stacklevel=2)
        if self.mood == "sleeps":
            for _ in range(3000):
                time.sleep(0.01)
        if self.mood == "sleeps deeply":
            time.sleep(4)
        if self.mood == "kills":
            os.kill(os.getpid(), signal.SIGKILL)
        return self


class KilledOnce(Constant):
    """Kills its process with SIGKILL while it trains, unless a file says it has done so."""

    def __init__(self, value: float = 1.0, marker: str = "") -> None:
        super().__init__(value)
        self.marker = marker

    def fit(self, X: Any, y: Any) -> KilledOnce:
        if not os.path.exists(self.marker):
            open(self.marker, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return self


class Wide(Constant):
    """Returns predictions of a wrong shape."""

    def predict(self, X: Any) -> Any:
        return np.ones((len(X), 7))


class Noisy(Constant):
    """Predicts a number that only its seed decides; has ``seed`` and a thread count."""

    def __init__(self, value: float = 1.0, seed: int | None = None, n_jobs: int = 9) -> None:
        super().__init__(value)
        self.seed, self.n_jobs = seed, n_jobs

    def predict(self, X: Any) -> Any:
        return np.full(len(X), np.random.default_rng(self.seed).uniform(1, 2))


class Plain:
    """Neither of scikit-learn nor with get_params: fit, predict and a ``random_seed``."""

    def __init__(self, shift: float = 0.0, random_seed: int = 0) -> None:
        self.shift, self.random_seed = shift, random_seed

    def fit(self, X: Any, y: Any) -> None:
        self.mean = float(np.mean(y)) + self.shift

    def predict(self, X: Any) -> Any:
        return [self.mean] * len(X)


class Majority(ClassifierMixin, BaseEstimator):
    """Predicts the commonest class, without probabilities."""

    def fit(self, X: Any, y: Any) -> Majority:
        self.class_ = np.bincount(y).argmax()
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.class_)


@surefoot.candidate
def line(draw: Any, seed: int, *, shrink: float = 1.0) -> Any:
    """Fit a line through the sum of the features."""
    x = np.stack([draw.features.sum(axis=1), np.ones(len(draw.features))], axis=1)
    slope = np.linalg.lstsq(x, draw.target, rcond=None)[0] * shrink
    return lambda features: np.stack([features.sum(axis=1), np.ones(len(features))], axis=1) @ slope


@surefoot.candidate(side=True, version=3)
def by_side(draw: Any, seed: int) -> Any:
    """Take the last column, the side feature, as the prediction."""
    return lambda features: features[:, -1]


@surefoot.candidate
def measured(draw: Any, seed: int, *, power: float = 2.0) -> float:
    """Return a loss itself, with a little luck."""
    error = np.abs(draw.test_target - draw.target.mean(axis=0)) ** power
    return float(error.mean() + np.random.default_rng(seed).uniform(0, 1e-3))


@surefoot.candidate
def nearest_class(draw: Any, seed: int) -> Any:
    """Return the class codes of the nearest class mean."""
    codes = draw.target[:, 0]
    means = np.stack([draw.features[codes == k].mean(axis=0) for k in range(draw.outputs)])
    return lambda x: ((x[:, None, :] - means) ** 2).sum(axis=2).argmin(axis=1)


@surefoot.candidate
def talks(draw: Any, seed: int) -> str:
    """Return what is neither a loss nor a predictor."""
    return "hello"


def unmarked(draw: Any, seed: int) -> float:
    return 0.0
