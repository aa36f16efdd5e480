"""Gradients of whole networks, every layer and loss, against torch in double precision.

The error of an array is ‖g − g_torch‖ / max(‖g_torch‖, 10⁻³ ‖all gradients‖): arrays whose exact
gradient is 0, as a bias before batch normalisation, hold nothing but rounding. Compiled in double
precision the kernels must agree to 1e-9; in single precision, as used, to 1e-5 (batch
normalisation, whose gradients cancel, is checked in double precision alone).
"""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surefoot.candidates.convnet.network import ACTIVATIONS, Conv, ConvNet, Pool
from surefoot.candidates.convnet.notation import PRESETS, preset
from surefoot.learning.losses import Loss
from tests.engines.fused_cpu.gradients import (
    by_kernels,
    by_torch,
    draw_batch,
    torch_module,
    worst_error,
)
from tests.engines.fused_cpu.networks import losses, networks

drawn = settings(max_examples=30, suppress_health_check=list(HealthCheck), derandomize=True)


@drawn
@given(net=networks(), loss=losses, examples=st.integers(2, 70), seed=st.integers(0, 2**32 - 1))
def test_gradients_in_double_precision(net: ConvNet, loss: Loss, examples: int, seed: int) -> None:
    batch = draw_batch(net, loss, min(examples, net.batch_size), seed)
    error, name = worst_error(batch, np.float64)
    assert error <= 1e-7 if net.batch_norm else error <= 1e-9, name


@drawn
@given(
    net=networks(batch_norm=False),
    loss=losses,
    examples=st.integers(1, 70),
    seed=st.integers(0, 2**32 - 1),
)
def test_gradients_in_single_precision(net: ConvNet, loss: Loss, examples: int, seed: int) -> None:
    batch = draw_batch(net, loss, min(examples, net.batch_size), seed)
    error, name = worst_error(batch, np.float32)
    assert error <= 1e-5, name


@drawn
@given(
    net=st.builds(
        ConvNet,
        st.just(()),
        st.lists(st.integers(1, 90), max_size=2).map(tuple),
        st.sampled_from(["relu", "prelu", "tanh"]),
        side=st.integers(0, 3),
        side_layer=st.just(0),
        input_shape=st.integers(1, 70).map(lambda features: (1, 1, features)),
        outputs=st.integers(1, 20),
        scale=st.booleans(),
        batch_size=st.just(300),
    ),
    examples=st.integers(1, 300),
    seed=st.integers(0, 2**32 - 1),
)
def test_gradients_without_convolution(net: ConvNet, examples: int, seed: int) -> None:
    batch = draw_batch(net, Loss("mse"), examples, seed)
    assert worst_error(batch, np.float64)[0] <= 1e-10
    assert worst_error(batch, np.float32)[0] <= 2e-5


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("batch_size", [16, 33])
def test_gradients_of_the_papers_networks(name: str, batch_size: int) -> None:
    net = preset(name, batch_size=batch_size)
    batch = draw_batch(net, Loss("relative_rmse"), batch_size, 6)
    assert worst_error(batch, np.float32)[0] <= 1e-5
    assert worst_error(batch, np.float64)[0] <= 1e-11


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_through_every_kind_of_pooling(activation: str) -> None:
    for pool in (None, Pool(), Pool("max", 3, 2), Pool("average", 2), Pool("average", 3, 1)):
        net = ConvNet((Conv(9, 3, pool=pool),), (5,), activation, input_shape=(2, 9, 8))  # type: ignore[arg-type]
        batch = draw_batch(net, Loss("mse"), 32, 6)
        assert worst_error(batch, np.float32)[0] <= 1e-5
        assert worst_error(batch, np.float64)[0] <= 1e-11


@drawn
@given(net=networks(), seed=st.integers(0, 2**32 - 1))
def test_predictions_and_running_averages(net: ConvNet, seed: int) -> None:
    batch = draw_batch(net, Loss("mse"), net.batch_size, seed)
    _, _, network = by_kernels(batch, np.float64)
    _, _, module = by_torch(batch)
    side = None if batch.side is None else torch.from_numpy(batch.side)
    with torch.no_grad():
        expected = module.eval()(torch.from_numpy(batch.features), side).numpy()
    predicted = network.predict(batch.features, batch.side)
    np.testing.assert_allclose(predicted, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_one_example_has_no_spread_to_normalise() -> None:
    net = ConvNet((Conv(3, 5, pool=Pool("max", 11)),), (4,), batch_norm=True)
    batch = draw_batch(net, Loss("mse"), 1, 3)
    loss, gradient, network = by_kernels(batch, np.float64)
    module = torch_module(batch).train()
    prediction = module(torch.from_numpy(batch.features))
    assert loss == pytest.approx(((prediction - torch.from_numpy(batch.target)) ** 2).mean().item())
    assert np.isfinite(gradient).all()
    names = dict(module.named_buffers())
    channels = net.layers[0].output[0]
    after = network.statistics[2 * channels : 2 * channels + 4]
    np.testing.assert_array_equal(after, names["fc1_norm.running_mean"].numpy())


@pytest.mark.slow
def test_gradients_without_avx512() -> None:
    """The narrower blocks of other machines, compiled here as for one with AVX2."""
    code = (
        "import numpy as np; from tests.engines.fused_cpu.gradients import draw_batch, worst_error;"
        "from surefoot.candidates.convnet.network import ConvNet;"
        "from surefoot.candidates.convnet.notation import preset;"
        "from surefoot.learning.losses import Loss;"
        "from surefoot.engines.fused_cpu.target import WIDE; assert not WIDE;"
        "net = preset('model_4', batch_size=33, dropout=0.3);"
        "dense = ConvNet((), (20, 64), input_shape=(1, 1, 39), batch_size=150, outputs=9);"
        "batches = draw_batch(net, Loss('mse'), 33, 5), draw_batch(dense, Loss('mse'), 150, 5);"
        "assert max(worst_error(batch, np.float32)[0] for batch in batches) <= 1e-5"
    )
    environment = {
        **os.environ,
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma,+bmi,+bmi2,+sse4.2,+popcnt,+f16c",
    }
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
