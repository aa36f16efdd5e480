"""3×3 convolutions with 2.25 times fewer products: Winograd's F(2×2, 3×3).

A tile of 2×2 outputs reads 4×4 inputs d. With g a 3×3 kernel, element by element in ⊙::

    Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A

so that the convolution becomes 16 matrix products, one for each of the 4×4 *frequencies*, over
channels and tiles, with 16 products a tile where the definition has 36. On the way back the
transposed maps carry gradients: gM = A gY Aᵀ, gd = B gV Bᵀ, gg = Gᵀ gU G. Everything is exact in
real numbers; in single precision the transforms' few additions cost about one more rounding.

Source: Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016, §4.1.
"""

from __future__ import annotations

import numba as nb

from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.target import LANES
from surefoot.engines.fused_cpu.vectors import broadcast, fill, like, load, store

CHANNELS = int(Field.CHANNELS)
ROWS = int(Field.ROWS)
COLUMNS = int(Field.COLUMNS)
BIAS = int(Field.BIAS)
INPUTS = int(Field.INPUTS)
IN = int(Field.IN)
IN_TILE = int(Field.IN_TILE)
IN_CHANNEL = int(Field.IN_CHANNEL)
IN_ROW = int(Field.IN_ROW)
IN_ROWS = int(Field.IN_ROWS)
IN_COLUMNS = int(Field.IN_COLUMNS)
BEFORE = int(Field.BEFORE)
Z = int(Field.Z)
Z_TILE = int(Field.Z_TILE)
Z_CHANNEL = int(Field.Z_CHANNEL)
PATCH_ROWS = int(Field.PATCH_ROWS)
PATCH_COLUMNS = int(Field.PATCH_COLUMNS)
SPAN = int(Field.SPAN)
V = int(Field.V)
V_STEP = int(Field.V_STEP)
M = int(Field.M)
M_STEP = int(Field.M_STEP)
U = int(Field.U)
U_GRADIENT = int(Field.U_GRADIENT)
U_STEP = int(Field.U_STEP)
KERNELS = int(Field.KERNELS)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _in(a, b, c, d):
    return a - c, b + c, c - b, b - d


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _in_back(a, b, c, d):
    return a, b - c + d, b + c - a, like(a, 0.0) - d


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _out(a, b, c, d):
    return a + b + c, b - c - d


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _out_back(a, b):
    return a, a + b, a - b, like(a, 0.0) - b


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _kernel(a, b, c):
    half = like(a, 0.5)
    return a, (a + b + c) * half, (a - b + c) * half, c


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _kernel_back(a, b, c, d):
    half = like(a, 0.5)
    return a + (b + c) * half, (b - c) * half, (b + c) * half + d


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _store_row(work, at, step, row):
    store(work, at, row[0])
    store(work, at + step, row[1])
    store(work, at + 2 * step, row[2])
    store(work, at + 3 * step, row[3])


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _column(work, at, step):
    """Return four vectors, ``step`` apart."""
    return (
        load(work, at), load(work, at + step), load(work, at + 2 * step), load(work, at + 3 * step),
    )  # fmt: skip


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _cell(work, at, row, y, x, rows, columns):
    """Return the cell of the map at ``at``, 0 outside; ``row`` is the length of a row."""
    if 0 <= y < rows and 0 <= x < columns:
        return load(work, at + y * row + x * LANES)
    return fill(work, 0)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _cells(work, at, row, y, x, rows, columns):
    """Return four cells of a column, 0 outside the map."""
    return (
        _cell(work, at, row, y, x, rows, columns),
        _cell(work, at, row, y + 1, x, rows, columns),
        _cell(work, at, row, y + 2, x, rows, columns),
        _cell(work, at, row, y + 3, x, rows, columns),
    )


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _place(stage, q):
    """Return (tile, row, column) of the first output of patch q, counted over tiles."""
    patches = stage[PATCH_ROWS] * stage[PATCH_COLUMNS]
    tile, rest = q // patches, q % patches
    return tile, 2 * (rest // stage[PATCH_COLUMNS]), 2 * (rest % stage[PATCH_COLUMNS])


@nb.njit(cache=True, nogil=True, error_model="numpy")
def transform_kernels(stage, params, work):
    """Fill U [16][block][input][8] from the stage's weights."""
    inputs, step = stage[INPUTS], stage[U_STEP]
    tap = inputs * 8
    for block in range((stage[CHANNELS] + 7) // 8):
        for i in range(0, tap, LANES):
            at = stage[KERNELS] + block * 9 * tap + i
            a = _kernel(load(params, at), load(params, at + 3 * tap), load(params, at + 6 * tap))
            at += tap
            b = _kernel(load(params, at), load(params, at + 3 * tap), load(params, at + 6 * tap))
            at += tap
            c = _kernel(load(params, at), load(params, at + 3 * tap), load(params, at + 6 * tap))
            out = stage[U] + block * tap + i
            _store_row(work, out, step, _kernel(a[0], b[0], c[0]))
            _store_row(work, out + 4 * step, step, _kernel(a[1], b[1], c[1]))
            _store_row(work, out + 8 * step, step, _kernel(a[2], b[2], c[2]))
            _store_row(work, out + 12 * step, step, _kernel(a[3], b[3], c[3]))


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _add_to(array, at, value):
    store(array, at, load(array, at) + value)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def add_kernel_gradient(stage, grads, work):
    """Add Gᵀ gU G to the gradient of the stage's weights."""
    inputs, step = stage[INPUTS], stage[U_STEP]
    tap = inputs * 8
    for block in range((stage[CHANNELS] + 7) // 8):
        for i in range(0, tap, LANES):
            at = stage[U_GRADIENT] + block * tap + i
            a, b = _column(work, at, 4 * step), _column(work, at + step, 4 * step)
            at += 2 * step
            c, d = _column(work, at, 4 * step), _column(work, at + step, 4 * step)
            a, b = _kernel_back(a[0], a[1], a[2], a[3]), _kernel_back(b[0], b[1], b[2], b[3])
            c, d = _kernel_back(c[0], c[1], c[2], c[3]), _kernel_back(d[0], d[1], d[2], d[3])
            out = stage[KERNELS] + block * 9 * tap + i
            row = _kernel_back(a[0], b[0], c[0], d[0])
            _add_to(grads, out, row[0])
            _add_to(grads, out + tap, row[1])
            _add_to(grads, out + 2 * tap, row[2])
            row = _kernel_back(a[1], b[1], c[1], d[1])
            _add_to(grads, out + 3 * tap, row[0])
            _add_to(grads, out + 4 * tap, row[1])
            _add_to(grads, out + 5 * tap, row[2])
            row = _kernel_back(a[2], b[2], c[2], d[2])
            _add_to(grads, out + 6 * tap, row[0])
            _add_to(grads, out + 7 * tap, row[1])
            _add_to(grads, out + 8 * tap, row[2])


@nb.njit(cache=True, nogil=True, error_model="numpy")
def transform_inputs(stage, work, first, last):
    """Fill V [16][input][patch] for patches ``first`` … ``last`` − 1."""
    step, row = stage[V_STEP], stage[IN_ROW]
    rows, columns = stage[IN_ROWS], stage[IN_COLUMNS]
    for q in range(first, last):
        tile, y, x = _place(stage, q)
        y -= stage[BEFORE]
        x -= stage[BEFORE]
        whole = y >= 0 and x >= 0 and y + 4 <= rows and x + 4 <= columns
        for i in range(stage[INPUTS]):
            plane = stage[IN] + tile * stage[IN_TILE] + i * stage[IN_CHANNEL]
            if whole:
                at = plane + y * row + x * LANES
                a, b = _column(work, at, row), _column(work, at + LANES, row)
                at += 2 * LANES
                c, d = _column(work, at, row), _column(work, at + LANES, row)
            else:
                a = _cells(work, plane, row, y, x, rows, columns)
                b = _cells(work, plane, row, y, x + 1, rows, columns)
                c = _cells(work, plane, row, y, x + 2, rows, columns)
                d = _cells(work, plane, row, y, x + 3, rows, columns)
            a, b = _in(a[0], a[1], a[2], a[3]), _in(b[0], b[1], b[2], b[3])
            c, d = _in(c[0], c[1], c[2], c[3]), _in(d[0], d[1], d[2], d[3])
            out = stage[V] + i * stage[SPAN] + (q - first) * LANES
            _store_row(work, out, step, _in(a[0], b[0], c[0], d[0]))
            _store_row(work, out + 4 * step, step, _in(a[1], b[1], c[1], d[1]))
            _store_row(work, out + 8 * step, step, _in(a[2], b[2], c[2], d[2]))
            _store_row(work, out + 12 * step, step, _in(a[3], b[3], c[3], d[3]))


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _columns_of(work, at, step):
    """Return the four columns of 4×4 frequencies."""
    a, b = _column(work, at, 4 * step), _column(work, at + step, 4 * step)
    at += 2 * step
    return a, b, _column(work, at, 4 * step), _column(work, at + step, 4 * step)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def transform_outputs(stage, params, work, m_at, low, high, first, last):
    """Fill Z of channels ``low`` … ``high`` − 1 from their M at ``m_at`` [16][channel][patch]."""
    step = stage[M_STEP]
    rows, columns = stage[ROWS], stage[COLUMNS]
    for q in range(first, last):
        tile, y, x = _place(stage, q)
        for channel in range(low, high):
            at = m_at + (channel - low) * stage[SPAN] + (q - first) * LANES
            a, b, c, d = _columns_of(work, at, step)
            a, b = _out(a[0], a[1], a[2], a[3]), _out(b[0], b[1], b[2], b[3])
            c, d = _out(c[0], c[1], c[2], c[3]), _out(d[0], d[1], d[2], d[3])
            bias = fill(work, 0)
            if stage[BIAS] >= 0:
                bias = broadcast(params, stage[BIAS] + channel)
            upper, lower = _out(a[0], b[0], c[0], d[0]), _out(a[1], b[1], c[1], d[1])
            out = stage[Z] + tile * stage[Z_TILE] + channel * stage[Z_CHANNEL]
            out += (y * columns + x) * LANES
            store(work, out, upper[0] + bias)
            if x + 1 < columns:
                store(work, out + LANES, upper[1] + bias)
            if y + 1 < rows:
                out += columns * LANES
                store(work, out, lower[0] + bias)
                if x + 1 < columns:
                    store(work, out + LANES, lower[1] + bias)


@nb.njit(cache=True, nogil=True, error_model="numpy")
def transform_output_gradients(stage, work, first, last):
    """Fill M [16][channel][patch] with gM = A gY Aᵀ, gY being in Z."""
    step = stage[M_STEP]
    rows, columns = stage[ROWS], stage[COLUMNS]
    row = columns * LANES
    for q in range(first, last):
        tile, y, x = _place(stage, q)
        for channel in range(stage[CHANNELS]):
            plane = stage[Z] + tile * stage[Z_TILE] + channel * stage[Z_CHANNEL]
            a = _out_back(
                _cell(work, plane, row, y, x, rows, columns),
                _cell(work, plane, row, y + 1, x, rows, columns),
            )
            b = _out_back(
                _cell(work, plane, row, y, x + 1, rows, columns),
                _cell(work, plane, row, y + 1, x + 1, rows, columns),
            )
            out = stage[M] + channel * stage[SPAN] + (q - first) * LANES
            _store_row(work, out, step, _out_back(a[0], b[0]))
            _store_row(work, out + 4 * step, step, _out_back(a[1], b[1]))
            _store_row(work, out + 8 * step, step, _out_back(a[2], b[2]))
            _store_row(work, out + 12 * step, step, _out_back(a[3], b[3]))


@nb.njit(cache=True, nogil=True, error_model="numpy")
def _add_row(work, at, row, y, x, rows, columns):
    """Add four cells to a row of a map at ``at``, those inside it."""
    if 0 <= y < rows:
        if 0 <= x < columns:
            _add_to(work, at, row[0])
        if 0 <= x + 1 < columns:
            _add_to(work, at + LANES, row[1])
        if 0 <= x + 2 < columns:
            _add_to(work, at + 2 * LANES, row[2])
        if 0 <= x + 3 < columns:
            _add_to(work, at + 3 * LANES, row[3])


@nb.njit(cache=True, nogil=True, error_model="numpy")
def add_input_gradients(stage, work, v_at, v_step, low, high, first, last):
    """Add gd = B gV Bᵀ of inputs ``low`` … ``high`` − 1, gV at ``v_at``, to their maps in IN."""
    row = stage[IN_ROW]
    rows, columns = stage[IN_ROWS], stage[IN_COLUMNS]
    for q in range(first, last):
        tile, y, x = _place(stage, q)
        y -= stage[BEFORE]
        x -= stage[BEFORE]
        for i in range(low, high):
            at = v_at + (i - low) * stage[SPAN] + (q - first) * LANES
            a, b, c, d = _columns_of(work, at, v_step)
            a, b = _in_back(a[0], a[1], a[2], a[3]), _in_back(b[0], b[1], b[2], b[3])
            c, d = _in_back(c[0], c[1], c[2], c[3]), _in_back(d[0], d[1], d[2], d[3])
            out = stage[IN] + tile * stage[IN_TILE] + i * stage[IN_CHANNEL]
            out += y * row + x * LANES
            r = _in_back(a[0], b[0], c[0], d[0])
            _add_row(work, out, r, y, x, rows, columns)
            r = _in_back(a[1], b[1], c[1], d[1])
            _add_row(work, out + row, r, y + 1, x, rows, columns)
            r = _in_back(a[2], b[2], c[2], d[2])
            _add_row(work, out + 2 * row, r, y + 2, x, rows, columns)
            r = _in_back(a[3], b[3], c[3], d[3])
            _add_row(work, out + 3 * row, r, y + 3, x, rows, columns)
