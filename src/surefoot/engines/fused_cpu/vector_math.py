"""Transcendental functions of sixteen numbers at once.

In single precision: polynomials fitted to the functions (relative errors below 1e-7 before
rounding), without branches or calls. In double precision, which only gradient checks use: the C
library lane by lane.
"""

from __future__ import annotations

import math

from numba.core import types
from numba.extending import overload

from surefoot.engines.fused_cpu.inner import INNER
from surefoot.engines.fused_cpu.vectors import (
    absolute,
    erfc_each,
    exp_each,
    fma,
    like,
    maximum,
    minimum,
    nearest_integer,
    power_of_two,
    tanh_each,
    where_greater,
)

LN2_HIGH = 0.693359375
LN2_LOW = -2.12194440054690581e-4
LOG2_E = 1.0 / math.log(2.0)
LOWEST = -87.0
"""Below this exp is taken as exp(−87) = 1.6e-38, above 88 as exp(88): no overflow, no denormals."""


def exp(x):
    """Return eˣ for lanes in −87 … 88, the value at the nearer end beyond; NaN stays NaN."""
    raise NotImplementedError


def tanh(x):
    """Return tanh x."""
    raise NotImplementedError


def normal(x):
    """Return (Φ(x), φ(x)): the standard normal distribution function and density."""
    raise NotImplementedError


def _exp32(x):
    x = minimum(maximum(x, like(x, LOWEST)), like(x, 88.0))
    n = nearest_integer(x * like(x, LOG2_E))
    r = fma(n, like(x, -LN2_HIGH), x)
    r = fma(n, like(x, -LN2_LOW), r)
    q = fma(r, like(x, 0.0013950415604736914), like(x, 0.008368847532908803))
    q = fma(r, q, like(x, 0.04166620716031208))
    q = fma(r, q, like(x, 0.1666651922106248))
    q = fma(r, q, like(x, 0.5000000094683124))
    return fma(r * r, q, r + like(x, 1.0)) * power_of_two(n)


def _exp64(x):
    return exp_each(minimum(maximum(x, like(x, LOWEST)), like(x, 88.0)))


@overload(exp, jit_options=INNER)
def _overload_exp(x):
    return _exp32 if x.dtype == types.float32 else _exp64


def _tanh32(x):
    size = absolute(x)
    u = x * x
    q = fma(u, like(x, -0.005530297361793026), like(x, 0.020484910854773837))
    q = fma(u, q, like(x, -0.053693488498087506))
    q = fma(u, q, like(x, 0.13330906335221732))
    q = fma(u, q, like(x, -0.33333263132825675))
    small = fma(x * u, q, x)
    two = like(x, 2.0)
    large = like(x, 1.0) - two / (exp(two * size) + like(x, 1.0))
    large = where_greater(like(x, 0.0), x, like(x, 0.0) - large, large)
    return where_greater(size, like(x, 0.65), large, small)


def _tanh64(x):
    return tanh_each(x)


@overload(tanh, jit_options=INNER)
def _overload_tanh(x):
    return _tanh32 if x.dtype == types.float32 else _tanh64


def _normal32(x):
    size = absolute(x)
    power = exp(like(x, -0.5) * x * x)
    one = like(x, 1.0)
    t = one / fma(size, like(x, 0.35), one)
    q = fma(t, like(x, -0.02914844480843603), like(x, 0.1439829570124219))
    q = fma(t, q, like(x, -0.2557351920590503))
    q = fma(t, q, like(x, 0.1591950697900806))
    q = fma(t, q, like(x, -0.023121930483835942))
    q = fma(t, q, like(x, 0.10551206871937276))
    q = fma(t, q, like(x, 0.11983211954914623))
    q = fma(t, q, like(x, 0.1398619336083751))
    q = fma(t, q, like(x, 0.13962140281118973))
    tail = t * q * power
    below = where_greater(x, like(x, 0.0), one - tail, tail)
    return below, power * like(x, 1.0 / math.sqrt(2.0 * math.pi))


def _normal64(x):
    scaled = x * like(x, -math.sqrt(0.5))
    power = exp_each(like(x, -0.5) * x * x)
    return (
        like(x, 0.5) * erfc_each(scaled),
        power * like(x, 1.0 / math.sqrt(2.0 * math.pi)),
    )


@overload(normal, jit_options=INNER)
def _overload_normal(x):
    return _normal32 if x.dtype == types.float32 else _normal64
