"""Per-example losses and gradients in double precision; codes are `Loss.code`."""

from __future__ import annotations

import numpy as np

from surefoot.engines.fused_cpu.inner import inner

RELATIVE_RMSE, STOCHASTIC_RMSE, RMSE, MSE, MAE, HUBER, CROSS_ENTROPY, BRIER, ERROR_RATE = range(9)


@inner
def example_loss(code, parameter, prediction, target, slope):
    """Return ℓ of one example and fill ``slope`` [outputs] with its gradient.

    ``prediction`` [outputs] is double precision, ``target`` a row of the population's.
    """
    outputs = prediction.size
    if code >= CROSS_ENTROPY:
        return _class_loss(code, prediction, target[0], slope)
    mean = 0.0
    for o in range(outputs):
        y = np.float64(target[o])
        r = prediction[o] - y
        if code == RELATIVE_RMSE:
            term, s = (r / y) ** 2, 2.0 * r / (y * y)
        elif code == STOCHASTIC_RMSE:
            term, s = r * r / y, 2.0 * r / y
        elif code == MAE:
            term, s = abs(r), np.sign(r)
        elif code == HUBER:
            size = abs(r)
            if size <= parameter:
                term, s = 0.5 * r * r, r
            else:
                term, s = parameter * (size - 0.5 * parameter), parameter * np.sign(r)
        else:
            term, s = r * r, 2.0 * r
        mean += term
        slope[o] = s / outputs
    return mean / outputs


@inner
def _class_loss(code, logits, target, slope):
    """Return ℓ of logits and a class code; ``slope`` is cross-entropy's for the error rate."""
    classes = logits.size
    chosen = int(target)
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
