"""From a convolution's output to the next stage's input, and back: scale, activate, pool.

Max-pooling and activation swap: over a window, max f(z) = f(max z) for an activation that rises,
and max(f(max z), f(min z)) for one that falls and then rises. So one or two activations are
computed per window instead of one per cell, and only z is kept: on the way back the cell that won
is found again by comparison, the first one among equals as in torch.

``scale`` and ``shift`` apply batch normalisation (1 and 0 without). All functions treat one plane:
one channel of one tile.
"""

from __future__ import annotations

from surefoot.engines.fused_cpu.activations import PRELU, activate, rises, slope_at
from surefoot.engines.fused_cpu.inner import inner
from surefoot.engines.fused_cpu.target import LANES
from surefoot.engines.fused_cpu.vectors import (
    fill,
    fma,
    like,
    load,
    maximum,
    minimum,
    store,
    where_equal,
    where_greater,
)


@inner
def extremes(work, corner, columns, size):
    """Return the largest and the smallest number of a window, lane by lane."""
    first = load(work, corner)
    if size == 2:
        a, below = load(work, corner + LANES), corner + columns * LANES
        b, c = load(work, below), load(work, below + LANES)
        high = maximum(maximum(first, a), maximum(b, c))
        return high, minimum(minimum(first, a), minimum(b, c))
    high, low = first, first
    for y in range(size):
        for x in range(size):
            z = load(work, corner + (y * columns + x) * LANES)
            high, low = maximum(high, z), minimum(low, z)
    return high, low


@inner
def winner(code, high, low, scale, shift, slope):
    """Return the number, high or low, whose scaled activation is the largest of its window."""
    if rises(code):
        return where_greater(like(high, 0.0), scale, low, high)
    y_high, y_low = fma(high, scale, shift), fma(low, scale, shift)
    return where_greater(activate(code, y_low, slope), activate(code, y_high, slope), low, high)


@inner
def pool_plane(
    work, z_at, columns, out_at, rows_out, columns_out, kind, size, step, code, scale, shift, slope
):
    """Fill a pooled plane from a plane of convolution outputs."""
    for y in range(rows_out):
        for x in range(columns_out):
            corner = z_at + (y * step * columns + x * step) * LANES
            if kind == 2:
                result = like(scale, 0.0)
                for v in range(size):
                    for u in range(size):
                        z = load(work, corner + (v * columns + u) * LANES)
                        result = result + activate(code, fma(z, scale, shift), slope)
                result = result * like(result, 1.0 / (size * size))
            elif size == 1:
                result = activate(code, fma(load(work, corner), scale, shift), slope)
            else:
                high, low = extremes(work, corner, columns, size)
                if rises(code):
                    z = winner(code, high, low, scale, shift, slope)
                    result = activate(code, fma(z, scale, shift), slope)
                else:
                    result = maximum(
                        activate(code, fma(high, scale, shift), slope),
                        activate(code, fma(low, scale, shift), slope),
                    )
            store(work, out_at + (y * columns_out + x) * LANES, result)


@inner
def unpool_pairs(work, z_at, columns, g_at, rows_out, columns_out, code, slope, slope_gradient):
    """Replace a plane by its gradient: 2×2 max-pooling of step 2 without batch normalisation.

    Returns ``slope_gradient`` plus PReLU's slope gradient, lane by lane.
    """
    zero, one = like(slope, 0.0), like(slope, 1.0)
    for y in range(rows_out):
        for x in range(columns_out):
            at = z_at + (2 * y * columns + 2 * x) * LANES
            below = at + columns * LANES
            a, b = load(work, at), load(work, at + LANES)
            c, d = load(work, below), load(work, below + LANES)
            z = maximum(maximum(a, b), maximum(c, d))
            if not rises(code):
                low = minimum(minimum(a, b), minimum(c, d))
                z = winner(code, z, low, one, zero, slope)
            incoming = load(work, g_at + (y * columns_out + x) * LANES)
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


@inner
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


@inner
def rectify(work, z_at, out_at, units):
    """Fill consecutive units' outputs with the positive part of z: ReLU without pooling or norm."""
    one, zero = fill(work, 1), fill(work, 0)
    for u in range(units):
        z = fma(load(work, z_at + u * LANES), one, zero)
        store(work, out_at + u * LANES, where_greater(zero, z, zero, z))


@inner
def rectify_gradient(work, z_at, g_at, units):
    """Replace z of consecutive units by its gradient."""
    one, zero = fill(work, 1), fill(work, 0)
    for u in range(units):
        slope = where_greater(load(work, z_at + u * LANES), zero, one, zero)
        store(work, z_at + u * LANES, load(work, g_at + u * LANES) * slope)


@inner
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
                for v in range(size):
                    for u in range(size):
                        at = corner + (v * columns + u) * LANES
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
            high, low = extremes(work, z_at + corner, columns, size)
            won = winner(code, high, low, scale, shift, slope)
            z = fma(won, scale, shift)
            if code == PRELU:
                slope_gradient = where_greater(zero, z, fma(g, z, slope_gradient), slope_gradient)
            g = g * slope_at(code, z, slope)
            for v in range(size):
                for u in range(size):
                    at = corner + (v * columns + u) * LANES
                    z = load(work, z_at + at)
                    store(
                        work, out_at + at,
                        load(work, out_at + at) + where_equal(z, won, g, zero),
                    )  # fmt: skip
                    g = where_equal(z, won, zero, g)
    return slope_gradient


@inner
def find_winners(
    work, z_at, columns, g_at, won_at, rows_out, columns_out, size, code, scale, shift, slope,
    centre, sums,
):  # fmt: skip
    """First half of the way back through batch normalisation where windows do not overlap.

    Writes each window's winning z at ``won_at`` and, in place, its gradient at the activation's
    input at ``g_at``. ``sums`` holds Σ g, Σ g·(z − centre) and PReLU's slope gradient, lane by
    lane; they are returned with this plane's added.
    """
    sum_g, sum_gz, slope_gradient = sums
    zero = like(scale, 0.0)
    for y in range(rows_out):
        for x in range(columns_out):
            at = (y * columns_out + x) * LANES
            corner = z_at + (y * columns + x) * size * LANES
            if size == 1:
                won = load(work, corner)
            else:
                high, low = extremes(work, corner, columns, size)
                won = winner(code, high, low, scale, shift, slope)
            z = fma(won, scale, shift)
            g = load(work, g_at + at)
            if code == PRELU:
                slope_gradient = where_greater(zero, z, fma(g, z, slope_gradient), slope_gradient)
            g = g * slope_at(code, z, slope)
            store(work, g_at + at, g)
            store(work, won_at + at, won)
            sum_g = sum_g + g
            sum_gz = fma(g, won - centre, sum_gz)
    return sum_g, sum_gz, slope_gradient


@inner
def spread_gradient(
    work, z_at, rows, columns, g_at, won_at, rows_out, columns_out, size, gain, factor, offset
):
    """Second half: replace z by gain·g (where it won) + factor·z + offset, lane by lane."""
    zero = like(gain, 0.0)
    for y in range(rows_out):
        for x in range(columns_out):
            at = (y * columns_out + x) * LANES
            corner = z_at + (y * columns + x) * size * LANES
            g, won = load(work, g_at + at) * gain, load(work, won_at + at)
            for v in range(size):
                for u in range(size):
                    cell = corner + (v * columns + u) * LANES
                    z = load(work, cell)
                    store(work, cell, fma(z, factor, offset) + where_equal(z, won, g, zero))
                    g = where_equal(z, won, zero, g)
    for y in range(rows):
        start = columns_out * size if y < rows_out * size else 0
        for x in range(start, columns):
            cell = z_at + (y * columns + x) * LANES
            store(work, cell, fma(load(work, cell), factor, offset))
