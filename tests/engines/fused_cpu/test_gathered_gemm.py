from __future__ import annotations

import pytest

from surefoot.candidates.convnet.network import Conv, ConvNet
from surefoot.engines.fused_cpu import gathered_gemm, weight_gradient
from surefoot.engines.fused_cpu.geometry import compute_blocks, split
from surefoot.engines.fused_cpu.program import compile_program
from surefoot.engines.fused_cpu.target import CHANNELS


def sizes(count: int) -> set[int]:
    return {last - first for first, last in compute_blocks(count)}


def test_a_network_needs_the_functions_of_its_own_block_sizes() -> None:
    program = compile_program(ConvNet((Conv(6), Conv(11)), (4,), outputs=3))
    stages, table = program.stages, program.table
    outputs = sizes(6) | sizes(11) | sizes(4) | sizes(3)
    assert gathered_gemm._forward_sizes(stages, table) == outputs
    assert weight_gradient._sizes(stages, table) == outputs
    inputs = {last - first for count in (6, 4) for first, last in split(count, CHANNELS)}
    assert gathered_gemm._transposed_sizes(stages, table) >= inputs


@pytest.mark.parametrize("channels", [16, 64])
def test_winograds_algorithm_needs_those_of_its_strips(channels: int) -> None:
    program = compile_program(ConvNet((Conv(32), Conv(channels)), (1,)))
    strips = program.stages[1, gathered_gemm.Field.STRIPS]
    assert strips >= 0
    for place, needed in enumerate(
        (
            gathered_gemm._forward_sizes(program.stages, program.table),
            gathered_gemm._transposed_sizes(program.stages, program.table),
            weight_gradient._sizes(program.stages, program.table),
        )
    ):
        at = program.table[strips + place]
        fields = 3 if place == 2 else 4
        found = {program.table[at + 2 + fields * b] for b in range(program.table[at])}
        assert found == {CHANNELS}
        assert found <= needed


def test_layers_that_are_turned_round_have_gradients_of_another_kind() -> None:
    program = compile_program(ConvNet((), (20, 5), input_shape=(1, 1, 39)))
    assert (program.stages[:, gathered_gemm.Field.TURNED] >= 0).tolist() == [True, False, False]
    assert weight_gradient._sizes(program.stages, program.table) == sizes(5) | sizes(1)
