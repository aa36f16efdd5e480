r"""Losses (paper §3.2): what an instance is trained on and what its test loss means.

A loss is a mean over examples of a per-example term ℓ, turned into the reported number.

Of regression, averaged over the outputs; p is a prediction, y a target:

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
energies exactly alike; ``relative_rmse`` is the paper's. Of a loss that reports the root of a mean
either is trained: ``square``, the batch's mean, or ``root``, its root (the paper's), whose gradient
is that of the mean divided by 2 √mean, and 0 where the mean is below the smallest normal number of
single precision, 1.2e-38; the latter is written ``relative_rmse(root)``.

Of classification, on a row of logits z [classes]; p = softmax(z) are its probabilities, so a model
that gives probabilities gives log p. A target is a class code y = 0 … classes − 1, kept as [n, 1];
e is its unit vector:

=============  ======================  ===================================  ======================
name           ℓ(z, y)                 ∂ℓ/∂z                                reported
=============  ======================  ===================================  ======================
cross_entropy  −log p_y                p − e                                mean, nats
brier          Σₖ (pₖ − eₖ)²           2 p ⊙ ((p − e) − Σₖ pₖ (pₖ − eₖ))    mean, 0 … 2
error_rate     1 if argmax z ≠ y       that of cross_entropy                mean, share of examples
=============  ======================  ===================================  ======================

Brier's is the original score over all classes (Brier, Monthly Weather Review 78, 1950). Among
equal logits argmax takes the first class, as numpy does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from surefoot import checks
from surefoot.errors import ConfigurationError, DataError
from surefoot.learning.notation import read_call, read_number

Array = NDArray[np.floating[Any]]
Term = Callable[[Any, Any, float], Any]

TERMS: dict[str, tuple[Term, Term]] = {
    "relative_rmse": (lambda r, y, delta: (r / y) ** 2, lambda r, y, delta: 2 * r / y**2),
    "stochastic_rmse": (lambda r, y, delta: r**2 / y, lambda r, y, delta: 2 * r / y),
    "rmse": (lambda r, y, delta: r**2, lambda r, y, delta: 2 * r),
    "mse": (lambda r, y, delta: r**2, lambda r, y, delta: 2 * r),
    "mae": (lambda r, y, delta: abs(r), lambda r, y, delta: np.sign(r)),
    "huber": (
        lambda r, y, delta: abs(r).clip(max=delta) * (abs(r) - 0.5 * abs(r).clip(max=delta)),
        lambda r, y, delta: r.clip(-delta, delta),
    ),
}
"""ℓ and ∂ℓ/∂p by name, of residuals p − y, targets y and Huber's δ; ℓ takes torch's tensors too."""

ROOTED = ("relative_rmse", "stochastic_rmse", "rmse")
"""Those reported as the square root of the mean."""
_CLASSIFICATION = ("cross_entropy", "brier", "error_rate")
LOSSES = {
    "relative_rmse": "√⟨((p − y)/y)²⟩, of regression; targets must be positive.",
    "stochastic_rmse": "√⟨(p − y)²/y⟩, of regression; targets must be positive.",
    "rmse": "√⟨(p − y)²⟩, of regression.",
    "mse": "⟨(p − y)²⟩, of regression.",
    "mae": "⟨|p − y|⟩, of regression.",
    "huber": "⟨½r²⟩ up to |r| = δ, δ(|r| − ½δ) beyond, of regression; huber(0.5) has δ = 0.5.",
    "cross_entropy": "⟨−log p_y⟩, of classification, in nats.",
    "brier": "⟨Σ (p_k − e_k)²⟩ over all classes, of classification.",
    "error_rate": "Share of wrong classes, of classification; cross_entropy is trained.",
}
"""The names of all losses, and what each is in words; p is a prediction, y a target."""
_NAMES = tuple(LOSSES)

Objective = Literal["root", "square"]
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)

LOWEST_PROBABILITY = float(np.finfo(np.float32).eps)
"""Where `logits_of` clips probabilities, so that a certain but wrong model has a finite loss."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One of the losses of the module.

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
        checks.known("loss", self.name, _NAMES)
        delta, positive = self.parameter, "be a positive number"
        checks.must(positive, lambda number: 0 < number < np.inf, of="huber's", delta=delta)
        if self.objective is not None:
            checks.known("objective", self.objective, OBJECTIVES)
        if self.rooted:
            object.__setattr__(self, "objective", self.objective or "square")
        elif self.objective is not None:
            raise ConfigurationError(
                f"the loss {self.name} reports no root, so it has no objective "
                f"{self.objective!r}: leave it out, or use one of {', '.join(ROOTED)}"
            )

    def __str__(self) -> str:
        if self.name != "huber":
            return f"{self.name}(root)" if self.objective == "root" else self.name
        short = f"{self.parameter:g}"
        return f"huber({short if float(short) == self.parameter else repr(float(self.parameter))})"

    @property
    def code(self) -> int:
        """Number of the loss for compiled engines: its row in the module's tables, from 0.

        Those of classification go on: cross_entropy 6, brier 7, error_rate 8.
        """
        return _NAMES.index(self.name)

    @property
    def classification(self) -> bool:
        """Whether it takes logits [n, classes] and class codes [n, 1]."""
        return self.name in _CLASSIFICATION

    @property
    def trained(self) -> Loss:
        """The loss whose gradient training follows: itself, or cross-entropy for the error rate."""
        return Loss("cross_entropy") if self.name == "error_rate" else self

    @property
    def rooted(self) -> bool:
        """Whether the reported number is the square root of the mean."""
        return self.name in ROOTED

    @property
    def power(self) -> float:
        """Power of the target's unit in what is trained: 2 of a mean square, 1 of its root."""
        power = {"stochastic_rmse": 1.0, "mae": 1.0, "rmse": 2.0, "mse": 2.0, "huber": 2.0}
        return power.get(self.name, 0.0) / (2.0 if self.objective == "root" else 1.0)

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
        if self.classification:
            if target.shape[-1] != 1:
                columns = f"not {target.shape[-1]} columns"
                raise DataError(f"the loss {self.name} needs one column of class codes, {columns}")
            bad = np.flatnonzero((target[:, 0] < 0) | (target[:, 0] != np.floor(target[:, 0])))
            wrong = f"is not a class code, which the loss {self.name} needs"
            right = "give the population classes=True, or use a loss of regression"
        else:
            divides = self.name in ("relative_rmse", "stochastic_rmse")
            bad = np.flatnonzero(~(target > 0).all(axis=-1) & divides)
            wrong = f"cannot be used with the loss {self.name}, which divides by it"
            right = "targets must be positive"
        if bad.size:
            worst = target[bad[0]].min()
            raise DataError(f"target {worst:g} of example {bad[0]} {wrong}: {right}")

    def per_example(self, prediction: Array, target: Array) -> Array:
        """Return ℓ [n] for predictions and targets [n, outputs], averaged over the outputs."""
        if not self.classification:
            term = TERMS[self.name][0]
            mean: Array = term(prediction - target, target, self.parameter).mean(axis=-1)
            return mean
        codes, rows = _codes(target), np.arange(len(prediction))
        if self.name == "error_rate":
            wrong: Array = (prediction.argmax(axis=-1) != codes).astype(prediction.dtype)
            wrong[~np.isfinite(prediction).all(axis=-1)] = np.nan
            return wrong
        log_p = log_softmax(prediction)
        if self.name == "cross_entropy":
            chosen: Array = -log_p[rows, codes]
            return chosen
        difference = np.exp(log_p)
        difference[rows, codes] -= 1
        squared: Array = (difference**2).sum(axis=-1)
        return squared

    def gradient(self, prediction: Array, target: Array) -> Array:
        """Return ∂ℓ/∂p [n, outputs] of `per_example`, of which training uses the batch mean.

        The error rate has none and is trained through cross-entropy.
        """
        if not self.classification:
            term = TERMS[self.name][1]
            slope: Array = term(prediction - target, target, self.parameter) / prediction.shape[-1]
            return slope
        p = np.exp(log_softmax(prediction))
        difference = p.copy()
        difference[np.arange(len(p)), _codes(target)] -= 1
        if self.name == "brier":
            difference = 2 * p * (difference - (p * difference).sum(axis=-1, keepdims=True))
        return difference

    def finish(self, mean: float) -> float:
        """Turn a mean of per-example terms into the reported number."""
        return float(np.sqrt(mean)) if self.rooted else float(mean)

    def value(
        self, prediction: Array, target: Array, weights: NDArray[np.float64] | None = None
    ) -> float:
        """Return the reported loss of predictions and targets [n, outputs], summed in float64.

        With ``weights`` [n] the mean is a weighted one.
        NaN or infinite when a prediction is; the caller records such an instance as diverged.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            terms = self.per_example(prediction.astype(np.float64), target.astype(np.float64))
            mean = terms.mean() if weights is None else np.average(terms, weights=weights)
            return self.finish(float(mean))


def parse_loss(text: str) -> Loss:
    """Return the loss that a text names: ``rmse``, ``rmse(root)``, ``huber(0.5)``, …

    >>> str(parse_loss("huber(0.5)")), parse_loss("rmse(root)").objective
    ('huber(0.5)', 'root')

    Raises `ConfigurationError` if the text names no loss.
    """
    known = dict.fromkeys(_NAMES, ()) | dict.fromkeys((*ROOTED, "huber"), ("",))
    name, given = read_call("loss", text, known)
    if not given:
        return Loss(name)
    if name == "huber":
        return Loss(name, read_number(f"loss {text!r}", given[0]))
    checks.known("objective", given[0], OBJECTIVES)
    return Loss(name, objective=next(one for one in OBJECTIVES if one == given[0]))


def log_softmax(logits: Array) -> Array:
    """Return log p [n, classes], shifted by the largest logit so that nothing overflows."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return result


def logits_of(probabilities: Array) -> NDArray[np.float32]:
    """Return logits [n, classes] whose softmax is ``probabilities``, clipped away from 0.

    A probability below float32's ε becomes ε, as in scikit-learn's ``log_loss``; NaN stays NaN.
    """
    return np.log(np.maximum(probabilities, LOWEST_PROBABILITY)).astype(np.float32)


def _codes(target: Array) -> NDArray[np.int64]:
    return target[:, 0].astype(np.int64)
