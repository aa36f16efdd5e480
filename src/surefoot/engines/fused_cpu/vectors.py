"""Sixteen numbers as one value in compiled code: the vector type that the kernels are written in.

`Lanes` is a Numba type for LLVM's ``<16 x float>`` (or double). The functions below work on it
inside ``njit`` functions; ``a + b``, ``a - b``, ``a * b``, ``a / b`` are lane by lane. Writing the
vectors out, where a plain loop would leave the choice to the optimiser, gives whole 512-bit
registers on machines that have them and pairs of 256-bit ones elsewhere, with one order of
summation on all.
"""

from __future__ import annotations

import operator

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, overload, register_model

from surefoot.engines.fused_cpu.target import LANES

I32 = ir.IntType(32)
I64 = ir.IntType(64)


class Lanes(types.Type):
    """Sixteen numbers of one dtype."""

    def __init__(self, dtype: types.Type) -> None:
        self.dtype = dtype
        super().__init__(name=f"Lanes({dtype})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, fe_type):
        super().__init__(manager, fe_type, vector_type(fe_type.dtype))


def scalar_type(dtype: types.Type) -> ir.Type:
    """Return LLVM's type of a Numba float type."""
    return ir.FloatType() if dtype == types.float32 else ir.DoubleType()


def vector_type(dtype: types.Type, lanes: int = LANES) -> ir.VectorType:
    """Return LLVM's vector type of a Numba float type."""
    return ir.VectorType(scalar_type(dtype), lanes)


def suffix(vector: ir.VectorType) -> str:
    """Return how LLVM's intrinsic names spell a vector type: ``v16f32``."""
    return f"v{vector.count}f{32 if isinstance(vector.element, ir.FloatType) else 64}"


def call(builder, name, vector, *args):
    """Call an LLVM intrinsic whose arguments and result are all of one vector type."""
    kind = ir.FunctionType(vector, [vector] * len(args))
    function = cgutils.get_or_insert_function(builder.module, kind, f"{name}.{suffix(vector)}")
    return builder.call(function, args)


def constant(vector: ir.VectorType, value: float) -> ir.Constant:
    """Return a vector constant with the same value in all lanes."""
    return ir.Constant(vector, [ir.Constant(vector.element, float(value))] * vector.count)


def shuffle(builder, a, b, mask):
    """Return the lanes of a and b (numbered on from a's) that ``mask`` lists."""
    indices = ir.Constant(ir.VectorType(I32, len(mask)), mask)
    return builder.shuffle_vector(a, b, indices)


def splat(builder, vector, value):
    """Return a vector with a scalar in all lanes."""
    undefined = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(I32, 0))
    return shuffle(builder, first, undefined, [0] * vector.count)


def data_pointer(context, builder, array_type, array):
    """Return the address of an array's first element."""
    return context.make_array(array_type)(context, builder, value=array).data


def element(builder, pointer, offset):
    """Return the address ``offset`` elements after ``pointer``."""
    return builder.gep(pointer, [offset])


def load_vector(builder, pointer, vector):
    """Load consecutive elements from an address aligned to one element."""
    size = 4 if isinstance(vector.element, ir.FloatType) else 8
    return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=size)


def store_vector(builder, value, pointer):
    """Store consecutive elements at an address aligned to one element."""
    size = 4 if isinstance(value.type.element, ir.FloatType) else 8
    builder.store(value, builder.bitcast(pointer, value.type.as_pointer()), align=size)


@intrinsic
def load(typingctx, array, index):
    """Return array[index : index + 16]."""
    result = Lanes(array.dtype)

    def generate(context, builder, signature, args):
        base = data_pointer(context, builder, signature.args[0], args[0])
        return load_vector(builder, element(builder, base, args[1]), vector_type(result.dtype))

    return result(array, types.int64), generate


@intrinsic
def store(typingctx, array, index, value):
    """Set array[index : index + 16]."""

    def generate(context, builder, signature, args):
        base = data_pointer(context, builder, signature.args[0], args[0])
        store_vector(builder, args[2], element(builder, base, args[1]))
        return context.get_dummy_value()

    return types.void(array, types.int64, value), generate


@intrinsic
def broadcast(typingctx, array, index):
    """Return array[index] in all lanes."""
    result = Lanes(array.dtype)

    def generate(context, builder, signature, args):
        base = data_pointer(context, builder, signature.args[0], args[0])
        value = builder.load(element(builder, base, args[1]))
        return splat(builder, vector_type(result.dtype), value)

    return result(array, types.int64), generate


@intrinsic
def fill(typingctx, array, value):
    """Return a number in all lanes, rounded to the array's dtype; the array is not read."""
    result = Lanes(array.dtype)

    def generate(context, builder, signature, args):
        return splat(builder, vector_type(result.dtype), args[1])

    return result(array, array.dtype), generate


@intrinsic
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


_add = intrinsic(_binary(lambda b, x, y: b.fadd(x, y)))
_sub = intrinsic(_binary(lambda b, x, y: b.fsub(x, y)))
_mul = intrinsic(_binary(lambda b, x, y: b.fmul(x, y)))
_div = intrinsic(_binary(lambda b, x, y: b.fdiv(x, y)))
sqrt = intrinsic(_unary("llvm.sqrt"))
absolute = intrinsic(_unary("llvm.fabs"))
maximum = intrinsic(_binary(lambda b, x, y: call(b, "llvm.maximum", x.type, x, y)))
minimum = intrinsic(_binary(lambda b, x, y: call(b, "llvm.minimum", x.type, x, y)))


@overload(operator.add)
def _overload_add(a, b):
    if isinstance(a, Lanes) and isinstance(b, Lanes):
        return lambda a, b: _add(a, b)


@overload(operator.sub)
def _overload_sub(a, b):
    if isinstance(a, Lanes) and isinstance(b, Lanes):
        return lambda a, b: _sub(a, b)


@overload(operator.mul)
def _overload_mul(a, b):
    if isinstance(a, Lanes) and isinstance(b, Lanes):
        return lambda a, b: _mul(a, b)


@overload(operator.truediv)
def _overload_div(a, b):
    if isinstance(a, Lanes) and isinstance(b, Lanes):
        return lambda a, b: _div(a, b)


@intrinsic
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


where_greater = intrinsic(_choice(">"))
"""(x, y, a, b): a where x > y, else b (also where either is NaN)."""
where_equal = intrinsic(_choice("=="))
"""(x, y, a, b): a where x = y, else b (also where either is NaN)."""


@intrinsic
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


@intrinsic
def like(typingctx, a, value):
    """Return a number in all lanes, rounded to the dtype of the vector ``a``."""

    def generate(context, builder, signature, args):
        vector = args[0].type
        number = args[1]
        if isinstance(vector.element, ir.FloatType):
            number = builder.fptrunc(number, vector.element)
        return splat(builder, vector, number)

    return a(a, types.float64), generate


@intrinsic
def nearest_integer(typingctx, a):
    """Return the lanes rounded to the nearest integer, halves to even."""

    def generate(context, builder, signature, args):
        return call(builder, "llvm.rint", args[0].type, args[0])

    return a(a), generate


@intrinsic
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
            kind = ir.FunctionType(ir.DoubleType(), [ir.DoubleType()])
            function = cgutils.get_or_insert_function(builder.module, kind, symbol)
            result = ir.Constant(args[0].type, ir.Undefined)
            for lane in range(LANES):
                at = ir.Constant(I32, lane)
                value = builder.call(function, [builder.extract_element(args[0], at)])
                result = builder.insert_element(result, value, at)
            return result

        return a(a), generate

    return typed


exp_each = intrinsic(_each_lane("exp"))
tanh_each = intrinsic(_each_lane("tanh"))
erfc_each = intrinsic(_each_lane("erfc"))
"""The C library's functions, called lane by lane (double precision only)."""
