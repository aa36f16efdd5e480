r"""Per-example terms of the regression losses, averaged over the outputs (paper §3.2).

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
energies exactly alike; ``relative_rmse`` is the paper's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.errors import DataError

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


def per_example(name: str, delta: float, prediction: Array, target: Array) -> Array:
    """Return ℓ [n] for predictions and targets [n, outputs]."""
    mean: Array = TERMS[name][0](prediction - target, target, delta).mean(axis=-1)
    return mean


def gradient(name: str, delta: float, prediction: Array, target: Array) -> Array:
    """Return ∂ℓ/∂p [n, outputs]."""
    slope: Array = TERMS[name][1](prediction - target, target, delta) / prediction.shape[-1]
    return slope


def check_target(name: str, target: Array) -> None:
    """Raise `DataError` if the loss divides by a target [n, outputs] that is not positive."""
    bad = np.flatnonzero(~(target > 0).all(axis=-1))
    if bad.size and name in ("relative_rmse", "stochastic_rmse"):
        raise DataError(
            f"target {target[bad[0]].min():g} of example {bad[0]} cannot be used with the loss "
            f"{name}, which divides by it: targets must be positive"
        )
