r"""Per-example terms of the classification losses, on logits.

A prediction is a row of logits z [classes]; p = softmax(z) are its probabilities, so a model that
gives probabilities gives log p. A target is a class code y = 0 … classes − 1, kept as [n, 1]; e is
its unit vector.

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

from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import DataError

Array = NDArray[np.floating[Any]]

NAMES = ("cross_entropy", "brier", "error_rate")
LOWEST_PROBABILITY = float(np.finfo(np.float32).eps)
"""Where `logits_of` clips probabilities, so that a certain but wrong model has a finite loss."""


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


def per_example(name: str, prediction: Array, target: Array) -> Array:
    """Return ℓ [n] for logits [n, classes] and class codes [n, 1]."""
    codes, rows = _codes(target), np.arange(len(prediction))
    if name == "error_rate":
        wrong: Array = (prediction.argmax(axis=-1) != codes).astype(prediction.dtype)
        wrong[~np.isfinite(prediction).all(axis=-1)] = np.nan
        return wrong
    log_p = log_softmax(prediction)
    if name == "cross_entropy":
        chosen: Array = -log_p[rows, codes]
        return chosen
    difference = np.exp(log_p)
    difference[rows, codes] -= 1
    squared: Array = (difference**2).sum(axis=-1)
    return squared


def gradient(name: str, prediction: Array, target: Array) -> Array:
    """Return ∂ℓ/∂z [n, classes]; the error rate has none and is trained through cross-entropy."""
    p = np.exp(log_softmax(prediction))
    difference = p.copy()
    difference[np.arange(len(p)), _codes(target)] -= 1
    if name != "brier":
        return difference
    slope: Array = 2 * p * (difference - (p * difference).sum(axis=-1, keepdims=True))
    return slope


def check_target(name: str, target: Array) -> None:
    """Raise `DataError` unless a target [n, outputs] is one column of class codes 0, 1, 2, …"""
    if target.shape[-1] != 1:
        raise DataError(
            f"the loss {name} needs one column of class codes, not {target.shape[-1]} columns"
        )
    bad = np.flatnonzero((target[:, 0] < 0) | (target[:, 0] != np.floor(target[:, 0])))
    if bad.size:
        raise DataError(
            f"target {target[bad[0], 0]:g} of example {bad[0]} is not a class code, which the "
            f"loss {name} needs: give the population classes=True, or use a loss of regression"
        )


def _codes(target: Array) -> NDArray[np.int64]:
    return target[:, 0].astype(np.int64)
