r"""Losses (paper §3.2): what an instance is trained on and what its test loss means.

A loss is a mean over examples of a per-example term ℓ(p, y), followed by ``finish``, which turns
that mean into the reported number: for the relative RMSE, ℓ = ((p − y)/y)² is trained as its mean
and reported as √mean. Per-example terms of several outputs are averaged over the outputs.

=================  ==========================  ===========================  ========================
name               ℓ(p, y)                     ∂ℓ/∂p                        reported, unit
=================  ==========================  ===========================  ========================
relative_rmse      ((p − y)/y)²                2(p − y)/y²                  √mean, dimensionless
stochastic_rmse    (p − y)²/y                  2(p − y)/y                   √mean, √unit of target
rmse               (p − y)²                    2(p − y)                     √mean, unit of target
mse                (p − y)²                    2(p − y)                     mean, squared unit
mae                \|p − y\|                   sign(p − y)                  mean, unit of target
huber(δ)           ½r² if \|r\| ≤ δ else       r if \|r\| ≤ δ else          mean, squared unit
                   δ(\|r\| − ½δ), r = p − y     δ sign(r)
=================  ==========================  ===========================  ========================

For a calorimeter whose resolution is purely stochastic, σ(E) ∝ √E, ``stochastic_rmse`` weighs all
energies exactly alike; ``relative_rmse`` is the paper's. Three more, of class codes, follow in
`surefoot.learning.losses.classification`: ``cross_entropy``, ``brier`` and ``error_rate``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import DataError, StudyFileError, nearest
from surefoot.learning.losses import classification as classification_losses
from surefoot.learning.losses.classification import CLASSIFICATION

Array = NDArray[np.floating[Any]]

_NAMES = ("relative_rmse", "stochastic_rmse", "rmse", "mse", "mae", "huber", *CLASSIFICATION)
_ROOTED = ("relative_rmse", "stochastic_rmse", "rmse")


@dataclass(frozen=True, slots=True)
class Loss:
    """One of the losses in this module's table, or of `surefoot.learning.losses.classification`.

    Parameters
    ----------
    name
        Its name.
    parameter
        Huber's δ, in the unit of the target; unused by the others.

    Raises
    ------
    StudyFileError
        If the name is unknown or the parameter is not positive.
    """

    name: str
    parameter: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in _NAMES:
            raise StudyFileError(f"loss {self.name!r} is unknown: {nearest(self.name, _NAMES)}")
        if not 0 < self.parameter < float("inf"):
            raise StudyFileError(f"huber's delta = {self.parameter} must be a positive number")

    def __str__(self) -> str:
        if self.name != "huber":
            return self.name
        short = f"{self.parameter:g}"
        return f"huber({short if float(short) == self.parameter else repr(float(self.parameter))})"

    @property
    def code(self) -> int:
        """Number of the loss for compiled engines: its row in the module's table, from 0.

        Those of classification go on after it: cross_entropy 6, brier 7, error_rate 8.
        """
        return _NAMES.index(self.name)

    @property
    def classification(self) -> bool:
        """Whether it takes logits [n, classes] and class codes [n, 1]."""
        return self.name in CLASSIFICATION

    @property
    def trained(self) -> Loss:
        """The loss whose gradient training follows: itself, or cross-entropy for the error rate."""
        return Loss("cross_entropy") if self.name == "error_rate" else self

    @property
    def rooted(self) -> bool:
        """Whether the reported number is the square root of the mean."""
        return self.name in _ROOTED

    def unit(self, target_unit: str) -> str:
        """Return the unit of the reported number; empty when dimensionless.

        >>> Loss("rmse").unit("mm"), Loss("relative_rmse").unit("GeV"), Loss("mse").unit("mm")
        ('mm', '', 'mm²')
        """
        if self.name == "relative_rmse" or self.classification or not target_unit:
            return ""
        if self.name == "stochastic_rmse":
            return f"√{target_unit}"
        return f"{target_unit}²" if self.name in ("mse", "huber") else target_unit

    def check_target(self, target: Array) -> None:
        """Raise `DataError` if the loss is undefined for a target [n, outputs].

        It divides by 0, or needs class codes and the target holds none.
        """
        if self.classification:
            classification_losses.check_codes(self.name, target)
        if self.name in ("relative_rmse", "stochastic_rmse"):
            bad = np.flatnonzero(~(target > 0).all(axis=-1))
            if bad.size:
                value = target[bad[0]].min()
                raise DataError(
                    f"target {value:g} of example {bad[0]} cannot be used with the loss "
                    f"{self.name}, which divides by it: targets must be positive"
                )

    def per_example(self, prediction: Array, target: Array) -> Array:
        """Return ℓ [n] for predictions and targets [n, outputs], averaged over the outputs."""
        if self.classification:
            return classification_losses.per_example(self.name, prediction, target)
        residual = prediction - target
        match self.name:
            case "relative_rmse":
                term = (residual / target) ** 2
            case "stochastic_rmse":
                term = residual**2 / target
            case "mae":
                term = np.abs(residual)
            case "huber":
                size, delta = np.abs(residual), self.parameter
                term = np.where(size <= delta, 0.5 * residual**2, delta * (size - 0.5 * delta))
            case _:
                term = residual**2
        mean: Array = term.mean(axis=-1)
        return mean

    def gradient(self, prediction: Array, target: Array) -> Array:
        """Return ∂ℓ/∂p [n, outputs] of `per_example`, of which training uses the batch mean."""
        if self.classification:
            return classification_losses.gradient(self.name, prediction, target)
        residual = prediction - target
        match self.name:
            case "relative_rmse":
                slope = 2 * residual / target**2
            case "stochastic_rmse":
                slope = 2 * residual / target
            case "mae":
                slope = np.sign(residual)
            case "huber":
                slope = np.clip(residual, -self.parameter, self.parameter)
            case _:
                slope = 2 * residual
        result: Array = slope / prediction.shape[-1]
        return result

    def finish(self, mean: float) -> float:
        """Turn a mean of per-example terms into the reported number."""
        return float(np.sqrt(mean)) if self.rooted else float(mean)

    def value(self, prediction: Array, target: Array) -> float:
        """Return the reported loss of predictions and targets [n, outputs], summed in float64.

        NaN or infinite when a prediction is; the caller records such an instance as diverged.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            terms = self.per_example(prediction.astype(np.float64), target.astype(np.float64))
            return self.finish(float(terms.mean()))


def parse_loss(text: str) -> Loss:
    """Return the loss that a study file names: ``relative_rmse``, ``mae``, ``huber(0.5)``, …

    >>> parse_loss("huber(0.5)")
    Loss(name='huber', parameter=0.5)

    Raises
    ------
    StudyFileError
        If the text names no loss.
    """
    match = re.fullmatch(r"\s*(\w+)\s*(?:\(\s*([^()\s]+)\s*\))?\s*", text)
    if match is None:
        raise StudyFileError(f"loss {text!r} is unknown: write a name such as relative_rmse")
    name, parameter = match.groups()
    if parameter is None:
        return Loss(name)
    if name != "huber":
        raise StudyFileError(f"loss {text!r}: only huber takes a parameter, as in huber(0.5)")
    try:
        return Loss(name, float(parameter))
    except ValueError as error:
        if isinstance(error, StudyFileError):
            raise
        raise StudyFileError(f"loss {text!r}: {parameter!r} is not a number") from None
