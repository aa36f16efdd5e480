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

from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.inner import inner
from surefoot.engines.fused_cpu.target import LANES
from surefoot.engines.fused_cpu.vectors import broadcast, fill, load, store
from surefoot.engines.fused_cpu.winograd_maps import (
    add_row,
    add_to,
    cell,
    column,
    column_of_cells,
    columns_of,
    input_map,
    input_map_back,
    kernel_map,
    kernel_map_back,
    output_map,
    output_map_back,
    store_row,
)

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


@inner
def _place(stage, q):
    """Return (tile, row, column) of the first output of patch q, counted over tiles."""
    patches = stage[PATCH_ROWS] * stage[PATCH_COLUMNS]
    tile, rest = q // patches, q % patches
    return tile, 2 * (rest // stage[PATCH_COLUMNS]), 2 * (rest % stage[PATCH_COLUMNS])


@inner
def transform_kernels(stage, params, work):
    """Fill U [16][block][input][8] from the stage's weights."""
    inputs, step = stage[INPUTS], stage[U_STEP]
    tap = inputs * 8
    for block in range((stage[CHANNELS] + 7) // 8):
        for i in range(0, tap, LANES):
            at = stage[KERNELS] + block * 9 * tap + i
            a = kernel_map(load(params, at), load(params, at + 3 * tap), load(params, at + 6 * tap))
            at += tap
            b = kernel_map(load(params, at), load(params, at + 3 * tap), load(params, at + 6 * tap))
            at += tap
            c = kernel_map(load(params, at), load(params, at + 3 * tap), load(params, at + 6 * tap))
            out = stage[U] + block * tap + i
            store_row(work, out, step, kernel_map(a[0], b[0], c[0]))
            store_row(work, out + 4 * step, step, kernel_map(a[1], b[1], c[1]))
            store_row(work, out + 8 * step, step, kernel_map(a[2], b[2], c[2]))
            store_row(work, out + 12 * step, step, kernel_map(a[3], b[3], c[3]))


@inner
def add_kernel_gradient(stage, grads, work):
    """Add Gᵀ gU G to the gradient of the stage's weights."""
    inputs, step = stage[INPUTS], stage[U_STEP]
    tap = inputs * 8
    for block in range((stage[CHANNELS] + 7) // 8):
        for i in range(0, tap, LANES):
            at = stage[U_GRADIENT] + block * tap + i
            a, b = column(work, at, 4 * step), column(work, at + step, 4 * step)
            at += 2 * step
            c, d = column(work, at, 4 * step), column(work, at + step, 4 * step)
            a, b = kernel_map_back(a[0], a[1], a[2], a[3]), kernel_map_back(b[0], b[1], b[2], b[3])
            c, d = kernel_map_back(c[0], c[1], c[2], c[3]), kernel_map_back(d[0], d[1], d[2], d[3])
            out = stage[KERNELS] + block * 9 * tap + i
            row = kernel_map_back(a[0], b[0], c[0], d[0])
            add_to(grads, out, row[0])
            add_to(grads, out + tap, row[1])
            add_to(grads, out + 2 * tap, row[2])
            row = kernel_map_back(a[1], b[1], c[1], d[1])
            add_to(grads, out + 3 * tap, row[0])
            add_to(grads, out + 4 * tap, row[1])
            add_to(grads, out + 5 * tap, row[2])
            row = kernel_map_back(a[2], b[2], c[2], d[2])
            add_to(grads, out + 6 * tap, row[0])
            add_to(grads, out + 7 * tap, row[1])
            add_to(grads, out + 8 * tap, row[2])


@inner
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
                a, b = column(work, at, row), column(work, at + LANES, row)
                at += 2 * LANES
                c, d = column(work, at, row), column(work, at + LANES, row)
            else:
                a = column_of_cells(work, plane, row, y, x, rows, columns)
                b = column_of_cells(work, plane, row, y, x + 1, rows, columns)
                c = column_of_cells(work, plane, row, y, x + 2, rows, columns)
                d = column_of_cells(work, plane, row, y, x + 3, rows, columns)
            a, b = input_map(a[0], a[1], a[2], a[3]), input_map(b[0], b[1], b[2], b[3])
            c, d = input_map(c[0], c[1], c[2], c[3]), input_map(d[0], d[1], d[2], d[3])
            out = stage[V] + i * stage[SPAN] + (q - first) * LANES
            store_row(work, out, step, input_map(a[0], b[0], c[0], d[0]))
            store_row(work, out + 4 * step, step, input_map(a[1], b[1], c[1], d[1]))
            store_row(work, out + 8 * step, step, input_map(a[2], b[2], c[2], d[2]))
            store_row(work, out + 12 * step, step, input_map(a[3], b[3], c[3], d[3]))


@inner
def transform_outputs(stage, params, work, m_at, low, high, first, last):
    """Fill Z of channels ``low`` … ``high`` − 1 from their M at ``m_at`` [16][channel][patch]."""
    step = stage[M_STEP]
    rows, columns = stage[ROWS], stage[COLUMNS]
    for q in range(first, last):
        tile, y, x = _place(stage, q)
        for channel in range(low, high):
            at = m_at + (channel - low) * stage[SPAN] + (q - first) * LANES
            a, b, c, d = columns_of(work, at, step)
            a, b = output_map(a[0], a[1], a[2], a[3]), output_map(b[0], b[1], b[2], b[3])
            c, d = output_map(c[0], c[1], c[2], c[3]), output_map(d[0], d[1], d[2], d[3])
            bias = fill(work, 0)
            if stage[BIAS] >= 0:
                bias = broadcast(params, stage[BIAS] + channel)
            upper, lower = output_map(a[0], b[0], c[0], d[0]), output_map(a[1], b[1], c[1], d[1])
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


@inner
def transform_output_gradients(stage, work, first, last):
    """Fill M [16][channel][patch] with gM = A gY Aᵀ, gY being in Z."""
    step = stage[M_STEP]
    rows, columns = stage[ROWS], stage[COLUMNS]
    row = columns * LANES
    for q in range(first, last):
        tile, y, x = _place(stage, q)
        for channel in range(stage[CHANNELS]):
            plane = stage[Z] + tile * stage[Z_TILE] + channel * stage[Z_CHANNEL]
            a = output_map_back(
                cell(work, plane, row, y, x, rows, columns),
                cell(work, plane, row, y + 1, x, rows, columns),
            )
            b = output_map_back(
                cell(work, plane, row, y, x + 1, rows, columns),
                cell(work, plane, row, y + 1, x + 1, rows, columns),
            )
            out = stage[M] + channel * stage[SPAN] + (q - first) * LANES
            store_row(work, out, step, output_map_back(a[0], b[0]))
            store_row(work, out + 4 * step, step, output_map_back(a[1], b[1]))
            store_row(work, out + 8 * step, step, output_map_back(a[2], b[2]))
            store_row(work, out + 12 * step, step, output_map_back(a[3], b[3]))


@inner
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
            a, b, c, d = columns_of(work, at, v_step)
            a, b = input_map_back(a[0], a[1], a[2], a[3]), input_map_back(b[0], b[1], b[2], b[3])
            c, d = input_map_back(c[0], c[1], c[2], c[3]), input_map_back(d[0], d[1], d[2], d[3])
            out = stage[IN] + tile * stage[IN_TILE] + i * stage[IN_CHANNEL]
            out += y * row + x * LANES
            r = input_map_back(a[0], b[0], c[0], d[0])
            add_row(work, out, r, y, x, rows, columns)
            r = input_map_back(a[1], b[1], c[1], d[1])
            add_row(work, out + row, r, y + 1, x, rows, columns)
            r = input_map_back(a[2], b[2], c[2], d[2])
            add_row(work, out + 2 * row, r, y + 2, x, rows, columns)
            r = input_map_back(a[3], b[3], c[3], d[3])
            add_row(work, out + 3 * row, r, y + 3, x, rows, columns)
