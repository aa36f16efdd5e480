"""Fully connected layers where the examples of a batch are all there is to sum over.

The gradient of a fully connected layer's weights is an outer product for every example, summed over
the examples. With a gradient that is turned round, [example][channel] in place of [channel][16
examples], the sums of 16 channels lie side by side in a vector as the weights do and need no adding
of lanes at the end, which for a batch of a few tiles takes longer than the products (compare
`weight_gradient`)::

    ∂L/∂w[tap][16 channels] = Σ_examples in[tap][example] · gz[example][16 channels]

The order of the sums is that of the examples. Networks without convolution work so; in others the
way of `weight_gradient` stays, so that their last bits do.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
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
    splat,
    store_vector,
    vector_type,
)
from surefoot.engines.fused_cpu.exported import exported
from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.inner import inner
from surefoot.engines.fused_cpu.target import BLOCK, LANES, WIDE
from surefoot.engines.fused_cpu.vectors import fill, load, store

CHANNELS = int(Field.CHANNELS)
BIAS = int(Field.BIAS)
IN = int(Field.IN)
IN_TILE = int(Field.IN_TILE)
INPUTS = int(Field.INPUTS)
KERNELS = int(Field.KERNELS)
Z = int(Field.Z)
Z_TILE = int(Field.Z_TILE)
WEIGHTS = int(Field.WEIGHTS)
TURNED = int(Field.TURNED)

TAPS = 6
"""Most taps whose sums are kept in registers at once, for …"""
VECTORS = 4 if WIDE else 1
"""… so many vectors of 16 channels."""


def _turned(builder, rows):
    """Return 16 vectors turned round: lane i of vector j becomes lane j of vector i."""
    size = LANES // 2
    while size:
        low = [j if not j & size else LANES + j - size for j in range(LANES)]
        high = [j + size if not j & size else LANES + j for j in range(LANES)]
        for i in range(LANES):
            if not i & size:
                a, b = rows[i], rows[i + size]
                rows[i] = shuffle(builder, a, b, low)
                rows[i + size] = shuffle(builder, a, b, high)
        size //= 2
    return rows


@emitted
def turn(typingctx, source, source_at, source_step, target, target_at, target_step):
    """Turn 16 vectors of one array, so far apart, round into 16 of another."""
    i64 = types.int64

    def generate(context, builder, signature, args):
        vector = vector_type(target.dtype)
        base = data_pointer(context, builder, signature.args[0], args[0])
        own = data_pointer(context, builder, signature.args[3], args[3])
        rows = []
        for i in range(LANES):
            at = builder.add(args[1], builder.mul(args[2], integer(i)))
            rows.append(load_vector(builder, element(builder, base, at), vector))
        for i, row in enumerate(_turned(builder, rows)):
            at = builder.add(args[4], builder.mul(args[5], integer(i)))
            store_vector(builder, row, element(builder, own, at))
        return context.get_dummy_value()

    return types.void(source, i64, i64, target, i64, i64), generate


def _outer_products(builder, vector, taps, vectors, p):
    """Emit the sums of a block of taps and vectors of channels and add them to the gradient."""
    zero = [constant(vector, 0.0)] * (taps * vectors)

    def lane(_, state):
        at_x, at_g, *sums = state
        g_at = [builder.add(at_g, integer(v * LANES)) for v in range(vectors)]
        gs = [load_vector(builder, element(builder, p["gt"], at), vector) for at in g_at]
        result = []
        for t in range(taps):
            at = builder.add(at_x, integer(t * LANES))
            x = splat(builder, vector, builder.load(element(builder, p["in"], at)))
            result += [
                call(builder, "llvm.fma", vector, x, g, sums[t * vectors + v])
                for v, g in enumerate(gs)
            ]
        return [builder.add(at_x, integer(1)), builder.add(at_g, p["gt_step"]), *result]

    def tile(_, state):
        at_x, at_g, *sums = state
        _, after, *sums = loop(builder, integer(0), integer(LANES), [at_x, at_g, *sums], lane)
        return [builder.add(at_x, p["in_tile"]), after, *sums]

    start = [integer(0), integer(0), *zero]
    sums = loop(builder, integer(0), p["tiles"], start, tile)[2:]
    half = ir.VectorType(vector.element, BLOCK)
    for v in range(vectors):
        for part in range(LANES // BLOCK):
            number = v * (LANES // BLOCK) + part
            is_there = builder.icmp_signed("<", integer(number), p["blocks"])
            with builder.if_then(is_there):
                at = builder.mul(p["block_step"], integer(number))
                for t in range(taps):
                    own = builder.add(at, integer(t * BLOCK))
                    own = element(builder, p["grads"], own)
                    total = sums[t * vectors + v]
                    lanes = list(range(part * BLOCK, (part + 1) * BLOCK))
                    chosen = shuffle(builder, total, total, lanes)
                    summed = builder.fadd(load_vector(builder, own, half), chosen)
                    store_vector(builder, summed, own)


@emitted
def _add_outer_products(
    typingctx, grads, grad_at, block_step, blocks, gt, gt_at, gt_step, inputs, input_at, in_tile,
    tiles, taps, vectors,
):  # fmt: skip
    i64 = types.int64
    signature = types.void(
        grads, i64, i64, i64, gt, i64, i64, inputs, i64, i64, i64, i64, i64
    )  # fmt: skip

    def generate(context, builder, signature, args):
        vector = vector_type(grads.dtype)

        def address(array, at):
            base = data_pointer(context, builder, signature.args[array], args[array])
            return element(builder, base, args[at])

        p = {
            "grads": address(0, 1), "block_step": args[2], "blocks": args[3],
            "gt": address(4, 5), "gt_step": args[6], "in": address(7, 8), "in_tile": args[9],
            "tiles": args[10],
        }  # fmt: skip
        shape = builder.add(builder.mul(args[11], integer(VECTORS + 1)), args[12])
        end = builder.append_basic_block("end")
        switch = builder.switch(shape, end)
        for t in range(1, TAPS + 1):
            for v in range(1, VECTORS + 1):
                block = builder.append_basic_block(f"block_{t}_{v}")
                switch.add_case(integer(t * (VECTORS + 1) + v), block)
                builder.position_at_end(block)
                _outer_products(builder, vector, t, v, p)
                builder.branch(end)
        builder.position_at_end(end)
        return context.get_dummy_value()

    return signature, generate


def _add_dense_gradient(stage, table, grads, work, scratch, tiles):
    """Add the gradients of a fully connected layer's weights and biases, Z holding its output's.

    ``scratch`` is the address of 16 vectors of workspace.
    """
    firsts, inputs = stage[WEIGHTS], stage[INPUTS]
    blocks = (stage[CHANNELS] + BLOCK - 1) // BLOCK
    vectors = (blocks + 1) // 2
    step = vectors * LANES
    zero = fill(work, 0)
    for v in range(vectors):
        for t in range(tiles):
            z_at = stage[Z] + t * stage[Z_TILE]
            for half in range(2):
                block = 2 * v + half
                own = table[firsts + block + 1] - table[firsts + block] if block < blocks else 0
                for r in range(BLOCK):
                    row = zero
                    if r < own:
                        row = load(work, z_at + (table[firsts + block] + r) * LANES)
                    store(work, scratch + (half * BLOCK + r) * LANES, row)
            turned = stage[TURNED] + t * LANES * step + v * LANES
            turn(work, scratch, LANES, work, turned, step)
        if stage[BIAS] >= 0:
            sums = zero
            for e in range(tiles * LANES):
                sums = sums + load(work, stage[TURNED] + e * step + v * LANES)
            store(work, scratch, sums)
            for half in range(2):
                block = 2 * v + half
                if block < blocks:
                    first = table[firsts + block]
                    for r in range(table[firsts + block + 1] - first):
                        grads[stage[BIAS] + first + r] += work[scratch + half * BLOCK + r]
    for v in range(0, vectors, VECTORS):
        for i in range(0, inputs, TAPS):
            _add_outer_products(
                grads, stage[KERNELS] + (2 * v * inputs + i) * BLOCK, inputs * BLOCK,
                blocks - 2 * v, work, stage[TURNED] + v * LANES, step, work,
                stage[IN] + i * LANES, stage[IN_TILE], tiles, smaller(TAPS, inputs - i),
                smaller(VECTORS, vectors - v),
            )  # fmt: skip


add_dense_gradient = exported("add_dense_gradient", _add_dense_gradient, "ttnnii", Field.TURNED)


@inner
def turn_features(features, rows, first, examples, scale, work, rows_at, tile_at):
    """Fill a tile with the features of examples ``rows[first : first + examples]``, 0 beyond.

    ``rows_at`` is the address of 16 rows of workspace, each of a multiple of 16 numbers.
    """
    columns = features.shape[1]
    width = (columns + LANES - 1) // LANES * LANES
    whole = columns // LANES * LANES
    centre, gain, zero = scale.centre, scale.gain, fill(work, 0)
    for e in range(LANES):
        at = rows_at + e * width
        if e >= examples:
            for f in range(0, width, LANES):
                store(work, at + f, zero)
            continue
        row = rows[first + e]
        for f in range(0, whole, LANES):
            value = load(features, np.int64(row) * columns + f)
            if centre.size:
                value = (value - load(centre, f)) * load(gain, f)
            store(work, at + f, value)
        for f in range(whole, columns):
            value = features[row, f]
            if centre.size:
                value = (value - centre[f]) * gain[f]
            work[at + f] = value
    for f in range(0, columns, LANES):
        turn(work, rows_at + f, width, work, tile_at + f * LANES, LANES)
