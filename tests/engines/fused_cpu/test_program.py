from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surefoot.candidates.convnet.network import ConvNet
from surefoot.candidates.convnet.notation import PRESETS, preset
from surefoot.engines.fused_cpu.geometry import split
from surefoot.engines.fused_cpu.program import compile_program
from tests.engines.fused_cpu.networks import networks


@given(count=st.integers(1, 700), most=st.integers(1, 9))
def test_parts_cover_everything_nearly_equally(count: int, most: int) -> None:
    parts = split(count, most)
    sizes = [last - first for first, last in parts]
    assert [i for first, last in parts for i in range(first, last)] == list(range(count))
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(parts) == -(-count // most)


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(net=networks())
def test_every_parameter_and_feature_has_a_place_of_its_own(net: ConvNet) -> None:
    program = compile_program(net)
    assert len(set(program.place.tolist())) == net.number_of_parameters == program.place.size
    assert program.place.min() >= 8
    assert program.place.max() < program.parameters
    assert program.parameters % 16 == program.workspace % 16 == 0
    assert len(set(program.input_place.tolist())) == np.prod(net.input_shape)
    assert program.input_place.max() + 16 <= program.workspace


def test_memory_of_a_running_instance() -> None:
    for name in PRESETS:
        for batch_size in (16, 32, 64, 256):
            net = preset(name, batch_size=batch_size)
            program = compile_program(net)
            numbers = program.workspace + 4 * program.parameters
            assert 4 * numbers + program.table.nbytes < 3e6
