"""One step of each of the seven optimisers over the whole parameter vector, and its average.

Formulas and constants: `learning.optimizers` and `learning.averaging`. All vectors have a multiple
of 16 numbers; those that no parameter uses stay 0.
"""

from __future__ import annotations

import numpy as np

from surefoot.engines.fused_cpu.inner import inner
from surefoot.engines.fused_cpu.target import LANES
from surefoot.engines.fused_cpu.vectors import fill, fma, load, sqrt, store, total
from surefoot.learning.optimizers import (
    ADADELTA_EPSILON,
    ADADELTA_RHO,
    ADAGRAD_EPSILON,
    BETA1,
    BETA2,
    EPSILON,
    NADAM_MOMENTUM_DECAY,
    RMSPROP_ALPHA,
)

TINY = float(np.finfo(np.float32).tiny)
SGD, ADAM, ADAMW, ADAGRAD, RMSPROP, ADADELTA, NADAM = range(7)


@inner
def momentum_at(step):
    """Return NAdam's μ of a step (1, 2, …)."""
    return BETA1 * (1.0 - 0.5 * 0.96 ** (step * NADAM_MOMENTUM_DECAY))


@inner
def momentum_product(steps):
    """Return NAdam's product μ₁ … μ_steps, multiplied in this order."""
    product = 1.0
    for step in range(1, steps + 1):
        product *= momentum_at(step)
    return product


@inner
def update(code, state, step, rate, decay, scale, pull, product_before):
    """Take step number ``step`` (from 1) and return NAdam's product μ₁ … μ_step.

    ``state`` is a `State`, whose gradient is multiplied by ``scale`` first; its average moves by
    ``pull`` of the way to the new parameters, and is left alone if that is 0. ``product_before``
    is the product up to the step before.
    """
    params, grads, first, second = state.params, state.grads, state.first, state.second
    averaged = state.averaged
    correction1 = 1.0 - BETA1**step
    correction2 = 1.0 - BETA2**step
    now, following = momentum_at(step), momentum_at(step + 1)
    product = product_before * now
    l2 = fill(params, 0.0 if code == ADAMW else decay)
    keep = fill(params, 1.0 - rate * decay)
    beta1, gain1 = fill(params, BETA1), fill(params, 1.0 - BETA1)
    beta2, gain2 = fill(params, BETA2), fill(params, 1.0 - BETA2)
    epsilon = fill(params, EPSILON)
    minus_rate = fill(params, -rate)
    one = fill(params, 1.0)
    factor, share = fill(params, scale), fill(params, pull)
    for at in range(0, params.size, LANES):
        p = load(params, at)
        g = fma(l2, p, factor * load(grads, at))
        if ADAM <= code <= ADAMW:
            if code == ADAMW:
                p = p * keep
            m = fma(beta1, load(first, at), gain1 * g)
            v = fma(beta2, load(second, at), gain2 * g * g)
            store(first, at, m)
            store(second, at, v)
            root = sqrt(v) / fill(params, np.sqrt(correction2)) + epsilon
            p = fma(fill(params, -rate / correction1), m / root, p)
        elif code == NADAM:
            m = fma(beta1, load(first, at), gain1 * g)
            v = fma(beta2, load(second, at), gain2 * g * g)
            store(first, at, m)
            store(second, at, v)
            root = one / (sqrt(v / fill(params, correction2)) + epsilon)
            p = fma(fill(params, -rate * (1.0 - now) / (1.0 - product)) * g, root, p)
            p = fma(fill(params, -rate * following / (1.0 - product * following)) * m, root, p)
        elif code == ADAGRAD:
            v = fma(g, g, load(first, at))
            store(first, at, v)
            p = fma(minus_rate, g / (sqrt(v) + fill(params, ADAGRAD_EPSILON)), p)
        elif code == RMSPROP:
            v = fma(
                fill(params, RMSPROP_ALPHA), load(first, at),
                fill(params, 1.0 - RMSPROP_ALPHA) * g * g,
            )  # fmt: skip
            store(first, at, v)
            p = fma(minus_rate, g / (sqrt(v) + epsilon), p)
        elif code == ADADELTA:
            rho, gain = fill(params, ADADELTA_RHO), fill(params, 1.0 - ADADELTA_RHO)
            small = fill(params, ADADELTA_EPSILON)
            v = fma(rho, load(first, at), gain * g * g)
            u = load(second, at)
            d = sqrt(u + small) / sqrt(v + small) * g
            store(first, at, v)
            store(second, at, fma(rho, u, gain * d * d))
            p = fma(minus_rate, d, p)
        else:
            p = fma(minus_rate, g, p)
        store(params, at, p)
        if pull > 0.0:
            a = load(averaged, at)
            store(averaged, at, fma(share, p - a, a))
    return product


@inner
def gradient_scale(grads, loss, rooted, clip):
    """Return the factor of a batch's gradient, which is that of its mean ``loss``.

    The root of the mean has 1/(2 √loss) of it, and none where the loss is below float32's smallest
    normal number; a norm above ``clip``, if that is not 0, is brought down to it, as torch does.
    """
    scale = 1.0
    if rooted:
        scale = 0.5 / np.sqrt(loss) if loss >= TINY else 0.0
    if clip > 0.0:
        squares = fill(grads, 0.0)
        for at in range(0, grads.size, LANES):
            g = load(grads, at)
            squares = fma(g, g, squares)
        scale *= min(1.0, clip / (scale * np.sqrt(np.float64(total(squares))) + 1e-6))
    return scale


@inner
def move(averaged, params, gain):
    """Move an average by ``gain`` of the way to the parameters; onto them if that is 1."""
    for i in range(params.size):
        change = params[i] - averaged[i]
        averaged[i] = params[i] if gain == 1.0 else averaged[i] + np.float32(gain) * change
