"""A stage's convolution and its gradients by `surefoot.engines.fused_cpu.winograd`, in strips.

The patches of all tiles form one row, worked off in strips that keep the transformed maps V and M
within the cache. For strips of n patches, ``table[STRIPS + 3 (n − 1) :]`` holds the addresses of
the forward, the transposed and the weight gradient's table.
"""

from __future__ import annotations

from surefoot.engines.fused_cpu.exported import exported
from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.gathered_gemm import forward_gemm, transposed_gemm
from surefoot.engines.fused_cpu.inner import inner
from surefoot.engines.fused_cpu.target import LANES
from surefoot.engines.fused_cpu.vectors import fill, store
from surefoot.engines.fused_cpu.weight_gradient import add_weight_gradient
from surefoot.engines.fused_cpu.winograd import (
    IN,
    IN_CHANNEL,
    IN_COLUMNS,
    IN_ROWS,
    IN_TILE,
    INPUTS,
    M_STEP,
    PATCH_COLUMNS,
    PATCH_ROWS,
    SPAN,
    U_GRADIENT,
    U_STEP,
    V_STEP,
    M,
    U,
    V,
    add_input_gradients,
    add_kernel_gradient,
    transform_inputs,
    transform_kernels,
    transform_output_gradients,
    transform_outputs,
)

STRIPS = int(Field.STRIPS)
FREQUENCIES = 16


@inner
def _strips(stage, tiles):
    """Return the number of patches and of strips."""
    patches = tiles * stage[PATCH_ROWS] * stage[PATCH_COLUMNS]
    most = stage[SPAN] // LANES
    return patches, (patches + most - 1) // most


def _winograd_forward(stage, table, params, work, tiles):
    """Fill the stage's Z from its input map."""
    transform_kernels(stage, params, work)
    patches, strips = _strips(stage, tiles)
    for strip in range(strips):
        first, last = strip * patches // strips, (strip + 1) * patches // strips
        transform_inputs(stage, work, first, last)
        at = table[stage[STRIPS] + 3 * (last - first - 1)]
        for block in range(table[at]):
            record = at + 2 + 4 * block
            low = table[record + 2]
            for f in range(FREQUENCIES):
                forward_gemm(
                    table, at, block, block + 1, work, stage[U] + f * stage[U_STEP], params, work,
                    stage[V] + f * stage[V_STEP], stage[SPAN], work,
                    stage[M] + f * stage[M_STEP] - low * stage[SPAN], stage[SPAN],
                )  # fmt: skip
            high = low + table[record]
            transform_outputs(stage, params, work, stage[M], low, high, first, last)


def _winograd_backward(stage, table, grads, work, tiles):
    """Add the weights' gradient to ``grads`` and replace the input map by its gradient.

    Z holds the gradient of the convolution's output, U what the way forward left there.
    """
    for i in range(0, FREQUENCIES * stage[U_STEP], LANES):
        store(work, stage[U_GRADIENT] + i, fill(work, 0))
    patches, strips = _strips(stage, tiles)
    for strip in range(strips):
        first, last = strip * patches // strips, (strip + 1) * patches // strips
        transform_inputs(stage, work, first, last)
        transform_output_gradients(stage, work, first, last)
        at = table[stage[STRIPS] + 3 * (last - first - 1) + 2]
        for f in range(FREQUENCIES):
            add_weight_gradient(
                table, at, 0, table[at], work, stage[U_GRADIENT] + f * stage[U_STEP], work,
                stage[M] + f * stage[M_STEP], stage[SPAN], 0, 0, work,
                stage[V] + f * stage[V_STEP], 0, 0, 1,
            )  # fmt: skip
    add_kernel_gradient(stage, grads, work)
    cells = stage[IN_ROWS] * stage[IN_COLUMNS]
    for t in range(tiles):
        for i in range(stage[INPUTS]):
            plane = stage[IN] + t * stage[IN_TILE] + i * stage[IN_CHANNEL]
            for cell in range(cells):
                store(work, plane + cell * LANES, fill(work, 0))
    for strip in range(strips):
        first, last = strip * patches // strips, (strip + 1) * patches // strips
        if strips > 1:
            transform_output_gradients(stage, work, first, last)
        at = table[stage[STRIPS] + 3 * (last - first - 1) + 1]
        for block in range(table[at]):
            record = at + 2 + 4 * block
            low = table[record + 2]
            for f in range(FREQUENCIES):
                transposed_gemm(
                    table, at, block, block + 1, work, stage[U] + f * stage[U_STEP], work,
                    stage[M] + f * stage[M_STEP], stage[SPAN], work,
                    stage[V] + f * stage[V_STEP] - low * stage[SPAN], stage[SPAN],
                )  # fmt: skip
            high = low + table[record]
            add_input_gradients(stage, work, stage[V], stage[V_STEP], low, high, first, last)


winograd_forward = exported("winograd_forward", _winograd_forward, "ttnni", Field.STRIPS)
winograd_backward = exported("winograd_backward", _winograd_backward, "ttnni", Field.STRIPS)
