from __future__ import annotations

import operator
from typing import Any

import numba as nb
import numpy as np
import pytest
from numba.core.typing.templates import _OverloadFunctionTemplate

import surefoot.engines.fused_cpu.quick_types  # noqa: F401


def walk(table, values):
    total = 0.0
    for row in range(table.shape[0]):
        if table[row][0]:
            values[row] = table[row][1]
        total += values[row]
    return total


def test_no_other_type_is_asked_about_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    own = _OverloadFunctionTemplate._get_impl

    def record(self: Any, args: Any, kws: Any) -> Any:
        asked.append(self.key)
        return own(self, args, kws)

    monkeypatch.setattr(_OverloadFunctionTemplate, "_get_impl", record)
    values = np.zeros(3)
    assert nb.njit(walk)(np.array([[1, 5], [0, 7], [2, 9]]), values) == 14.0
    assert values.tolist() == [5.0, 0.0, 9.0]
    assert not {operator.getitem, operator.setitem, bool} & set(asked)


def test_everything_else_that_has_items_or_a_truth_is_as_it_was() -> None:
    @nb.njit
    def mixed(array):
        pairs = [(1, 2.5), (3, 4.5)]
        named = {"a": 1}
        named["b"] = 2
        array[1:] = 7
        found = array[array > 6]
        return pairs[-1][1], named["b"], array[-1], found.size, "xyz"[1], bool(pairs), bool("")

    assert mixed(np.arange(4.0)) == (4.5, 2, 7.0, 3, "y", True, False)


def test_read_only_arrays_stay_so() -> None:
    fixed = np.arange(3)
    fixed.flags.writeable = False

    @nb.njit
    def change(array):
        array[0] = 1

    with pytest.raises(nb.TypingError, match="readonly"):
        change(fixed)
