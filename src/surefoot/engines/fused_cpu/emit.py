"""Building blocks of LLVM code: vectors, constants, addresses and loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from surefoot.engines.fused_cpu.target import LANES

I32 = ir.IntType(32)
I64 = ir.IntType(64)


def emitted(definition: Callable[..., Any], *, literal: bool = False) -> Any:
    """Make a function for compiled code from one that types it and emits its LLVM code.

    With ``literal`` it is given the types of constants that know their values.
    """
    return intrinsic(prefer_literal=literal)(definition)


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
    """Return the address of an array's first element; an address is its own."""
    if isinstance(array_type, types.CPointer):
        return array
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


def global_variable(builder, kind: ir.Type, symbol: str):
    """Return the address of a variable that is defined outside of the compiled code."""
    known = builder.module.globals.get(symbol)
    return known or ir.GlobalVariable(builder.module, kind, symbol)


def integer(value: int) -> ir.Constant:
    """Return a constant offset."""
    return ir.Constant(I64, value)


def loop(builder, start, stop, carried, body):
    """Emit ``for i in range(start, stop)`` with values carried from turn to turn; at least once.

    ``body(i, values)`` returns the next values; the last ones are returned.
    """
    before = builder.block
    head = builder.append_basic_block("loop")
    after = builder.append_basic_block("after")
    builder.branch(head)
    builder.position_at_end(head)
    index = builder.phi(I64)
    index.add_incoming(start, before)
    phis = [builder.phi(value.type) for value in carried]
    for phi, value in zip(phis, carried, strict=True):
        phi.add_incoming(value, before)
    values = body(index, phis)
    following = builder.add(index, integer(1))
    index.add_incoming(following, builder.block)
    for phi, value in zip(phis, values, strict=True):
        phi.add_incoming(value, builder.block)
    builder.cbranch(builder.icmp_signed("<", following, stop), head, after)
    builder.position_at_end(after)
    return values


def library_function(builder, symbol: str):
    """Return the C library's function double -> double of this name."""
    kind = ir.FunctionType(ir.DoubleType(), [ir.DoubleType()])
    return cgutils.get_or_insert_function(builder.module, kind, symbol)


@emitted
def smaller(typingctx, a, b):
    """Return the smaller of two integers: Numba's ``min`` is a function of its own to compile."""

    def generate(context, builder, signature, args):
        return builder.select(builder.icmp_signed("<", *args), *args)

    return types.int64(types.int64, types.int64), generate
