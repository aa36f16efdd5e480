"""From a convolution's output to the next stage's input, and back: scale, activate, pool.

Max-pooling and activation swap: over a window, max f(z) = f(max z) for an activation that rises,
and max(f(max z), f(min z)) for one that falls and then rises. So one or two activations are
computed per window instead of one per cell, and only z is kept: on the way back the cell that won
is found again by comparison, the first one among equals as in torch.

``scale`` and ``shift`` apply batch normalisation (1 and 0 without). All functions treat one plane:
one channel of one tile.
"""

from __future__ import annotations

import numba as nb

from surefoot.engines.fused_cpu.activations import PRELU, activate, rises, slope_at
from surefoot.engines.fused_cpu.target import LANES
from surefoot.engines.fused_cpu.vectors import (
    fma,
    like,
    load,
    maximum,
    minimum,
    store,
    where_equal,
    where_greater,
)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def pool_plane(
    work, z_at, columns, out_at, rows_out, columns_out, kind, size, step, code, scale, shift, slope
):
    """Fill a pooled plane from a plane of convolution outputs."""
    for y in range(rows_out):
        for x in range(columns_out):
            corner = z_at + (y * step * columns + x * step) * LANES
            first = fma(load(work, corner), scale, shift)
            if kind == 2:
                result = activate(code, first, slope)
                for i in range(1, size * size):
                    at = corner + ((i // size) * columns + i % size) * LANES
                    z = fma(load(work, at), scale, shift)
                    result = result + activate(code, z, slope)
                result = result * like(result, 1.0 / (size * size))
            else:
                high, low = first, first
                if size == 2:
                    a = fma(load(work, corner + LANES), scale, shift)
                    b = fma(load(work, corner + columns * LANES), scale, shift)
                    c = fma(load(work, corner + (columns + 1) * LANES), scale, shift)
                    high = maximum(maximum(first, a), maximum(b, c))
                    low = minimum(minimum(first, a), minimum(b, c))
                else:
                    for i in range(1, size * size):
                        at = corner + ((i // size) * columns + i % size) * LANES
                        z = fma(load(work, at), scale, shift)
                        high, low = maximum(high, z), minimum(low, z)
                result = activate(code, high, slope)
                if size > 1 and not rises(code):
                    result = maximum(result, activate(code, low, slope))
            store(work, out_at + (y * columns_out + x) * LANES, result)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def winner(code, high, low, slope):
    """Return the input, high or low, whose activation is the largest of its window."""
    if rises(code):
        return high
    return where_greater(activate(code, low, slope), activate(code, high, slope), low, high)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def unpool_pairs(
    work, z_at, columns, g_at, rows_out, columns_out, code, slope, slope_gradient
):
    """Replace a plane by its gradient: 2×2 max-pooling of step 2 without batch normalisation.

    Returns ``slope_gradient`` plus PReLU's slope gradient, lane by lane.
    """
    for y in range(rows_out):
        for x in range(columns_out):
            at = z_at + (2 * y * columns + 2 * x) * LANES
            below = at + columns * LANES
            a, b = load(work, at), load(work, at + LANES)
            c, d = load(work, below), load(work, below + LANES)
            z = maximum(maximum(a, b), maximum(c, d))
            if not rises(code):
                z = winner(code, z, minimum(minimum(a, b), minimum(c, d)), slope)
            incoming = load(work, g_at + (y * columns_out + x) * LANES)
            zero = like(z, 0.0)
            if code == PRELU:
                slope_gradient = where_greater(
                    zero, z, fma(incoming, z, slope_gradient), slope_gradient
                )
            g = incoming * slope_at(code, z, slope)
            store(work, at, where_equal(a, z, g, zero))
            g = where_equal(a, z, zero, g)
            store(work, at + LANES, where_equal(b, z, g, zero))
            g = where_equal(b, z, zero, g)
            store(work, below, where_equal(c, z, g, zero))
            g = where_equal(c, z, zero, g)
            store(work, below + LANES, where_equal(d, z, g, zero))
    return slope_gradient


@nb.njit(cache=True, nogil=True, error_model="numpy")
def activate_gradient(work, z_at, cells, g_at, code, slope, slope_gradient):
    """Replace a plane by its gradient where nothing pools or normalises it."""
    for i in range(cells):
        z = load(work, z_at + i * LANES)
        incoming = load(work, g_at + i * LANES)
        if code == PRELU:
            slope_gradient = where_greater(
                like(z, 0.0), z, fma(incoming, z, slope_gradient), slope_gradient
            )
        store(work, z_at + i * LANES, incoming * slope_at(code, z, slope))
    return slope_gradient


@nb.njit(cache=True, nogil=True, error_model="numpy")
def unpool_plane(
    work, z_at, rows, columns, g_at, rows_out, columns_out, kind, size, step, code, scale, shift,
    slope, slope_gradient, out_at,
):  # fmt: skip
    """Fill a plane at ``out_at`` with the gradient at the activation's input, any pooling.

    Returns ``slope_gradient`` plus PReLU's slope gradient, lane by lane.
    """
    zero = like(scale, 0.0)
    for i in range(rows * columns):
        store(work, out_at + i * LANES, zero)
    share = like(scale, 1.0 / (size * size))
    for y in range(rows_out):
        for x in range(columns_out):
            corner = (y * step * columns + x * step) * LANES
            g = load(work, g_at + (y * columns_out + x) * LANES)
            if kind == 2:
                g = g * share
                for i in range(size * size):
                    at = corner + ((i // size) * columns + i % size) * LANES
                    z = fma(load(work, z_at + at), scale, shift)
                    if code == PRELU:
                        slope_gradient = where_greater(
                            zero, z, fma(g, z, slope_gradient), slope_gradient
                        )
                    store(
                        work, out_at + at,
                        fma(g, slope_at(code, z, slope), load(work, out_at + at)),
                    )  # fmt: skip
                continue
            high = fma(load(work, z_at + corner), scale, shift)
            low = high
            for i in range(1, size * size):
                at = z_at + corner + ((i // size) * columns + i % size) * LANES
                z = fma(load(work, at), scale, shift)
                high, low = maximum(high, z), minimum(low, z)
            if size > 1:
                high = winner(code, high, low, slope)
            if code == PRELU:
                slope_gradient = where_greater(
                    zero, high, fma(g, high, slope_gradient), slope_gradient
                )
            g = g * slope_at(code, high, slope)
            for i in range(size * size):
                at = corner + ((i // size) * columns + i % size) * LANES
                z = fma(load(work, z_at + at), scale, shift)
                store(work, out_at + at, load(work, out_at + at) + where_equal(z, high, g, zero))
                g = where_equal(z, high, zero, g)
    return slope_gradient
