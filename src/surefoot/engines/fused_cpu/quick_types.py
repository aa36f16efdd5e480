"""The types of ``array[i]``, ``array[i] = x`` and ``bool(x)``, found at the first attempt.

Numba asks all that any type has to say to an operator, a dozen functions for ``array[i]``, before
the array. Kernels that walk tables do little else: this takes a twentieth off the time that the
engine takes to compile. What is found is what Numba would have found.
"""

from __future__ import annotations

import operator
from typing import Any

from numba.core import types
from numba.core.typing.arraydecl import GetItemBuffer, SetItemBuffer
from numba.core.typing.builtins import Bool, GetItemCPointer, SetItemCPointer
from numba.core.typing.templates import infer_global

FIRST = {"target": "cpu"}
"""Numba asks first what is made for one target, then what is for all."""


@infer_global(operator.getitem)
class _GetItem(GetItemBuffer):
    metadata = FIRST

    def generic(self, args: Any, kws: Any) -> Any:
        if isinstance(args[0], types.Array) and isinstance(args[1], types.Integer):
            return super().generic(args, kws)


@infer_global(operator.setitem)
class _SetItem(SetItemBuffer):
    metadata = FIRST

    def generic(self, args: Any, kws: Any) -> Any:
        if isinstance(args[0], types.Array) and isinstance(args[1], types.Integer):
            return super().generic(args, kws)


@infer_global(operator.getitem)
class _GetItemAt(GetItemCPointer):
    metadata = FIRST


@infer_global(operator.setitem)
class _SetItemAt(SetItemCPointer):
    metadata = FIRST


@infer_global(bool)
class _Bool(Bool):
    metadata = FIRST

    def generic(self, args: Any, kws: Any) -> Any:
        if isinstance(args[0], (types.Boolean, types.Number)):
            return super().generic(args, kws)
