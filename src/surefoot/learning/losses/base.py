r"""Losses (paper §3.2): what an instance is trained on and what its test loss means.

A loss is a mean over examples of a per-example term ℓ(p, y), followed by ``finish``, which turns
that mean into the reported number: for the relative RMSE, ℓ = ((p − y)/y)² is reported as √mean.
Of such a loss either is trained: ``square``, the batch's mean, or ``root``, its root (the paper's),
whose gradient is that of the mean divided by 2 √mean, and 0 where the mean is below the smallest
normal number of single precision, 1.2e-38; the latter is written ``relative_rmse(root)``. Terms and
gradients stand in `surefoot.learning.losses.regression` and `.classification`; here is what they
have in common, and their names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import ConfigurationError, nearest
from surefoot.learning.losses import classification, regression
from surefoot.learning.notation import read_call, read_number

Array = NDArray[np.floating[Any]]

Objective = Literal["root", "square"]
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
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
    objective
        Of a loss that reports the root of a mean: ``square`` (the default) to train the mean of a
        batch, ``root`` to train its root. Others train their mean and have None.

    Raises
    ------
    ConfigurationError
        If the name or objective is unknown, or the parameter is not positive.
    """

    name: str
    parameter: float = 1.0
    objective: Objective | None = None

    def __post_init__(self) -> None:
        if self.name not in _NAMES:
            raise ConfigurationError(f"loss {self.name!r} is unknown: {nearest(self.name, _NAMES)}")
        if not 0 < self.parameter < float("inf"):
            raise ConfigurationError(f"huber's delta = {self.parameter} must be a positive number")
        if self.objective not in (None, *OBJECTIVES):
            hint = nearest(str(self.objective), OBJECTIVES)
            raise ConfigurationError(f"objective {self.objective!r} is unknown: {hint}")
        if self.rooted:
            object.__setattr__(self, "objective", self.objective or "square")
        elif self.objective is not None:
            raise ConfigurationError(
                f"the loss {self.name} reports no root, so it has no objective "
                f"{self.objective!r}: leave it out, or use one of {', '.join(regression.ROOTED)}"
            )

    def __str__(self) -> str:
        if self.name != "huber":
            return f"{self.name}(root)" if self.objective == "root" else self.name
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

    def with_objective(self, objective: Objective | None) -> Loss:
        """Return this loss with another objective, if it has one."""
        return replace(self, objective=objective) if self.rooted else self

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
    """Return the loss that a text names: ``rmse``, ``rmse(root)``, ``huber(0.5)``, …

    >>> str(parse_loss("huber(0.5)")), parse_loss("rmse(root)").objective
    ('huber(0.5)', 'root')

    Raises
    ------
    ConfigurationError
        If the text names no loss.
    """
    known = dict.fromkeys(_NAMES, ()) | dict.fromkeys((*regression.ROOTED, "huber"), ("",))
    name, given = read_call("loss", text, known)
    if not given:
        return Loss(name)
    if name != "huber":
        return Loss(name, objective=given[0])  # type: ignore[arg-type]
    return Loss(name, read_number(f"loss {text!r}", given[0]))
