"""Winograd's algorithm against the direct convolution, which torch checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from surefoot.candidates.convnet.network import Conv, ConvNet, Pool
from surefoot.candidates.convnet.notation import preset
from surefoot.engines.fused_cpu import layout
from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.geometry import Geometry
from surefoot.engines.fused_cpu.program import compile_program
from surefoot.learning.losses import Loss
from tests.engines.fused_cpu.gradients import Batch, by_kernels, draw_batch


def gradient(batch: Batch, winograd: bool) -> tuple[float, NDArray[Any], list[bool]]:
    """Return loss, gradient and which stages used Winograd's algorithm, forced on or off."""

    def chosen(g: Geometry) -> bool:
        return winograd and g.kernel == 3 and g.inputs % 2 == 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "worthwhile", chosen)
        compile_program.cache_clear()
        loss, values, network = by_kernels(batch, np.float64)
    used = network.program.stages[:, Field.STRIPS] >= 0
    compile_program.cache_clear()
    return loss, values, used.tolist()


@settings(max_examples=25, derandomize=True)
@given(
    channels=st.sampled_from([2, 6, 8, 14, 32]),
    outputs=st.integers(1, 19),
    rows=st.integers(3, 12),
    columns=st.integers(3, 12),
    padding=st.sampled_from(["valid", "same"]),
    pool=st.sampled_from([None, Pool("max", 1, 2), Pool("average", 3, 2)]),
    bias=st.booleans(),
    batch_norm=st.booleans(),
    examples=st.sampled_from([2, 16, 33, 64]),
)
def test_the_same_gradients_as_the_direct_convolution(
    channels: int, outputs: int, rows: int, columns: int, padding: Any, pool: Pool | None,
    bias: bool, batch_norm: bool, examples: int,
) -> None:  # fmt: skip
    if pool is not None and pool.size > (min(rows, columns) - 2 * (padding == "valid")):
        pool = None
    second = Conv(outputs, 3, padding, bias=bias, pool=pool)
    net = ConvNet(
        (Conv(channels, 1), second), (3,), "tanh", batch_norm=batch_norm,
        input_shape=(1, rows, columns), batch_size=examples,
    )  # fmt: skip
    batch = draw_batch(net, Loss("mse"), examples, 4)
    loss, values, used = gradient(batch, winograd=True)
    expected_loss, expected, unused = gradient(batch, winograd=False)
    assert used[1]
    assert not any(unused)
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    np.testing.assert_allclose(values, expected, atol=1e-11 * np.abs(expected).max())


def test_it_is_used_where_it_pays() -> None:
    def used(net: ConvNet) -> list[bool]:
        stages = compile_program(net).stages
        return (stages[:, Field.STRIPS] >= 0).tolist()

    assert used(preset("model_1")) == [False, True, False, False]
    two = (Conv(8), Conv(8, kernel=5))
    assert not any(used(ConvNet(two)))
    assert not any(used(ConvNet((Conv(1), Conv(2)))))
