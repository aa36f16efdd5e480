"""Large kernels compiled once and called by address, however many functions call them.

Numba compiles a function together with everything it calls, so a large kernel at the bottom of
five levels of calls would be optimised five times. An exported kernel is compiled alone, as a C
function that takes addresses and integers; its callers only know its symbol. `provide` compiles
the kernels (or loads them from Numba's cache) and must run before any caller does.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numba as nb
from llvmlite import ir
from numba.core import cgutils, types

from surefoot.engines.fused_cpu.emit import I64, data_pointer, emitted, scalar_type

_kernels: list[tuple[str, Callable[..., None], str]] = []
_provided: dict[str, Any] = {}
_lock = threading.Lock()


def exported(name: str, function: Callable[..., None], arguments: str) -> Any:
    """Return what compiled code calls in place of ``function``, which is compiled apart.

    ``arguments`` spells its parameters: ``t`` an array of int64, ``n`` an array of real numbers,
    ``i`` an integer. Arrays arrive as addresses.
    """
    _kernels.append((name, function, arguments))

    def typed(typingctx, *given):
        real = next(a.dtype for a, kind in zip(given, arguments, strict=True) if kind == "n")
        wanted = [types.int64 if kind == "i" else a for a, kind in zip(given, arguments)]

        def generate(context, builder, signature, args):
            pointers = {"t": I64, "n": scalar_type(real)}
            kinds = [I64 if k == "i" else pointers[k].as_pointer() for k in arguments]
            function_type = ir.FunctionType(ir.VoidType(), kinds)
            symbol = _symbol(name, real)
            called = cgutils.get_or_insert_function(builder.module, function_type, symbol)
            values = [
                value if kind == "i" else data_pointer(context, builder, type_, value)
                for value, kind, type_ in zip(args, arguments, signature.args)
            ]
            builder.call(called, values)
            return context.get_dummy_value()

        return types.void(*wanted), generate

    context = inspect.Parameter("typingctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    own = inspect.signature(function).parameters.values()
    typed.__signature__ = inspect.Signature([context, *own])  # type: ignore[attr-defined]
    return emitted(typed)


def provide(real: types.Type = types.float32) -> None:
    """Compile or load all exported kernels for one type of real numbers."""
    with _lock:
        for name, function, arguments in _kernels:
            symbol = _symbol(name, real)
            if symbol not in _provided:
                kinds = {
                    "t": types.CPointer(types.int64),
                    "n": types.CPointer(real),
                    "i": types.int64,
                }
                signature = types.void(*(kinds[k] for k in arguments))
                kernel = nb.cfunc(signature, cache=True, error_model="numpy")(function)
                llvm.add_symbol(symbol, kernel.address)
                _provided[symbol] = kernel


def _symbol(name: str, real: types.Type) -> str:
    return f"surefoot_{name}_{real}"
