from __future__ import annotations

import numba as nb
import numpy as np
import pytest

from surefoot.engines.fused_cpu import exported
from surefoot.engines.fused_cpu.fields import Field


def _double(table, values, count):
    for i in range(count):
        values[i] *= table[0]


def _halve(values):
    values[0] /= 2


def test_a_kernel_is_compiled_when_a_network_needs_it_even_after_its_callers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exported, "_kernels", [])
    double = exported.exported("test_double", _double, "tni")
    halve = exported.exported("test_halve", _halve, "n", Field.NORM)

    @nb.njit
    def run(table, values, halved):
        if halved:
            halve(values)
        else:
            double(table, values, values.size)

    table, values = np.array([2]), np.array([1.0, 3.0])
    stages = np.full((2, max(Field) + 1), -1, dtype=np.int64)
    exported.provide(stages, table, nb.float64)
    run(table, values, False)
    assert values.tolist() == [2.0, 6.0]
    assert [list(kernel.compiled) for kernel in exported._kernels] == [[(nb.float64, 0)], []]
    stages[1, Field.NORM] = 0
    exported.provide(stages, table, nb.float64)
    run(table, values, True)
    assert values.tolist() == [1.0, 6.0]


def _multiply_by(factor):
    def multiply(values, count):
        for i in range(count):
            values[i] *= factor

    return multiply


def test_of_functions_by_number_those_are_compiled_that_a_network_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exported, "_kernels", [])
    multiply = exported.exported_variants(
        "test_multiply",
        [_multiply_by(factor) for factor in range(4)],
        "ni",
        lambda stages, table: {int(table[0]), 2},
    )

    @nb.njit
    def run(number, values):
        multiply(number, values, values.size)

    values = np.array([1.0, 2.0])
    exported.provide(np.zeros((1, 1), dtype=np.int64), np.array([3]), nb.float64)
    (kernel,) = exported._kernels
    assert sorted(number for _, number in kernel.compiled) == [2, 3]
    run(3, values)
    run(2, values)
    assert values.tolist() == [6.0, 12.0]
