from __future__ import annotations

import numba as nb
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

from surefoot.engines.fused_cpu.activations import activate, slope_at
from surefoot.engines.fused_cpu.vector_math import exp, normal, tanh
from surefoot.engines.fused_cpu.vectors import load, store, total


@nb.njit
def apply_exp(x, y):
    for i in range(0, x.size, 16):
        store(y, i, exp(load(x, i)))


@nb.njit
def apply_tanh(x, y):
    for i in range(0, x.size, 16):
        store(y, i, tanh(load(x, i)))


@nb.njit
def apply_normal(x, y, z):
    for i in range(0, x.size, 16):
        below, density = normal(load(x, i))
        store(y, i, below)
        store(z, i, density)


@nb.njit
def sums(x, y):
    for i in range(y.size):
        y[i] = total(load(x, 16 * i))


@nb.njit
def apply_activation(code, x, y, z):
    for i in range(0, x.size, 16):
        v = load(x, i)
        store(y, i, activate(code, v, v))
        store(z, i, slope_at(code, v, v))


def grid(low: float, high: float) -> NDArray[np.float32]:
    return np.linspace(low, high, 1 << 16).astype(np.float32)


def test_exp() -> None:
    x = grid(-87, 88)
    y = np.empty_like(x)
    apply_exp(x, y)
    np.testing.assert_allclose(y, np.exp(x.astype(np.float64)), rtol=3e-7)


def test_exp_has_no_overflow_and_keeps_nan() -> None:
    x = np.array([-np.inf, -1e30, -100, 100, 1e30, np.inf, np.nan, 0] * 2, dtype=np.float32)
    y = np.empty_like(x)
    apply_exp(x, y)
    assert np.isnan(y[6])
    assert y[7] == 1
    assert np.isfinite(y[:6]).all()
    assert (y[:3] < 2e-38).all()
    assert (y[3:6] > 1e38).all()


def test_tanh() -> None:
    x = np.concatenate([grid(-12, 12), grid(-1e-3, 1e-3)])
    y = np.empty_like(x)
    apply_tanh(x, y)
    np.testing.assert_allclose(y, np.tanh(x.astype(np.float64)), rtol=3e-7)


def test_normal_distribution() -> None:
    x = grid(-12, 12)
    below, density = np.empty_like(x), np.empty_like(x)
    apply_normal(x, below, density)
    # exp(−x²/2) multiplies the rounding of x²/2 by x²/2
    tolerance = 6e-7 + 2e-7 * x.astype(np.float64) ** 2
    assert (np.abs(below / special.ndtr(x.astype(np.float64)) - 1) < tolerance).all()
    assert (np.abs(density / stats.norm.pdf(x.astype(np.float64)) - 1) < tolerance).all()


def test_total_sums_the_lanes() -> None:
    x = np.arange(64, dtype=np.float32)
    y = np.empty(4, dtype=np.float32)
    sums(x, y)
    np.testing.assert_array_equal(y, x.reshape(4, 16).sum(axis=1))


@pytest.mark.parametrize("code", range(8))
def test_activations_keep_nan(code: int) -> None:
    x = np.full(16, np.nan, dtype=np.float32)
    y, z = np.empty_like(x), np.empty_like(x)
    apply_activation(code, x, y, z)
    assert np.isnan(y).all()
