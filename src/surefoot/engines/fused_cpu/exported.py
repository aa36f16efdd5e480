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
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import llvmlite.binding as llvm
import numba as nb
import numpy as np
from llvmlite import ir
from numba.core import types
from numpy.typing import NDArray

from surefoot.engines.fused_cpu.emit import (
    I64,
    data_pointer,
    emitted,
    global_variable,
    integer,
    scalar_type,
)
from surefoot.engines.fused_cpu.fields import Field
from surefoot.engines.fused_cpu.inner import OUTER, Outer

Needed = Callable[[NDArray[np.int64], NDArray[np.int64]], Collection[int]]
"""Of a `Program`'s stages and table, the numbers of the functions of a kernel that it calls."""


@dataclass
class _Kernel:
    """A kernel of one function or more; their C functions and where their addresses are kept."""

    name: str
    functions: Sequence[Callable[..., None]]
    arguments: str
    needed: Needed
    compiled: dict[tuple[types.Type, int], Any] = field(default_factory=dict)
    places: dict[types.Type, Any] = field(default_factory=dict)

    def symbol(self, real: types.Type) -> str:
        """Return what compiled code calls the place of its addresses."""
        return f"surefoot_{self.name}_{real}"

    def place(self, real: types.Type) -> None:
        """Make the place of its addresses known to compiled code."""
        if real not in self.places:
            self.places[real] = (ctypes.c_void_p * len(self.functions))()
            llvm.add_symbol(self.symbol(real), ctypes.addressof(self.places[real]))

    def provide(self, real: types.Type, number: int) -> None:
        """Compile a function or load it."""
        if (real, number) not in self.compiled:
            kinds = {"t": types.CPointer(types.int64), "n": types.CPointer(real), "i": types.int64}
            signature = types.void(*(kinds[kind] for kind in self.arguments))
            compiled = nb.cfunc(signature, cache=True, pipeline_class=Outer, **OUTER)
            self.compiled[real, number] = compiled(self.functions[number])
            self.places[real][number] = self.compiled[real, number].address


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

    def called(stages: NDArray[np.int64], _: NDArray[np.int64]) -> Collection[int]:
        return (0,) if needed is None or (stages[:, needed] >= 0).any() else ()

    call = _caller(_Kernel(name, [function], arguments, called))

    def typed(typingctx, *given):
        signature, generate = call(given)
        return signature, lambda context, builder, signature, args: generate(
            context, builder, signature.args, args, integer(0)
        )

    return _emitted(typed, inspect.signature(function).parameters.values())


def exported_variants(
    name: str, functions: Sequence[Callable[..., None]], arguments: str, needed: Needed
) -> Any:
    """Return what compiled code calls in place of ``functions``, each compiled apart.

    Their number comes before their arguments, which are as in `exported`.
    """
    call = _caller(_Kernel(name, functions, arguments, needed))

    def typed(typingctx, *given):
        signature, generate = call(given[1:])
        return types.void(
            types.int64, *signature.args
        ), lambda context, builder, signature, args: generate(
            context, builder, signature.args[1:], args[1:], args[0]
        )

    number = inspect.Parameter("number", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return _emitted(typed, [number, *inspect.signature(functions[0]).parameters.values()])


def _caller(kernel: _Kernel) -> Callable[..., Any]:
    """Register a kernel; return a function that types a call and emits its code."""
    _kernels.append(kernel)

    def call(given):
        real = next(a.dtype for a, kind in zip(given, kernel.arguments, strict=True) if kind == "n")
        wanted = [types.int64 if k == "i" else a for a, k in zip(given, kernel.arguments)]

        def generate(context, builder, kinds, args, number):
            pointers = {"t": I64, "n": scalar_type(real)}
            c_kinds = [I64 if k == "i" else pointers[k].as_pointer() for k in kernel.arguments]
            address = ir.FunctionType(ir.VoidType(), c_kinds).as_pointer()
            places = ir.ArrayType(address, len(kernel.functions))
            place = global_variable(builder, places, kernel.symbol(real))
            values = [
                value if kind == "i" else data_pointer(context, builder, type_, value)
                for value, kind, type_ in zip(args, kernel.arguments, kinds)
            ]
            builder.call(builder.load(builder.gep(place, [integer(0), number])), values)
            return context.get_dummy_value()

        return types.void(*wanted), generate

    return call


def _emitted(typed: Callable[..., Any], parameters: Iterable[inspect.Parameter]) -> Any:
    context = inspect.Parameter("typingctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    vars(typed)["__signature__"] = inspect.Signature([context, *parameters])
    return emitted(typed)


def provide(
    stages: NDArray[np.int64], table: NDArray[np.int64], real: types.Type = types.float32
) -> None:
    """Compile or load the kernels that a network needs for one type of real numbers.

    ``stages`` [stages, fields] and ``table`` are its `Program`'s.
    """
    with _lock:
        for kernel in _kernels:
            kernel.place(real)
        for kernel in _kernels:
            for number in kernel.needed(stages, table):
                kernel.provide(real, number)
