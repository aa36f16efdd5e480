"""Weight gradients: for 8 output channels × 3 taps, sums over all positions and examples.

::

    ∂L/∂w[tap][channel] = Σ_tiles Σ_rows Σ_columns Σ_lanes gz[channel][position] · in[tap][position]

The 24 sums over tiles and positions stay in vector registers, one lane per example; the sums over
lanes are then folded 16 vectors at a time into one vector of 16 sums (a transposed reduction: 45
shuffles and additions where one by one they would take 120). The order is fixed by the shapes
alone.
"""

from __future__ import annotations

from numba.core import types

from surefoot.engines.fused_cpu.emit import (
    call,
    constant,
    data_pointer,
    element,
    emitted,
    integer,
    load_vector,
    loop,
    shuffle,
    smaller,
    store_vector,
    vector_type,
)
from surefoot.engines.fused_cpu.exported import exported_variants
from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.gathered_gemm import BLOCK_SIZES, Table, block_sizes
from surefoot.engines.fused_cpu.inner import inner
from surefoot.engines.fused_cpu.target import BLOCK, LANES, POSITIONS

JOB_FIELDS = 8
"""A job: taps, offset in, step between its taps, weights at, rows, columns, offset of the first
gradient, and one spare."""


def fold(builder, vectors):
    """Return a vector whose lane j is the sum over the lanes of ``vectors[j]``, for 16 or fewer."""
    kind = vectors[0].type
    rows = vectors + [constant(kind, 0.0)] * (LANES - len(vectors))
    size = LANES
    while size > 1:
        half = size // 2
        starts = range(0, LANES, size)
        low = [
            j for g in starts for j in (*range(g, g + half), *range(LANES + g, LANES + g + half))
        ]
        high = [j + half for j in low]
        count = len(rows) // 2
        rows = [
            builder.fadd(
                shuffle(builder, rows[i], rows[i + count], low),
                shuffle(builder, rows[i], rows[i + count], high),
            )
            for i in range(count)
        ]
        size = half
    return rows[0]


def _micro_kernel(builder, vector, channels, taps, p):
    """Emit the sums of one block of channels and taps and add them to the gradient."""
    gradients = [
        element(builder, p["gz"], builder.mul(p["gz_stride"], integer(c))) for c in range(channels)
    ]
    inputs = [
        element(builder, p["in"], builder.mul(p["tap_step"], integer(t))) for t in range(taps)
    ]
    zero = [constant(vector, 0.0)] * (channels * taps)

    def column(_, state):
        at_g, at_x, *sums = state
        xs = [load_vector(builder, element(builder, x, at_x), vector) for x in inputs]
        result = []
        for c in range(channels):
            g = load_vector(builder, element(builder, gradients[c], at_g), vector)
            result += [
                call(builder, "llvm.fma", vector, g, xs[t], sums[c * taps + t]) for t in range(taps)
            ]
        return [builder.add(at_g, integer(LANES)), builder.add(at_x, integer(LANES)), *result]

    def row(_, state):
        at_g, at_x, *sums = state
        sums = loop(builder, integer(0), p["columns"], [at_g, at_x, *sums], column)[2:]
        return [builder.add(at_g, p["gz_row"]), builder.add(at_x, p["in_row"]), *sums]

    def tile(_, state):
        at_g, at_x, *sums = state
        sums = loop(builder, integer(0), p["rows"], [at_g, at_x, *sums], row)[2:]
        return [builder.add(at_g, p["gz_tile"]), builder.add(at_x, p["in_tile"]), *sums]

    sums = loop(builder, integer(0), p["tiles"], [integer(0), integer(0), *zero], tile)[2:]
    slots = [sums[c * taps + t] for t in range(taps) for c in range(channels)]
    for start in range(0, len(slots), LANES):
        part = slots[start : start + LANES]
        folded = fold(builder, part)
        for t in range(taps):
            first, last = (max(t * channels, start), min((t + 1) * channels, start + len(part)))
            if first >= last:
                continue
            chosen = shuffle(builder, folded, folded, list(range(first - start, last - start)))
            at = element(builder, p["grads"], integer(t * BLOCK + first - t * channels))
            previous = load_vector(builder, at, chosen.type)
            store_vector(builder, builder.fadd(previous, chosen), at)


def _typed_job(
    typingctx, channels, table, job, grads, grad_at, gz, gz_at, gz_stride, gz_row, gz_tile, inputs,
    input_at, in_row, in_tile, tiles,
):  # fmt: skip
    i64 = types.int64
    signature = types.void(
        channels, table, i64, grads, i64, gz, i64, i64, i64, i64, inputs, i64, i64, i64, i64
    )  # fmt: skip

    def generate(context, builder, signature, args):
        vector = vector_type(grads.dtype)

        def base(array):
            return data_pointer(context, builder, signature.args[array], args[array])

        record = element(builder, base(1), args[2])
        taps, offset, step, weight, rows, columns, first = (
            builder.load(element(builder, record, integer(i))) for i in range(7)
        )
        p = {
            "grads": element(builder, base(3), builder.add(args[4], weight)),
            "gz": element(builder, base(5), builder.add(args[6], first)),
            "in": element(builder, base(10), builder.add(args[11], offset)),
            "tap_step": step, "rows": rows, "columns": columns, "gz_stride": args[7],
            "gz_row": args[8], "gz_tile": args[9], "in_row": args[12], "in_tile": args[13],
            "tiles": args[14],
        }  # fmt: skip
        end = builder.append_basic_block("end")
        switch = builder.switch(taps, end)
        for t in range(1, POSITIONS + 1):
            block = builder.append_basic_block(f"taps_{t}")
            switch.add_case(integer(t), block)
            builder.position_at_end(block)
            _micro_kernel(builder, vector, channels.literal_value, t, p)
            builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return signature, generate


_job = emitted(_typed_job, literal=True)


def _gradient_of(channels):
    def gradient_block(
        table, at, b, grads, shift, gz, gz_at, gz_stride, gz_row, gz_tile, inputs, input_at, in_row,
        in_tile, tiles,
    ):  # fmt: skip
        block, first_job = at + 2 + 3 * b, at + 2 + 3 * table[at]
        for j in range(table[at + 1]):
            _job(
                channels, table, first_job + j * JOB_FIELDS, grads, table[block + 1] + shift, gz,
                gz_at + table[block + 2] * gz_stride, gz_stride, gz_row, gz_tile, inputs, input_at,
                in_row, in_tile, tiles,
            )  # fmt: skip

    return gradient_block


def _sizes(stages: Table, table: Table) -> set[int]:
    strips = stages[:, Field.STRIPS]
    direct = stages[:, Field.TURNED] < 0
    starts = [*stages[direct, Field.WEIGHTS], *table[strips[strips >= 0] + 2]]
    return block_sizes(table, starts, 3)


_gradient_block = exported_variants(
    "gradient_block", [_gradient_of(c) for c in BLOCK_SIZES], "tiininiiiiniiii", _sizes
)


@inner
def add_weight_gradient(
    table, at, first, last, grads, shift, gz, gz_at, gz_stride, gz_row, gz_tile, inputs, input_at,
    in_row, in_tile, tiles,
):  # fmt: skip
    """Add the gradient of blocks ``first`` … ``last`` − 1 of a layer's weights to ``grads``.

    ``table[at:]`` holds [blocks, jobs, blocks × (channels, weights at, first channel), jobs ×
    `JOB_FIELDS`]; ``shift`` is added to the address of every block of ``grads``.
    """
    for b in range(first, smaller(last, table[at])):
        _gradient_block(
            table[at + 2 + 3 * b], table, at, b, grads, shift, gz, gz_at, gz_stride, gz_row,
            gz_tile, inputs, input_at, in_row, in_tile, tiles,
        )  # fmt: skip
