"""The seven activations and their derivatives on sixteen numbers at once.

Codes are places in `ACTIVATIONS`: sigmoid, tanh, relu, leaky_relu,
prelu, elu, gelu; the next one is the identity of output layers. ``slope`` holds PReLU's learned
slope. NaN stays NaN, so explosions are seen.
"""

from __future__ import annotations

from surefoot.engines.fused_cpu.inner import inner
from surefoot.engines.fused_cpu.vector_math import exp, normal, tanh
from surefoot.engines.fused_cpu.vectors import like, where_greater

SIGMOID, TANH, RELU, LEAKY_RELU, PRELU, ELU, GELU, IDENTITY = range(8)
LEAKY_SLOPE = 0.01


@inner
def rises(code):
    """Return whether an activation never falls, so that the largest input gives the largest output.

    GELU and PReLU (whose slope may turn negative) fall and then rise: over a pooling window their
    largest output is at the largest or at the smallest input.
    """
    return code != GELU and code != PRELU


@inner
def activate(code, z, slope):
    """Return the activation of z."""
    zero = like(z, 0.0)
    if code == RELU:
        return where_greater(zero, z, zero, z)
    if code == PRELU:
        return where_greater(zero, z, slope * z, z)
    if code == LEAKY_RELU:
        return where_greater(zero, z, like(z, LEAKY_SLOPE) * z, z)
    if code == TANH:
        return tanh(z)
    if code == SIGMOID:
        one = like(z, 1.0)
        return one / (one + exp(zero - z))
    if code == ELU:
        return where_greater(zero, z, exp(z) - like(z, 1.0), z)
    if code == GELU:
        below, _ = normal(z)
        return z * below
    return z


@inner
def slope_at(code, z, slope):
    """Return the derivative of the activation at z, as torch takes it where there is a corner."""
    zero, one = like(z, 0.0), like(z, 1.0)
    if code == RELU:
        return where_greater(z, zero, one, zero)
    if code == PRELU:
        return where_greater(z, zero, one, slope)
    if code == LEAKY_RELU:
        return where_greater(z, zero, one, like(z, LEAKY_SLOPE))
    if code == TANH:
        y = tanh(z)
        return one - y * y
    if code == SIGMOID:
        y = one / (one + exp(zero - z))
        return y * (one - y)
    if code == ELU:
        return where_greater(z, zero, one, exp(z))
    if code == GELU:
        below, density = normal(z)
        return below + z * density
    return one
