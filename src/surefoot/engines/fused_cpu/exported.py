"""Large kernels compiled apart and called by address, however many functions call them.

Numba compiles a function together with everything it calls, so a large kernel at the bottom of
five levels of calls would be optimised five times. An exported kernel is compiled alone, as a C
function that takes addresses and integers; its callers know where its address is kept, so that it
need not be compiled before they are, nor at all if no network calls it. `provide` compiles what a
network needs (or loads it from Numba's cache) and must have run before it is trained.
"""

from __future__ import annotations

import ctypes
import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import llvmlite.binding as llvm
import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import types
from numpy.typing import NDArray

from surefoot.engines.fused_cpu.emit import I64, data_pointer, emitted, global_variable, scalar_type
from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.inner import OUTER, Outer


@dataclass
class _Kernel:
    """A kernel, and for each type of real numbers its C function and where its address is kept."""

    name: str
    function: Callable[..., None]
    arguments: str
    needed: Field | None
    compiled: dict[types.Type, Any] = field(default_factory=dict)
    places: dict[types.Type, ctypes.c_void_p] = field(default_factory=dict)

    def symbol(self, real: types.Type) -> str:
        """Return what compiled code calls the place of its address."""
        return f"surefoot_{self.name}_{real}"

    def provide(self, real: types.Type) -> None:
        """Compile it or load it."""
        kinds = {"t": types.CPointer(types.int64), "n": types.CPointer(real), "i": types.int64}
        signature = types.void(*(kinds[kind] for kind in self.arguments))
        compiled = nb.cfunc(signature, cache=True, pipeline_class=Outer, **OUTER)
        self.compiled[real] = compiled(self.function)
        self.places[real].value = self.compiled[real].address


_kernels: list[_Kernel] = []
_lock = threading.Lock()


def exported(
    name: str, function: Callable[..., None], arguments: str, needed: Field | None = None
) -> Any:
    """Return what compiled code calls in place of ``function``, which is compiled apart.

    ``arguments`` spells its parameters: ``t`` an array of int64, ``n`` an array of real numbers,
    ``i`` an integer. Arrays arrive as addresses. Only networks need it that have a stage whose
    field ``needed``, if one is named, is not −1.
    """
    kernel = _Kernel(name, function, arguments, needed)
    _kernels.append(kernel)

    def typed(typingctx, *given):
        real = next(a.dtype for a, kind in zip(given, arguments, strict=True) if kind == "n")
        wanted = [types.int64 if kind == "i" else a for a, kind in zip(given, arguments)]

        def generate(context, builder, signature, args):
            pointers = {"t": I64, "n": scalar_type(real)}
            kinds = [I64 if k == "i" else pointers[k].as_pointer() for k in arguments]
            address = ir.FunctionType(ir.VoidType(), kinds).as_pointer()
            place = global_variable(builder, address, kernel.symbol(real))
            values = [
                value if kind == "i" else data_pointer(context, builder, type_, value)
                for value, kind, type_ in zip(args, arguments, signature.args)
            ]
            builder.call(builder.load(place), values)
            return context.get_dummy_value()

        return types.void(*wanted), generate

    context = inspect.Parameter("typingctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    own = inspect.signature(function).parameters.values()
    vars(typed)["__signature__"] = inspect.Signature([context, *own])
    return emitted(typed)


def provide(stages: NDArray[np.int64], real: types.Type = types.float32) -> None:
    """Compile or load the kernels that a network needs for one type of real numbers.

    ``stages`` [stages, fields] is its stage table.
    """
    with _lock:
        for kernel in _kernels:
            if real not in kernel.places:
                kernel.places[real] = ctypes.c_void_p()
                llvm.add_symbol(kernel.symbol(real), ctypes.addressof(kernel.places[real]))
        for kernel in _kernels:
            needed = kernel.needed is None or (stages[:, kernel.needed] >= 0).any()
            if needed and real not in kernel.compiled:
                kernel.provide(real)
