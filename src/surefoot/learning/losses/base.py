r"""Losses (paper §3.2): what an instance is trained on and what its test loss means.

A loss is a mean over examples of a per-example term ℓ(p, y), followed by ``finish``, which turns
that mean into the reported number: for the relative RMSE, ℓ = ((p − y)/y)² is trained as its mean
and reported as √mean. Terms, gradients and units stand in `surefoot.learning.losses.regression` and
`surefoot.learning.losses.classification`; here is what they have in common, and their names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import ConfigurationError, nearest
from surefoot.learning.losses import classification, regression

Array = NDArray[np.floating[Any]]

_NAMES = (*regression.TERMS, *classification.NAMES)


@dataclass(frozen=True, slots=True)
class Loss:
    """One of the losses of `surefoot.learning.losses.regression` or ``.classification``.

    Parameters
    ----------
    name
        Its name.
    parameter
        Huber's δ, in the unit of the target; unused by the others.

    Raises
    ------
    ConfigurationError
        If the name is unknown or the parameter is not positive.
    """

    name: str
    parameter: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in _NAMES:
            raise ConfigurationError(f"loss {self.name!r} is unknown: {nearest(self.name, _NAMES)}")
        if not 0 < self.parameter < float("inf"):
            raise ConfigurationError(f"huber's delta = {self.parameter} must be a positive number")

    def __str__(self) -> str:
        if self.name != "huber":
            return self.name
        short = f"{self.parameter:g}"
        return f"huber({short if float(short) == self.parameter else repr(float(self.parameter))})"

    @property
    def code(self) -> int:
        """Number of the loss for compiled engines: its row in regression's table, from 0.

        Those of classification go on after it: cross_entropy 6, brier 7, error_rate 8.
        """
        return _NAMES.index(self.name)

    @property
    def classification(self) -> bool:
        """Whether it takes logits [n, classes] and class codes [n, 1]."""
        return self.name in classification.NAMES

    @property
    def trained(self) -> Loss:
        """The loss whose gradient training follows: itself, or cross-entropy for the error rate."""
        return Loss("cross_entropy") if self.name == "error_rate" else self

    @property
    def rooted(self) -> bool:
        """Whether the reported number is the square root of the mean."""
        return self.name in regression.ROOTED

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
        """Raise `DataError` if a target [n, outputs] is divided by and not positive, or no code."""
        family = classification if self.classification else regression
        family.check_target(self.name, target)

    def per_example(self, prediction: Array, target: Array) -> Array:
        """Return ℓ [n] for predictions and targets [n, outputs], averaged over the outputs."""
        if self.classification:
            return classification.per_example(self.name, prediction, target)
        return regression.per_example(self.name, self.parameter, prediction, target)

    def gradient(self, prediction: Array, target: Array) -> Array:
        """Return ∂ℓ/∂p [n, outputs] of `per_example`, of which training uses the batch mean."""
        if self.classification:
            return classification.gradient(self.name, prediction, target)
        return regression.gradient(self.name, self.parameter, prediction, target)

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
    ConfigurationError
        If the text names no loss.
    """
    match = re.fullmatch(r"\s*(\w+)\s*(?:\(\s*([^()\s]+)\s*\))?\s*", text)
    if match is None:
        raise ConfigurationError(f"loss {text!r} is unknown: write a name such as relative_rmse")
    name, parameter = match.groups()
    if parameter is None:
        return Loss(name)
    if name != "huber":
        raise ConfigurationError(f"loss {text!r}: only huber takes a parameter, as in huber(0.5)")
    try:
        return Loss(name, float(parameter))
    except ConfigurationError:
        raise
    except ValueError:
        raise ConfigurationError(f"loss {text!r}: {parameter!r} is not a number") from None
