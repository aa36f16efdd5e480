"""Sixteen numbers as one value in compiled code: the vector type that the kernels are written in.

`Lanes` is a Numba type for LLVM's ``<16 x float>`` (or double). The functions below work on it
inside ``njit`` functions; ``a + b``, ``a - b``, ``a * b``, ``a / b`` are lane by lane. Writing the
vectors out, where a plain loop would leave the choice to the optimiser, gives whole 512-bit
registers on machines that have them and pairs of 256-bit ones elsewhere, with one order of
summation on all.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model

from surefoot.engines.fused_cpu.emit import (
    I32,
    I64,
    call,
    data_pointer,
    element,
    emitted,
    library_function,
    load_vector,
    shuffle,
    splat,
    store_vector,
    vector_type,
)
from surefoot.engines.fused_cpu.target import LANES

_FIRST = {"target": "cpu"}
"""Numba asks first what is made for one target, then what is for all."""


class Lanes(types.Type):
    """Sixteen numbers of one dtype."""

    def __init__(self, dtype: types.Type) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, vector_type(fe_type.dtype))


@emitted
def address(typingctx, array, index):
    """Return where array[index] is, which stands for array[index:] in these functions."""

    def generate(context, builder, signature, args):
        base = data_pointer(context, builder, signature.args[0], args[0])
        return element(builder, base, args[1])

    return types.CPointer(array.dtype)(array, types.int64), generate


@emitted
def load(typingctx, array, index):
    """Return array[index : index + 16]."""
    result = Lanes(array.dtype)

    def generate(context, builder, signature, args):
        base = data_pointer(context, builder, signature.args[0], args[0])
        return load_vector(builder, element(builder, base, args[1]), vector_type(result.dtype))

    return result(array, types.int64), generate


@emitted
def store(typingctx, array, index, value):
    """Set array[index : index + 16]."""

    def generate(context, builder, signature, args):
        base = data_pointer(context, builder, signature.args[0], args[0])
        store_vector(builder, args[2], element(builder, base, args[1]))
        return context.get_dummy_value()

    return types.void(array, types.int64, value), generate


@emitted
def broadcast(typingctx, array, index):
    """Return array[index] in all lanes."""
    result = Lanes(array.dtype)

    def generate(context, builder, signature, args):
        base = data_pointer(context, builder, signature.args[0], args[0])
        value = builder.load(element(builder, base, args[1]))
        return splat(builder, vector_type(result.dtype), value)

    return result(array, types.int64), generate


@emitted
def fill(typingctx, array, value):
    """Return a number in all lanes, rounded to the array's dtype; the array is not read."""
    result = Lanes(array.dtype)

    def generate(context, builder, signature, args):
        return splat(builder, vector_type(result.dtype), args[1])

    return result(array, array.dtype), generate


@emitted
def lanes_below(typingctx, array, count):
    """Return 1 in lanes 0 … count − 1 and 0 in the others; the array only gives the dtype."""
    result = Lanes(array.dtype)

    def generate(context, builder, signature, args):
        integers = ir.VectorType(I64, LANES)
        bound = splat(builder, integers, args[1])
        inside = builder.icmp_signed("<", ir.Constant(integers, list(range(LANES))), bound)
        return builder.uitofp(inside, vector_type(result.dtype))

    return result(array, types.int64), generate


def _unary(name):
    def typed(typingctx, a):
        def generate(context, builder, signature, args):
            return call(builder, name, args[0].type, args[0])

        return a(a), generate

    return typed


def _binary(emit):
    def typed(typingctx, a, b):
        def generate(context, builder, signature, args):
            return emit(builder, *args)

        return a(a, a), generate

    return typed


sqrt = emitted(_unary("llvm.sqrt"))
absolute = emitted(_unary("llvm.fabs"))
maximum = emitted(_binary(lambda b, x, y: call(b, "llvm.maximum", x.type, x, y)))
minimum = emitted(_binary(lambda b, x, y: call(b, "llvm.minimum", x.type, x, y)))


def _operator(symbol: Any, emit: Callable[..., Any]) -> None:
    """Have compiled code know an operator of two `Lanes`."""

    @infer_global(symbol)
    class Typed(AbstractTemplate):
        metadata = _FIRST

        def generic(self, args, kws):
            if isinstance(args[0], Lanes) and args[0] == args[1]:
                return signature(args[0], *args)

    @lower_builtin(symbol, Lanes, Lanes)
    def generate(context, builder, signature, args):
        return emit(builder, *args)


_operator(operator.add, lambda builder, a, b: builder.fadd(a, b))
_operator(operator.sub, lambda builder, a, b: builder.fsub(a, b))
_operator(operator.mul, lambda builder, a, b: builder.fmul(a, b))
_operator(operator.truediv, lambda builder, a, b: builder.fdiv(a, b))


@emitted
def fma(typingctx, a, b, c):
    """Return a · b + c, rounded once."""

    def generate(context, builder, signature, args):
        return call(builder, "llvm.fma", args[0].type, *args)

    return a(a, a, a), generate


def _choice(comparison):
    def typed(typingctx, x, y, a, b):
        def generate(context, builder, signature, args):
            test = builder.fcmp_ordered(comparison, args[0], args[1])
            return builder.select(test, args[2], args[3])

        return a(a, a, a, a), generate

    return typed


where_greater = emitted(_choice(">"))
"""(x, y, a, b): a where x > y, else b (also where either is NaN)."""
where_equal = emitted(_choice("=="))
"""(x, y, a, b): a where x = y, else b (also where either is NaN)."""


@emitted
def total(typingctx, a):
    """Return the sum of the lanes, as a balanced tree."""

    def generate(context, builder, signature, args):
        value, lanes = args[0], LANES
        while lanes > 1:
            lanes //= 2
            low = shuffle(builder, value, value, list(range(lanes)))
            high = shuffle(builder, value, value, list(range(lanes, 2 * lanes)))
            value = builder.fadd(low, high)
        return builder.extract_element(value, ir.Constant(I32, 0))

    return a.dtype(a), generate


@emitted
def like(typingctx, a, value):
    """Return a number in all lanes, rounded to the dtype of the vector ``a``."""

    def generate(context, builder, signature, args):
        vector = args[0].type
        number = args[1]
        if isinstance(vector.element, ir.FloatType):
            number = builder.fptrunc(number, vector.element)
        return splat(builder, vector, number)

    return a(a, types.float64), generate


@emitted
def nearest_integer(typingctx, a):
    """Return the lanes rounded to the nearest integer, halves to even."""

    def generate(context, builder, signature, args):
        return call(builder, "llvm.rint", args[0].type, args[0])

    return a(a), generate


@emitted
def power_of_two(typingctx, n):
    """Return 2ⁿ for single-precision vectors of integers n in −126 … 127."""

    def generate(context, builder, signature, args):
        integers = ir.VectorType(I32, LANES)
        biased = builder.add(
            builder.fptosi(args[0], integers), ir.Constant(integers, [127] * LANES)
        )
        shifted = builder.shl(biased, ir.Constant(integers, [23] * LANES))
        return builder.bitcast(shifted, args[0].type)

    return n(n), generate


def _each_lane(symbol):
    def typed(typingctx, a):
        def generate(context, builder, signature, args):
            function = library_function(builder, symbol)
            result = ir.Constant(args[0].type, ir.Undefined)
            for lane in range(LANES):
                at = ir.Constant(I32, lane)
                value = builder.call(function, [builder.extract_element(args[0], at)])
                result = builder.insert_element(result, value, at)
            return result

        return a(a), generate

    return typed


exp_each = emitted(_each_lane("exp"))
tanh_each = emitted(_each_lane("tanh"))
erfc_each = emitted(_each_lane("erfc"))
"""The C library's functions, called lane by lane (double precision only)."""
