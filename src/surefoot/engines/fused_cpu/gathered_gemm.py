"""The one matrix kernel: convolutions, their input gradients and fully connected layers.

For a block of output channels and a few positions p of a tile of 16 examples::

    out[channel][p] = bias[channel]
        + Σ_segments Σ_{r < run} w[r][channel] · in[p + offset + r · stride]

A *segment* is one kernel cell (or one row of the kernel where the input has few channels), its run
goes over the input channels (or along that row). Positions that share the same segments form a
*class*: the interior of a map is one, each border where part of the kernel falls outside is
another, so neither padding nor the zeros around an output gradient are ever multiplied. Tables of
offsets come from `surefoot.engines.fused_cpu.program`.

The sums of 8 channels × 3 positions stay in 24 vector registers, each tap loads 3 vectors and
broadcasts 8 weights for 24 fused multiply-adds. (Blocking as in Goto and van de Geijn, "Anatomy of
high-performance matrix multiplication", ACM TOMS 34, 2008.) Code for 1 to 3 positions is a function
of its own for each number of channels, compiled where a network has blocks of so many.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numba.core import types
from numpy.typing import NDArray

from surefoot.engines.fused_cpu.emit import (
    call,
    constant,
    data_pointer,
    element,
    emitted,
    integer,
    load_vector,
    loop,
    smaller,
    splat,
    store_vector,
    vector_type,
)
from surefoot.engines.fused_cpu.exported import exported_variants
from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.inner import inner
from surefoot.engines.fused_cpu.target import BLOCK, CHANNELS, POSITIONS

GROUP_FIELDS = 1 + 2 * POSITIONS
"""A group of positions in a table: their number, then (offset in, offset out) of each."""


def _micro_kernel(builder, vector, channels, positions, transposed, p):
    """Emit the sums of one block of channels at one group of positions."""
    lane_step, run_step = (BLOCK, 1) if transposed else (1, BLOCK)
    field = [
        builder.load(element(builder, p["group"], integer(1 + i))) for i in range(2 * positions)
    ]
    sources = [element(builder, p["in"], field[2 * i]) for i in range(positions)]
    if transposed:
        sums = [constant(vector, 0.0)] * (channels * positions)
    else:
        biases = [
            splat(builder, vector, builder.load(element(builder, p["bias"], integer(c))))
            for c in range(channels)
        ]
        sums = [biases[c] for c in range(channels) for _ in range(positions)]

    def tap(offset, weights, sums):
        inputs = [load_vector(builder, element(builder, s, offset), vector) for s in sources]
        result = []
        for c in range(channels):
            at = element(builder, weights, integer(c * lane_step))
            weight = splat(builder, vector, builder.load(at))
            row = sums[c * positions : (c + 1) * positions]
            result += [
                call(builder, "llvm.fma", vector, weight, x, sum_)
                for x, sum_ in zip(inputs, row, strict=True)
            ]
        return result

    def segment(s, sums):
        record = element(builder, p["segments"], builder.mul(s, integer(3)))
        offset, weight, run = (builder.load(element(builder, record, integer(i))) for i in range(3))
        weights = element(builder, p["weights"], weight)

        def turn(_, state):
            offset, weights, *sums = state
            following = tap(offset, weights, sums)
            weights = element(builder, weights, integer(run_step))
            return [builder.add(offset, p["stride"]), weights, *following]

        return loop(builder, integer(0), run, [offset, weights, *sums], turn)[2:]

    before = builder.block
    any_segment = builder.append_basic_block("segments")
    done = builder.append_basic_block("store")
    builder.cbranch(builder.icmp_signed(">", p["count"], integer(0)), any_segment, done)
    builder.position_at_end(any_segment)
    summed = loop(builder, integer(0), p["count"], sums, segment)
    end = builder.block
    builder.branch(done)
    builder.position_at_end(done)
    results = []
    for first, last in zip(sums, summed, strict=True):
        value = builder.phi(vector)
        value.add_incoming(first, before)
        value.add_incoming(last, end)
        results.append(value)
    for c in range(channels):
        row = element(builder, p["out"], builder.mul(p["out_stride"], integer(c)))
        for i in range(positions):
            at = element(builder, row, field[2 * i + 1])
            store_vector(builder, results[c * positions + i], at)


def _emitted_gemm(transposed):
    def typed(
        typingctx, channels, table, group, segments, count, weights, weight_at, inputs, input_at,
        stride, bias, bias_at, out, out_at, out_stride,
    ):  # fmt: skip
        i64 = types.int64
        signature = types.void(
            channels, table, i64, i64, i64, weights, i64, inputs, i64, i64, bias, i64, out, i64, i64
        )  # fmt: skip

        def generate(context, builder, signature, args):
            vector = vector_type(weights.dtype)

            def address(array, at):
                base = data_pointer(context, builder, signature.args[array], args[array])
                return element(builder, base, args[at])

            p = {
                "group": address(1, 2),
                "segments": address(1, 3),
                "count": args[4],
                "weights": address(5, 6),
                "in": address(7, 8),
                "stride": args[9],
                "bias": address(10, 11),
                "out": address(12, 13),
                "out_stride": args[14],
            }
            end = builder.append_basic_block("end")
            switch = builder.switch(builder.load(p["group"]), end)
            for n in range(1, POSITIONS + 1):
                block = builder.append_basic_block(f"positions_{n}")
                switch.add_case(integer(n), block)
                builder.position_at_end(block)
                _micro_kernel(builder, vector, channels.literal_value, n, transposed, p)
                builder.branch(end)
            builder.position_at_end(end)
            return context.get_dummy_value()

        return signature, generate

    return emitted(typed, literal=True)


_forward_group = _emitted_gemm(False)
_transposed_group = _emitted_gemm(True)


def _forward_of(channels):
    def forward_block(
        table, at, b, weights, shift, params, inputs, input_at, stride, out, out_at, out_stride
    ):
        block, first_class = at + 2 + 4 * b, at + 2 + 4 * table[at]
        to = out_at + table[block + 2] * out_stride
        for record in range(first_class, first_class + 4 * table[at + 1], 4):
            for g in range(table[record + 3]):
                _forward_group(
                    channels, table, table[record + 2] + g * GROUP_FIELDS, table[record],
                    table[record + 1], weights, table[block + 1] + shift, inputs, input_at, stride,
                    params, table[block + 3], out, to, out_stride,
                )  # fmt: skip

    return forward_block


def _transposed_of(channels):
    def transposed_block(
        table, at, b, weights, shift, inputs, input_at, stride, out, out_at, out_stride
    ):
        block, first_class = at + 2 + 4 * b, at + 2 + 4 * table[at]
        to = out_at + table[block + 2] * out_stride
        for record in range(first_class, first_class + 4 * table[at + 1], 4):
            for g in range(table[record + 3]):
                _transposed_group(
                    channels, table, table[record + 2] + g * GROUP_FIELDS, table[record],
                    table[record + 1], weights, table[block + 1] + shift, inputs, input_at, stride,
                    weights, 0, out, to, out_stride,
                )  # fmt: skip

    return transposed_block


Table = NDArray[np.int64]


def block_sizes(table: Table, starts: Iterable[int], fields: int) -> set[int]:
    """Return how many channels the blocks have of the tables that start there.

    ``fields`` is the number of fields of a block.
    """
    return {int(table[at + 2 + fields * b]) for at in starts for b in range(table[at])}


def _forward_sizes(stages: Table, table: Table) -> set[int]:
    strips = stages[:, Field.STRIPS]
    return block_sizes(table, [*stages[:, Field.FORWARD], *table[strips[strips >= 0]]], 4)


def _transposed_sizes(stages: Table, table: Table) -> set[int]:
    strips = stages[:, Field.STRIPS]
    return block_sizes(table, [*stages[1:, Field.BACKWARD], *table[strips[strips >= 0] + 1]], 4)


BLOCK_SIZES = range(CHANNELS + 1)
"""Channels that a block may have; each number has functions of its own, compiled where needed."""

_forward_block = exported_variants(
    "forward_block", [_forward_of(c) for c in BLOCK_SIZES], "tiininniinii", _forward_sizes
)
_transposed_block = exported_variants(
    "transposed_block", [_transposed_of(c) for c in BLOCK_SIZES], "tiininiinii", _transposed_sizes
)


@inner
def forward_gemm(
    table, at, first, last, weights, shift, params, inputs, input_at, stride, out, out_at,
    out_stride,
):  # fmt: skip
    """Apply blocks ``first`` … ``last`` − 1 of a layer's weights to one or two tiles.

    ``table[at:]`` holds [blocks, classes, blocks × (channels, weights at, first channel, bias at),
    classes × (segments at, segments, groups at, groups)]; offsets within ``table`` are absolute.
    ``shift`` is added to the address of every block of ``weights``; biases are in ``params``.
    """
    for b in range(first, smaller(last, table[at])):
        _forward_block(
            table[at + 2 + 4 * b], table, at, b, weights, shift, params, inputs, input_at, stride,
            out, out_at, out_stride,
        )  # fmt: skip


@inner
def transposed_gemm(
    table, at, first, last, weights, shift, inputs, input_at, stride, out, out_at, out_stride
):
    """Apply the transposed weights of a layer to output gradients; tables as ``forward_gemm``."""
    for b in range(first, smaller(last, table[at])):
        _transposed_block(
            table[at + 2 + 4 * b], table, at, b, weights, shift, inputs, input_at, stride, out,
            out_at, out_stride,
        )  # fmt: skip
