"""Conditions on candidates as study files write them: small expressions, never code.

An expression compares fields of a candidate and plain values with Python's arithmetic, comparisons
and ``and``, ``or``, ``not``, ``in``: ``learning_rate * batch_size <= 0.1``,
``optimizer != 'sgd' or learning_rate >= 1e-3``. It is checked piece by piece; calls, attributes and
everything else are refused.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

from surefoot.candidates.base import Candidate
from surefoot.errors import SpaceError, nearest

Condition = Callable[[Candidate], bool]
Names = dict[str, Any]
Value = Callable[[Names], Any]

_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


def parse_condition(text: str) -> Condition:
    """Return the condition that an expression states.

    Its names are fields of the candidate's spec, ``channels`` (a list), ``convolutions`` and
    ``number_of_parameters``.

    Raises `SpaceError` if the text is not such an expression; when the condition is applied, if a
    name is unknown to a candidate or two values cannot be compared.

    >>> from surefoot.candidates.convnet.notation import preset
    >>> parse_condition("learning_rate <= 1e-3 and optimizer in ['nadam']")(preset("model_1"))
    True
    """
    try:
        value = _read(ast.parse(text, mode="eval").body, text)
    except SyntaxError:
        raise SpaceError(_unreadable(text, text)) from None

    def holds(candidate: Candidate) -> bool:
        try:
            return bool(value(_names(candidate)))
        except (TypeError, ZeroDivisionError) as error:
            raise SpaceError(f"condition {text!r} fails for {candidate.label}: {error}") from None

    holds.__name__ = f"condition {text!r}"
    return holds


def _names(candidate: Candidate) -> Names:
    names = candidate.spec()
    for name in ("number_of_parameters", "flops"):
        if hasattr(candidate, name):
            names[name] = getattr(candidate, name)
    if isinstance(names.get("convolutions"), list):
        names["channels"] = [conv["channels"] for conv in names["convolutions"]]
        names["convolutions"] = len(names["convolutions"])
    return names


def _read(node: ast.expr, text: str) -> Value:
    """Return a piece of an expression as a function of names; refuse what is not listed here."""
    read = partial(_read, text=text)
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as constant):
            return lambda names: constant
        case ast.Name(id=name):
            return lambda names: _named(name, names, text)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            entries = [read(part) for part in parts]
            return lambda names: [entry(names) for entry in entries]
        case ast.BoolOp(op=op, values=parts):
            tests, join = [read(part) for part in parts], all if isinstance(op, ast.And) else any
            return lambda names: join(test(names) for test in tests)
        case ast.UnaryOp(op=ast.Not() | ast.USub() as sign, operand=part):
            operand, apply = read(part), _UNARY[type(sign)]
            return lambda names: apply(operand(names))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            first, second, combine = read(left), read(right), _BINARY[type(op)]
            return lambda names: combine(first(names), second(names))
        case ast.Compare(left=left, ops=ops, comparators=rest) if {*map(type, ops)} <= {*_COMPARE}:
            sides, holds = [read(part) for part in (left, *rest)], [_COMPARE[type(o)] for o in ops]

            def compare(names: Names) -> bool:
                values = [side(names) for side in sides]
                return all(hold(a, b) for hold, a, b in zip(holds, values, values[1:]))

            return compare
    raise SpaceError(_unreadable(text, ast.unparse(node)))


def _named(name: str, names: Names, text: str) -> Any:
    if name not in names:
        raise SpaceError(
            f"condition {text!r} names the unknown field {name!r}: {nearest(name, names)}"
        )
    return names[name]


def _unreadable(text: str, part: str) -> str:
    return (
        f"condition {text!r} cannot be read at {part!r}; write a comparison such as "
        "'learning_rate * batch_size <= 0.1'"
    )
