"""Per-example losses and gradients in double precision; codes are `Loss.code`.

Handing arrays on from one function to the next takes longer than a loss of regression, so that
these get numbers.
"""

from __future__ import annotations

import numpy as np

from surefoot.engines.fused_cpu.inner import inner

RELATIVE_RMSE, STOCHASTIC_RMSE, RMSE, MSE, MAE, HUBER, CROSS_ENTROPY, BRIER, ERROR_RATE = range(9)


@inner
def output_loss(code, parameter, prediction, y):
    """Return one output's ℓ of a prediction and a target y, and ∂ℓ/∂prediction, of regression."""
    r = prediction - y
    if code == RELATIVE_RMSE:
        return (r / y) ** 2, 2.0 * r / (y * y)
    if code == STOCHASTIC_RMSE:
        return r * r / y, 2.0 * r / y
    if code == MAE:
        return abs(r), np.sign(r)
    if code == HUBER:
        size = abs(r)
        if size <= parameter:
            return 0.5 * r * r, r
        return parameter * (size - 0.5 * parameter), parameter * np.sign(r)
    return r * r, 2.0 * r


@inner
def class_loss(code, logits, target, slope):
    """Return ℓ of one example's logits and its class code, and fill ``slope`` with the gradient.

    That of the error rate is cross-entropy's.
    """
    classes = logits.size
    chosen = np.int64(target)
    best = 0
    finite = True
    for k in range(classes):
        finite = finite and np.isfinite(logits[k])
        if logits[k] > logits[best]:
            best = k
    if not finite:
        slope[:] = np.nan
        return np.nan
    norm = 0.0
    for k in range(classes):
        slope[k] = np.exp(logits[k] - logits[best])
        norm += slope[k]
    squares, weighted = 0.0, 0.0
    for k in range(classes):
        p = slope[k] / norm
        d = p - (1.0 if k == chosen else 0.0)
        squares += d * d
        weighted += p * d
        slope[k] = p if code == BRIER else d
    if code == BRIER:
        for k in range(classes):
            d = slope[k] - (1.0 if k == chosen else 0.0)
            slope[k] = 2.0 * slope[k] * (d - weighted)
        return squares
    if code == ERROR_RATE:
        return 0.0 if best == chosen else 1.0
    return np.log(norm) - (logits[chosen] - logits[best])
